import Foundation
import GossamerNetworks
import GossamerTensors

/// The values of a network's parameters: one contiguous buffer that is trained, one of running statistics.
public struct Parameters: ~Copyable, Sendable {
    public let layout: ParameterLayout
    public let trained: AlignedBuffer<Float>
    public let statistics: AlignedBuffer<Float>

    /// All zeros; running variances one.
    public init(zerosFor layout: ParameterLayout) {
        self.layout = layout
        trained = AlignedBuffer(count: layout.trainedCount)
        statistics = AlignedBuffer(count: layout.statisticsCount)
        for entry in layout.statistics where entry.role == .runningVariance { fill(entry, with: 1) }
    }

    /// Initial values drawn from a seed: kernels normal with variance 2 / live fan-in (He et al. 2015, with the
    /// connections that exist, so that activations keep their size at every density), the output layers' with a tenth
    /// of that deviation, scales and running variances one, everything else zero.
    public init(initializing network: Network, seed: UInt64) {
        self.init(zerosFor: ParameterLayout(network))
        for entry in layout.trained { Self.initialize(entry, of: network, seed: seed, into: buffer(entry)) }
    }

    /// Writes the initial values of one parameter.
    public static func initialize(
        _ entry: ParameterLayout.Entry, of network: Network, seed: UInt64,
        into values: UnsafeMutableBufferPointer<Float>
    ) {
        switch entry.role {
        case .kernel: initializeKernel(entry, of: network, seed: seed, into: values)
        case .scale, .runningVariance: values.update(repeating: 1)
        case .bias, .shift, .runningMean: values.update(repeating: 0)
        }
    }

    private func buffer(_ entry: ParameterLayout.Entry) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: pointer(entry), count: entry.count)
    }

    public func pointer(_ entry: ParameterLayout.Entry) -> UnsafeMutablePointer<Float> {
        (entry.role.isTrained ? trained.pointer : statistics.pointer) + entry.offset
    }

    public func values(_ entry: ParameterLayout.Entry) -> [Float] {
        Array(UnsafeBufferPointer(start: pointer(entry), count: entry.count))
    }

    /// - Parameter values: as many as the entry holds.
    public func set(_ entry: ParameterLayout.Entry, to values: [Float]) {
        precondition(values.count == entry.count, "parameter \(entry.name) has \(entry.count) values")
        values.withUnsafeBufferPointer { pointer(entry).update(from: $0.baseAddress!, count: entry.count) }
    }

    /// Takes the values of others of the same layout.
    public func copy(from other: borrowing Parameters) {
        precondition(layout == other.layout, "parameters of one layout")
        trained.pointer.update(from: other.trained.pointer, count: trained.count)
        statistics.pointer.update(from: other.statistics.pointer, count: statistics.count)
    }

    public func copy() -> Parameters {
        let copy = Parameters(zerosFor: layout)
        copy.copy(from: self)
        return copy
    }

    private func fill(_ entry: ParameterLayout.Entry, with value: Float) {
        pointer(entry).update(repeating: value, count: entry.count)
    }

    /// Writes the initial weights of some of a filter's connections.
    ///
    /// - Parameters:
    ///   - fanIn: weights that the filter sums.
    ///   - isOutput: whether the layer is an output of the network.
    public static func initializeWeights(
        _ weights: UnsafeMutableBufferPointer<Float>, fanIn: Int, isOutput: Bool,
        using generator: inout SeededGenerator
    ) {
        // Large first logits cost the first steps: a tenth of the usual deviation starts near equal probabilities.
        let deviation = Float((2 / Double(max(1, fanIn))).squareRoot()) * (isOutput ? 0.1 : 1)
        for index in weights.indices { weights[index] = generator.normal() * deviation }
    }

    private static func initializeKernel(
        _ entry: ParameterLayout.Entry, of network: Network, seed: UInt64,
        into values: UnsafeMutableBufferPointer<Float>
    ) {
        let node = network.nodes[network.index(of: entry.node)!]
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key(entry.name))
        let isOutput = network.isOutput(node.name)
        var weight = values.baseAddress!
        for fanIn in network.liveFanIns(of: node) {
            let weights = UnsafeMutableBufferPointer(start: weight, count: fanIn)
            initializeWeights(weights, fanIn: fanIn, isOutput: isOutput, using: &generator)
            weight += fanIn
        }
    }
}

extension Network {
    /// Whether a node is the main output or an auxiliary one.
    package func isOutput(_ node: String) -> Bool {
        node == nodes.last!.name || auxiliaryOutputs.contains { $0.node == node }
    }
}

extension SeededGenerator {
    /// Standard normal (Box and Muller).
    mutating func normal() -> Float {
        let radius = (-2 * log(1 - Double(uniform()))).squareRoot()
        return Float(radius * cos(2 * Double.pi * Double(uniform())))
    }
}
