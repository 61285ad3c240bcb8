import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// The cost model with rates that are given, and the file that keeps rates.
@Suite struct CostModelTests {
    /// Nothing was measured: every count costs a nanosecond.
    private let plain = CostModel(rates: [:])

    private func networks(densities: [Double]) throws -> [Network] {
        var net = NetworkBuilder(name: "mixed", input: Shape(channels: 8, height: 40, width: 40))
        let x = net.relu(net.convolution(net.input, filters: 32, kernel: 3))
        let parts = [net.convolution(x, filters: 24, kernel: 1), net.convolution(x, filters: 40, kernel: 5)]
        let y = net.maxPooling(net.batchNormalization(net.concatenation(parts)), kernel: 2)
        _ = net.fullyConnected(net.globalAveragePooling(y), units: 10)
        let dense = try net.build()
        return try densities.map { try dense.sparsified(with: Pattern.random(density: $0), seed: 1).network }
    }

    @Test func predictionsGrowWithTheDensity() throws {
        let networks = try networks(densities: [0.1, 0.25, 0.5, 0.9])
        for model in [plain, CostModel.calibrated(for: .inference, pool: ThreadPool(threads: 1))] {
            for images in [1, 20] {
                let times = try networks.map { try model.inferenceMilliseconds($0, images: images) }
                #expect(times.allSatisfy { $0 > 0 && $0.isFinite })
                #expect(zip(times, times.dropFirst()).allSatisfy(<=), "\(times)")
            }
        }
        for model in [plain] {
            let times = try networks.map { try model.trainingStepMilliseconds($0, batch: 20) }
            #expect(times.allSatisfy { $0 > 0 && $0.isFinite })
            #expect(zip(times, times.dropFirst()).allSatisfy(<=), "\(times)")
        }
    }

    @Test func everyKernelIsPredicted() throws {
        let network = try networks(densities: [0.25])[0]
        let predictions = try plain.kernelMilliseconds(network)
        let plan = try InferencePlan(
            network, pool: ThreadPool(threads: 1), choice: .predicted(plain),
            readParameter: { $1.update(repeating: 0) })
        for layer in plan.implementations {
            #expect(layer.source == .predicted || layer.source == .only)
            let eligible = layer.candidates.filter { $0.declines == nil }.map(\.kernel)
            #expect(Set(predictions[layer.node]!.keys) == Set(eligible))
            #expect(predictions[layer.node]![layer.kernel] == predictions[layer.node]!.values.min())
        }
    }

    @Test func memoryIsThatOfThePlan() throws {
        for network in try networks(densities: [0.25]) + [Network.mnist()] {
            for threads in [1, 3] {
                let plan = try TrainingPlan(network, capacity: 20, pool: ThreadPool(threads: threads))
                #expect(
                    try TrainingPlan.byteCount(of: network, capacity: 20, threads: threads) == plan.byteCount)
            }
        }
    }

    @Test func ratesAreMeasuredOnceAndBrokenFilesAgain() throws {
        let folder = TemporaryFolder()
        let path = folder.file("rates.json")
        var measured = 0, warnings = 0
        func model(threads: Int = 2) -> CostModel {
            .kept(for: .inference, threads: threads, path: path, warn: { _ in warnings += 1 }) {
                measured += 1
                return CostModel(rates: ["some kernel": [Double(measured), 0.5]])
            }
        }
        let first = model()
        #expect(measured == 1 && warnings == 0)
        #expect(model() == first)
        #expect(measured == 1)
        // Another number of threads has rates of its own.
        #expect(model(threads: 1) != first)
        #expect(model() == first)
        #expect(measured == 2)
        for broken in ["nonsense", #"{"format": "gossamer rates 1", "groups": {}}"#] {
            try broken.write(toFile: path, atomically: false, encoding: .utf8)
            _ = model()
        }
        #expect(measured == 4 && warnings == 1)
    }
}
