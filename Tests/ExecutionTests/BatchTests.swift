import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Batches of every size: what idle lanes hold must not matter, nor how work is spread over threads.
@Suite struct BatchTests {
    /// Without batch normalisation and dropout, images do not know of each other: the gradient of a batch is the sum of
    /// those of its images.
    @Test func gradientsAddUpOverImages() throws {
        try forEachCase("gradientsAddUpOverImages", count: 35) { generator, replay in
            var options = RandomNetwork.Options()
            (options.normalization, options.dropout) = (false, false)
            let network = RandomNetwork.draw(using: &generator, options: options)
            let parameters = Parameters(drawing: network, using: &generator)
            var single = try TestPlan(network, parameters: parameters.copy(), capacity: 1)
            var batch = try TestPlan(network, parameters: parameters.copy(), capacity: 35)
            let count = 1 + generator.index(below: 35)
            let images = generator.bells(count * network.inputShape.count)
            let functional = generator.bells(count * network.outputShape.count)
            let parts = (0 ..< count).map { image in
                func part(_ values: [Float]) -> [Float] {
                    let size = values.count / count
                    return Array(values[image * size ..< (image + 1) * size])
                }
                return single.run(part(images), outputGradient: part(functional))
            }
            let whole = batch.run(images, outputGradient: functional)
            #expect(relativeError(whole.outputs, parts.flatMap(\.outputs)) < 1e-5, "\(replay)")
            #expect(relativeError(whole.inputGradient, parts.flatMap(\.inputGradient)) < 1e-5, "\(replay)")
            for (name, gradient) in whole.gradients {
                let all = parts.map { $0.gradients[name]! }
                let sums = gradient.indices.map { index in all.reduce(0.0) { $0 + Double($1[index]) } }
                let magnitudes = gradient.indices.map { index in all.reduce(0.0) { $0 + Double(abs($1[index])) } }
                let error = largestError(gradient, sums)
                #expect(error <= 1e-5 * (magnitudes.max() ?? 0), "\(name): \(error); \(replay)")
            }
        }
    }

