import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Activations that are computed again instead of kept: the same bits from less memory.
@Suite struct RecomputationTests {
    /// Outputs, gradients and running statistics, wherever the network is cut.
    @Test func everyCutGivesTheSameBits() throws {
        try forEachCase("everyCutGivesTheSameBits", count: 150) { generator, replay in
            var options = RandomNetwork.Options()
            options.heads = generator.index(below: 3)
            let network = RandomNetwork.draw(using: &generator, options: options)
            let parameters = Parameters(drawing: network, using: &generator)
            let count = 1 + generator.index(below: 33)
            let frozen = Set(network.nodes.map(\.name).filter { _ in generator.index(below: 8) == 0 })
            let threads = 1 + generator.index(below: 3)
            var whole = try TestPlan(network, parameters: parameters.copy(), capacity: count, frozen: frozen)
            let cuts = (1 ..< whole.operationCount).filter { _ in generator.index(below: 3) == 0 }
            var cut = try TestPlan(
                network, parameters: parameters.copy(), capacity: count, threads: threads, frozen: frozen, cuts: cuts)
            let images = generator.bells(count * network.inputShape.count)
            let functional = generator.bells(
                count * network.outputShape.count * (1 + network.auxiliaryOutputs.count))
            for step: UInt64 in 1 ... 2 {
                let expected = whole.run(images, randomKey: step, outputGradient: functional)
                let result = cut.run(images, randomKey: step, outputGradient: functional)
                #expect(result.outputs.bits == expected.outputs.bits, "\(replay)")
                #expect(result.inputGradient.bits == expected.inputGradient.bits, "\(replay)")
                for (name, gradient) in expected.gradients {
                    #expect(result.gradients[name]!.bits == gradient.bits, "\(name), cuts \(cuts): \(replay)")
                }
                for entry in whole.parameters.layout.statistics {
                    #expect(cut.values(entry.name).bits == whole.values(entry.name).bits, "\(entry.name): \(replay)")
                }
            }
        }
    }

    @Test func deepNetworksTakeLessMemory() throws {
        let pool = ThreadPool(threads: 1)
        let network = try Network.resnet50(classes: 10, side: 64)
        let whole = try TrainingPlan(network, capacity: 16, pool: pool)
        let cut = try TrainingPlan(network, capacity: 16, pool: pool, recomputes: true)
        #expect(Double(cut.byteCount) < 0.5 * Double(whole.byteCount), "\(cut.byteCount) of \(whole.byteCount) bytes")
        #expect(
            try TrainingPlan.byteCount(of: network, capacity: 16, threads: 1, recomputes: true) == cut.byteCount)
    }

    /// What only frozen layers need is not kept.
    @Test func frozenLayersTakeLessMemory() throws {
        let pool = ThreadPool(threads: 1)
        let network = try Network.resnet50(classes: 10, side: 64)
        let frozen = Set(network.nodes.map(\.name).dropLast())
        let whole = try TrainingPlan(network, capacity: 16, pool: pool)
        let last = try TrainingPlan(network, capacity: 16, pool: pool, frozen: frozen)
        #expect(Double(last.byteCount) < 0.2 * Double(whole.byteCount), "\(last.byteCount) of \(whole.byteCount) bytes")
        #expect(throws: ExecutionError.self) {
            _ = try TrainingPlan(network, capacity: 16, pool: pool, frozen: Set(network.nodes.map(\.name)))
        }
    }
}
