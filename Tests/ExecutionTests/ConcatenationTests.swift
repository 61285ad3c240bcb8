import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Concatenations whose inputs are written in place, and those whose inputs must be copied.
@Suite struct ConcatenationTests {
    private let pool = ThreadPool(threads: 2)

    /// Sixteen channels, then three branches of sixteen that are joined.
    private func branches() throws -> Network {
        var net = NetworkBuilder(name: "branches", input: Shape(channels: 1, height: 64, width: 64))
        let x = net.relu(net.convolution(net.input, filters: 16, kernel: 1))
        let parts = (0 ..< 3).map { _ in net.relu(net.convolution(x, filters: 16, kernel: 1)) }
        _ = net.convolution(net.concatenation(parts), filters: 1, kernel: 1)
        return try net.build()
    }

    @Test func inferenceKeepsOneCopyOfTheParts() throws {
        let network = try branches()
        let parameters = Parameters(initializing: network, seed: 1)
        let plan = try InferencePlan(network, parameters: parameters, pool: ThreadPool(threads: 1))
        // The first value and the three parts; a copy would take three more.
        let unit = 4 * 16 * 64 * 64
        #expect(plan.byteCount >= 4 * unit)
        #expect(plan.byteCount < 5 * unit)
    }

    @Test func trainingKeepsOneCopyOfThePartsAndTheirGradients() throws {
        let plan = try TrainingPlan(branches(), capacity: 16, pool: ThreadPool(threads: 1))
        // Four values and four gradients; copies would take six more.
        let unit = 4 * 16 * 64 * 64 * 16
        #expect(plan.byteCount < 10 * unit)
    }

    /// Parts that are the network's input, are read twice, are joined again or are added to something.
    @Test(arguments: [1, 3, 20]) func partsOfAllKinds(capacity: Int) throws {
        try forEachCase("partsOfAllKinds", count: 8) { generator, replay in
            let side = 1 + generator.index(below: 9)
            var net = NetworkBuilder(name: "parts", input: Shape(channels: 3, height: side, width: side))
            let a = net.convolution(net.input, filters: 5, kernel: 3)
            let b = net.relu(net.convolution(a, filters: 7, kernel: 1))
            let inner = net.concatenation([a, b])
            let c = net.averagePooling(inner, kernel: 3, stride: 1, padding: .same)
            let d = net.maxPooling(b, kernel: 3, stride: 1, padding: .same)
            let outer = net.concatenation([inner, net.input, c, d, d])
            let e = net.batchNormalization(net.convolution(outer, filters: 7, kernel: 3, bias: false))
            let f = net.addition(net.convolution(outer, filters: 7, kernel: 1), e)
            let last = net.concatenation([e, net.relu(f), outer])
            _ = net.fullyConnected(last, units: 3)
            let network = try net.build()
            let parameters = Parameters(drawing: network, using: &generator)
            for choice in [KernelChoice.byRule, .measured] {
                var plan = try InferencePlan(
                    network, parameters: parameters, capacity: capacity, pool: pool, choice: choice)
                let images = generator.bells(capacity * network.inputShape.count)
                var reference = ReferenceNetwork(network, parameters: parameters, images: images)
                reference.isTraining = false
                let error = relativeError(plan(images), reference.evaluate())
                #expect(error < 5e-5, "error \(error), side \(side); \(replay)")
            }
        }
    }
}