    /// Every size of batch around one, two and three blocks, with all layers and batch statistics.
    @Test(arguments: 1 ... 35) func outputsAndStatistics(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count), keys: 9)
        var net = NetworkBuilder(name: "every layer", input: Shape(channels: 2, height: 6, width: 5))
        let first = net.batchNormalization(net.convolution(net.input, filters: 5, kernel: 3), momentum: 1)
        let second = net.convolution(net.relu(first), filters: 5, kernel: 3, stride: 2, padding: .same)
        let pooled = net.maxPooling(first, kernel: 2, stride: 2, padding: .same)
        let sum = net.relu(net.addition(second, pooled))
        let averaged = net.averagePooling(first, kernel: 2, padding: .same)
        let joined = net.dropout(net.concatenation([sum, averaged]), rate: 0.4)
        _ = net.fullyConnected(net.batchNormalization(joined, momentum: 1), units: 3)
        let network = try net.build()
        let parameters = Parameters(drawing: network, using: &generator)
        let images = generator.bells(count * network.inputShape.count)
        var reference = ReferenceNetwork(network, parameters: parameters, images: images)
        try reference.drawMasks(randomKey: 3)
        var plan = try TestPlan(network, parameters: parameters.copy(), capacity: 35)
        let result = plan.run(images, randomKey: 3, outputGradient: nil)
        #expect(relativeError(result.outputs, reference.evaluate()) < 1e-5)
        for (node, statistics) in reference.statistics {
            let shape = network.shape(of: node)
            let values = Double(count * shape.height * shape.width)
            let variances = statistics.map { $0.variance * values / max(1, values - 1) }
            #expect(largestError(plan.values("\(node).running_mean"), statistics.map(\.mean)) < 1e-5)
            #expect(largestError(plan.values("\(node).running_var"), variances) < 2e-5)
        }
    }

    @Test func idleLanesDoNotMatter() throws {
        try forEachCase("idleLanesDoNotMatter", count: 60) { generator, replay in
            let network = RandomNetwork.draw(using: &generator)
            let parameters = Parameters(drawing: network, using: &generator)
            let count = 1 + generator.index(below: 33)
            let images = generator.bells(count * network.inputShape.count)
            let functional = generator.bells(count * network.outputShape.count)
            func result(idleValue: Float) throws -> (PassResult, [[UInt32]]) {
                var plan = try TestPlan(network, parameters: parameters.copy(), capacity: 33)
                return (plan.run(images, idleValue: idleValue, outputGradient: functional), plan.statistics)
            }
            let (clean, cleanStatistics) = try result(idleValue: 0)
            for value: Float in [1000, -12345] {
                let (poisoned, statistics) = try result(idleValue: value)
                expectSameBits(poisoned, clean, replay)
                #expect(statistics == cleanStatistics, "\(replay)")
            }
        }
    }

    /// A large batch before a small one leaves values behind in idle lanes and in all of the plan's memory.
    @Test func earlierBatchesLeaveNoTrace() throws {
        try forEachCase("earlierBatchesLeaveNoTrace", count: 60) { generator, replay in
            let network = RandomNetwork.draw(using: &generator)
            let parameters = Parameters(drawing: network, using: &generator)
            let large = generator.bells(40 * network.inputShape.count).map { 100 * $0 }
            let largeGradient = generator.bells(40 * network.outputShape.count)
            let count = 1 + generator.index(below: 40)
            let images = generator.bells(count * network.inputShape.count)
            let functional = generator.bells(count * network.outputShape.count)
            var fresh = try TestPlan(network, parameters: parameters.copy(), capacity: 40)
            let expected = fresh.run(images, outputGradient: functional)
            var used = try TestPlan(network, parameters: parameters.copy(), capacity: 40)
            _ = used.run(large, outputGradient: largeGradient)
            expectSameBits(used.run(images, outputGradient: functional), expected, replay)
        }
    }

    @Test func threadsDoNotChangeBits() throws {
        try forEachCase("threadsDoNotChangeBits", count: 60) { generator, replay in
            var options = RandomNetwork.Options()
            options.largestSide = 20
            let network = RandomNetwork.draw(using: &generator, options: options)
            let parameters = Parameters(drawing: network, using: &generator)
            let count = 1 + generator.index(below: 40)
            let images = generator.bells(count * network.inputShape.count)
            let functional = generator.bells(count * network.outputShape.count)
            func result(threads: Int) throws -> (PassResult, [[UInt32]]) {
                var plan = try TestPlan(network, parameters: parameters.copy(), capacity: 40, threads: threads)
                return (plan.run(images, outputGradient: functional), plan.statistics)
            }
            let (single, singleStatistics) = try result(threads: 1)
            for threads in [2, 3, 5] {
                let (several, statistics) = try result(threads: threads)
                expectSameBits(several, single, replay)
                #expect(statistics == singleStatistics, "\(replay)")
            }
        }
    }

    /// The mnist network has layers large enough for every blocking of the kernels.
    @Test(arguments: [1.0, 0.1]) func threadsDoNotChangeBitsOfMNIST(density: Double) throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: density), seed: 1).network
        var generator = SeededGenerator(seed: 8)
        let parameters = Parameters(drawing: network, using: &generator)
        let images = generator.bells(18 * network.inputShape.count)
        let functional = generator.bells(18 * network.outputShape.count)
        let results = try [1, 2, 3].map { threads in
            var plan = try TestPlan(network, parameters: parameters.copy(), capacity: 18, threads: threads)
            return plan.run(images, outputGradient: functional)
        }
        for result in results.dropFirst() { expectSameBits(result, results[0], "density \(density)") }
    }

    /// Dropout keeps the share of values that it should, scaled, and draws anew for every step and layer.
    @Test(arguments: [0, 0.25, 0.5, 0.9]) func dropoutMasks(rate: Double) throws {
        let shape = Shape(channels: 8, height: 16, width: 16)
        func mask(_ name: String, _ key: UInt64) throws -> [Double] {
            try dropoutMask(name: name, rate: rate, shape: shape, images: 19, randomKey: key)
        }
        let first = try mask("dropout1", 1)
        let kept = first.filter { $0 != 0 }
        #expect(kept.allSatisfy { abs($0 * (1 - rate) - 1) < 1e-6 })
        let deviation = (rate * (1 - rate) / Double(first.count)).squareRoot()
        #expect(abs(Double(kept.count) / Double(first.count) - (1 - rate)) <= 5 * deviation)
        #expect(try first == mask("dropout1", 1))
        guard rate > 0 else { return }
        #expect(try first != mask("dropout1", 2))
        #expect(try first != mask("dropout2", 1))
    }

    private func expectSameBits(_ result: PassResult, _ expected: PassResult, _ replay: String) {
        #expect(result.outputs.bits == expected.outputs.bits, "\(replay)")
        #expect(result.inputGradient.bits == expected.inputGradient.bits, "\(replay)")
        for (name, gradient) in expected.gradients {
            #expect(result.gradients[name]!.bits == gradient.bits, "\(name): \(replay)")
        }
    }
}

extension TestPlan {
    /// The bits of all running statistics.
    fileprivate var statistics: [[UInt32]] { parameters.layout.statistics.map { parameters.values($0).bits } }
}
