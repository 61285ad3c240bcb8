import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Gradients against central differences of a plain evaluation in double precision, for random whole networks and
/// batches that leave lanes idle.
@Suite struct FiniteDifferenceTests {
    @Test func gradientsOfRandomNetworks() throws {
        try checkGradients("gradientsOfRandomNetworks", cases: 150, largestCount: 33, options: .init())
    }

    /// Enough channels for the kernels' blocks of channels and their remainders.
    @Test func gradientsOfWideNetworks() throws {
        var options = RandomNetwork.Options()
        (options.largestFilters, options.largestSide) = (40, 5)
        try checkGradients("gradientsOfWideNetworks", cases: 15, largestCount: 6, options: options)
    }

    /// The gradients of auxiliary heads flow into the same parameters.
    @Test func gradientsOfNetworksWithHeads() throws {
        var options = RandomNetwork.Options()
        options.heads = 2
        try checkGradients("gradientsOfNetworksWithHeads", cases: 40, largestCount: 17, options: options)
    }

    /// Frozen layers get no gradients and keep their statistics, and let gradients through to others.
    @Test func gradientsAroundFrozenLayers() throws {
        try checkGradients(
            "gradientsAroundFrozenLayers", cases: 100, largestCount: 20, options: .init(), freezes: true)
    }

    private func checkGradients(
        _ name: String, cases: UInt64, largestCount: Int, options: RandomNetwork.Options, freezes: Bool = false
    ) throws {
        var (drawn, checked) = (0, 0)
        try forEachCase(name, count: cases) { generator, replay in
            drawn += 1
            let network = RandomNetwork.draw(using: &generator, options: options)
            let parameters = Parameters(drawing: network, using: &generator)
            let count = 1 + generator.index(below: largestCount)
            let frozen = Set(network.nodes.map(\.name).filter { _ in freezes && generator.index(below: 2) == 0 })
            guard var reference = try smoothPoint(
                network, parameters, count: count, frozen: frozen, using: &generator)
            else { return }
            checked += 1
            var plan = try TestPlan(network, parameters: parameters.copy(), capacity: count, frozen: frozen)
            let functional = generator.bells(
                count * network.outputShape.count * (1 + network.auxiliaryOutputs.count))
            let images = reference.input.map { Float($0) }
            let result = plan.run(images, randomKey: Self.randomKey, outputGradient: functional)
            let tolerance = network.normalizes ? 1e-4 : 1e-5
            #expect(relativeError(result.outputs, reference.evaluate()) < tolerance, "\(replay)")
            check(result.inputGradient, of: "the images", &reference, \.input, functional, &generator, replay)
            for entry in plan.parameters.layout.trained {
                let (name, gradient) = (entry.name, result.gradients[entry.name]!)
                guard !frozen.contains(entry.node) else {
                    let isUntouched = gradient.allSatisfy { $0.isNaN }
                    #expect(isUntouched, "\(name) is frozen; \(replay)")
                    continue
                }
                check(gradient, of: name, &reference, \.parameters[unwrapping: name], functional, &generator, replay)
            }
            checkStatistics(plan, before: parameters, reference, network, count: count, replay)
        }
        #expect(checked * 10 >= drawn * 6, "only \(checked) of \(drawn) cases are smooth enough to tell")
    }

    private static let randomKey: UInt64 = 77

    /// Draws images until no ReLU and no maximum is about to change sides.
    private func smoothPoint(
        _ network: Network, _ parameters: borrowing Parameters, count: Int, frozen: Set<String>,
        using generator: inout SeededGenerator
    ) throws -> ReferenceNetwork? {
        for _ in 0 ..< 20 {
            let images = generator.bells(count * network.inputShape.count)
            var reference = ReferenceNetwork(network, parameters: parameters, images: images)
            reference.frozen = frozen
            try reference.drawMasks(randomKey: Self.randomKey)
            _ = reference.evaluate()
            if reference.smallestDistanceToKink > 2e-5 { return reference }
        }
        return nil
    }

    /// Compares the derivative of functional(outputs) along a random direction.
    private func check(
        _ gradient: [Float], of name: String, _ reference: inout ReferenceNetwork,
        _ path: WritableKeyPath<ReferenceNetwork, [Double]>, _ functional: [Float],
        _ generator: inout SeededGenerator, _ replay: String
    ) {
        let point = reference[keyPath: path]
        guard point.count == gradient.count, !point.isEmpty else {
            return #expect(point.count == gradient.count, "\(name): \(replay)")
        }
        let drawn = generator.bells(point.count).map(Double.init)
        let length = drawn.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let direction = drawn.map { $0 / length }
        let step = 1e-6
        func value(_ distance: Double) -> (sum: Double, magnitude: Double) {
            reference[keyPath: path] = zip(point, direction).map { $0 + distance * $1 }
            let terms = zip(reference.evaluate(), functional).map { $0 * Double($1) }
            return (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) })
        }
        let (forward, backward) = (value(step), value(-step))
        reference[keyPath: path] = point
        let difference = (forward.sum - backward.sum) / (2 * step)
        let terms = zip(gradient, direction).map { Double($0) * $1 }
        let magnitude = terms.reduce(0) { $0 + abs($1) }
        let error = abs(terms.reduce(0, +) - difference)
        // Some gradients, such as a bias's before a normalisation, are zero but for rounding: hence the second term.
        let tolerance = 1e-5 * magnitude + 2e-6 * forward.magnitude
        #expect(error <= tolerance, "\(name): error \(error) of \(magnitude), outputs \(forward.magnitude); \(replay)")
    }

    /// The running statistics move towards those of the live images.
    private func checkStatistics(
        _ plan: borrowing TestPlan, before: borrowing Parameters, _ reference: ReferenceNetwork, _ network: Network,
        count: Int, _ replay: String
    ) {
        for node in network.nodes {
            guard case .batchNormalization(let layer) = node.layer else { continue }
            guard !reference.frozen.contains(node.name) else {
                for name in ["running_mean", "running_var"] {
                    let entry = before.entry("\(node.name).\(name)")
                    #expect(plan.values(entry.name) == before.values(entry), "\(replay)")
                }
                continue
            }
            let batch = reference.statistics[node.name]!
            let shape = network.shape(of: node.name)
            let values = Double(count * shape.height * shape.width)
            func moved(_ name: String, _ target: [Double]) -> [Double] {
                zip(before.values(before.entry(name)), target).map { old, new in
                    Double(old) + layer.momentum * (new - Double(old))
                }
            }
            let unbiased = values > 1 ? values / (values - 1) : 1
            let mean = moved("\(node.name).running_mean", batch.map(\.mean))
            let variance = moved("\(node.name).running_var", batch.map { $0.variance * unbiased })
            #expect(largestError(plan.values("\(node.name).running_mean"), mean) < 1e-5, "\(replay)")
            #expect(relativeError(plan.values("\(node.name).running_var"), variance) < 1e-5, "\(replay)")
        }
    }
}

extension [String: [Double]] {
    fileprivate subscript(unwrapping key: String) -> [Double] {
        get { self[key]! }
        set { self[key] = newValue }
    }
}

extension Network {
    /// Batch normalisation of nearly equal values multiplies the rounding of their mean, 6e-8 of it, by up to
    /// 1 / sqrt(epsilon), which is 316.
    fileprivate var normalizes: Bool { nodes.contains { $0.layer.kind == "batch-normalization" } }
}
