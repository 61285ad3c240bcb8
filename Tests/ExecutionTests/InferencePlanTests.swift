import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Inference, with everything that it folds and fuses, against a plain evaluation in double precision.
@Suite struct InferencePlanTests {
    @Test(arguments: 1 ... 20) func randomNetworks(capacity: Int) throws {
        let name = "randomNetworks"
        try forEachCase(name, count: 15) { drawn, replay in
            var generator = SeededGenerator(seed: drawn.next(), keys: UInt64(capacity))
            let network = RandomNetwork.draw(using: &generator)
            let parameters = Parameters(drawing: network, using: &generator)
            var plan = try InferencePlan(
                network, parameters: parameters, capacity: capacity, pool: ThreadPool(threads: 1 + capacity % 3))
            #expect(plan.inputLayout.lanes == 1 || plan.inputLayout.lanes == 16)
            for count in Set([capacity, 1 + generator.index(below: capacity)]) {
                let images = generator.bells(count * network.inputShape.count)
                var reference = ReferenceNetwork(network, parameters: parameters, images: images)
                reference.isTraining = false
                let expected = reference.evaluate()
                let error = relativeError(plan(images), expected)
                #expect(error < 1e-5, "error \(error), capacity \(capacity), \(count) images; \(replay)")
            }
        }
    }

    /// Kernels chosen by trials, Winograd among them, against plain evaluation, on layers that several kernels take.
    @Test(arguments: [1, 3, 16]) func measuredKernels(capacity: Int) throws {
        try forEachCase("measuredKernels", count: 6) { generator, replay in
            let side = 8 + generator.index(below: 12)
            var net = NetworkBuilder(name: "residual", input: Shape(channels: 3, height: side, width: side))
            let x = net.relu(net.convolution(net.input, filters: 16, kernel: 3))
            let shortcut = net.batchNormalization(net.convolution(x, filters: 24, kernel: 1, bias: false))
            let y = net.batchNormalization(net.convolution(x, filters: 24, kernel: 3, bias: false))
            let sum = net.relu(net.addition(y, shortcut))
            _ = net.fullyConnected(net.globalAveragePooling(sum), units: 5)
            let pattern = [Pattern.dense, .random(density: 0.25), .random(density: 0.25, block: 4)]
            let network = try net.build().sparsified(with: pattern[generator.index(below: 3)], seed: 1).network
            let parameters = Parameters(drawing: network, using: &generator)
            var plan = try InferencePlan(
                network, parameters: parameters, capacity: capacity, pool: ThreadPool(threads: 2), choice: .measured)
            let images = generator.bells(capacity * network.inputShape.count)
            var reference = ReferenceNetwork(network, parameters: parameters, images: images)
            reference.isTraining = false
            let error = relativeError(plan(images), reference.evaluate())
            #expect(error < 5e-5, "error \(error), side \(side); \(replay)")
            #expect(plan.implementations.map(\.node) == ["conv1", "conv2", "conv3", "fc1"], "\(replay)")
            for layer in plan.implementations {
                let tried = layer.candidates.compactMap(\.milliseconds)
                let chosen = layer.candidates.first { $0.kernel == layer.kernel }
                #expect(chosen != nil && chosen?.declines == nil && chosen?.milliseconds == tried.min(), "\(replay)")
            }
        }
    }

    @Test func theRuleTriesNothing() throws {
        let network = try Network.mnist()
        let parameters = Parameters(initializing: network, seed: 1)
        let plan = try InferencePlan(network, parameters: parameters, pool: ThreadPool(threads: 1))
        #expect(plan.implementations.count == 4)
        for layer in plan.implementations {
            #expect(layer.kernel == layer.candidates.first { $0.declines == nil }?.kernel)
            #expect(layer.candidates.allSatisfy { $0.milliseconds == nil })
        }
    }

    /// Single images fill one lane, larger batches sixteen: both must be covered by the test above.
    @Test func bothLayoutsAreUsed() throws {
        var generator = SeededGenerator(seed: 1)
        let network = RandomNetwork.draw(using: &generator)
        let parameters = Parameters(drawing: network, using: &generator)
        func lanes(_ capacity: Int) throws -> Int {
            try InferencePlan(
                network, parameters: parameters, capacity: capacity, pool: ThreadPool(threads: 1)).inputLayout.lanes
        }
        #expect(try lanes(1) == 1)
        #expect(try lanes(20) == 16)
    }

    @Test func threadsDoNotChangeBits() throws {
        try forEachCase("threadsDoNotChangeBits", count: 40) { generator, replay in
            var options = RandomNetwork.Options()
            options.largestSide = 20
            let network = RandomNetwork.draw(using: &generator, options: options)
            let parameters = Parameters(drawing: network, using: &generator)
            let capacity = 1 + generator.index(below: 35)
            let images = generator.bells(capacity * network.inputShape.count)
            let results = try [1, 2, 3].map { threads in
                var plan = try InferencePlan(
                    network, parameters: parameters, capacity: capacity, pool: ThreadPool(threads: threads))
                return plan(images).bits
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(replay)")
        }
    }

    @Test func idleLanesAndEarlierBatchesDoNotMatter() throws {
        try forEachCase("idleLanesAndEarlierBatchesDoNotMatter", count: 40) { generator, replay in
            let network = RandomNetwork.draw(using: &generator)
            let parameters = Parameters(drawing: network, using: &generator)
            let pool = ThreadPool(threads: 2)
            var fresh = try InferencePlan(network, parameters: parameters, capacity: 33, pool: pool)
            var used = try InferencePlan(network, parameters: parameters, capacity: 33, pool: pool)
            _ = used(generator.bells(33 * network.inputShape.count).map { 1000 * $0 })
            let images = generator.bells((1 + generator.index(below: 33)) * network.inputShape.count)
            #expect(used(images).bits == fresh(images).bits, "\(replay)")
        }
    }

    /// A plan keeps nothing of the parameters that it was made from.
    @Test func laterTrainingDoesNotChangeAPlan() throws {
        var generator = SeededGenerator(seed: 2)
        let network = RandomNetwork.draw(using: &generator)
        let parameters = Parameters(drawing: network, using: &generator)
        var plan = try InferencePlan(network, parameters: parameters, pool: ThreadPool(threads: 1))
        let image = generator.bells(network.inputShape.count)
        let before = plan(image)
        for index in 0 ..< parameters.trained.count { parameters.trained[index] = .nan }
        #expect(plan(image).bits == before.bits)
    }

    @Test func refusesAnEmptyBatch() throws {
        var generator = SeededGenerator(seed: 2)
        let network = RandomNetwork.draw(using: &generator)
        #expect(throws: ExecutionError("a batch needs at least one image")) {
            let parameters = Parameters(zerosFor: ParameterLayout(network))
            _ = try InferencePlan(network, parameters: parameters, capacity: 0, pool: ThreadPool(threads: 1))
        }
        #expect(throws: ExecutionError("a batch needs at least one image")) {
            _ = try TrainingPlan(network, capacity: 0, pool: ThreadPool(threads: 1))
        }
    }
}
