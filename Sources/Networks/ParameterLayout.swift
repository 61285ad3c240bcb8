import GossamerConnectivity
import GossamerTensors

/// Where each parameter of a network lies in one contiguous buffer.
///
/// Weights, gradients and optimizer state of a network share this layout, so that an optimizer step is one pass over
/// memory. A sparse convolution owns its connections' kernels and nothing else.
public struct ParameterLayout: Hashable, Sendable {
    public enum Role: Hashable, Sendable {
        case kernel, bias, scale, shift
        /// Running statistics of batch normalisation: part of the model, never of the gradient.
        case runningMean, runningVariance

        /// Weight decay pulls on kernels only, not on biases and batch normalisation.
        public var decays: Bool { self == .kernel }
        public var isTrained: Bool { self != .runningMean && self != .runningVariance }
    }

    public struct Entry: Hashable, Sendable {
        public let name: String
        public let node: String
        public let role: Role
        /// Kernels: [connection, height, width]; others: [channel].
        public let shape: [Int]
        /// Offset in floats into the buffer of trained parameters, or of running statistics.
        public let offset: Int
        public let count: Int
    }

    /// Entries of the buffer of trained parameters, kernels and others in the order of the nodes.
    public let trained: [Entry]
    /// Entries of the buffer of running statistics.
    public let statistics: [Entry]
    /// Floats of each buffer; every entry starts on a 64-byte boundary.
    public let trainedCount: Int
    public let statisticsCount: Int

    public init(_ network: Network) {
        var trained: [Entry] = []
        var statistics: [Entry] = []
        var trainedEnd = 0
        var statisticsEnd = 0
        for node in network.nodes {
            for (suffix, role, shape) in Self.parameters(of: node, in: network) {
                let count = shape.reduce(1, *)
                let offset = role.isTrained ? trainedEnd : statisticsEnd
                let entry = Entry(
                    name: "\(node.name).\(suffix)", node: node.name, role: role, shape: shape, offset: offset,
                    count: count)
                let end = (offset + count + 15) / 16 * 16
                if role.isTrained {
                    trained.append(entry)
                    trainedEnd = end
                } else {
                    statistics.append(entry)
                    statisticsEnd = end
                }
            }
        }
        self.trained = trained
        self.statistics = statistics
        trainedCount = trainedEnd
        statisticsCount = statisticsEnd
    }

    /// All entries, those of running statistics last.
    public var all: [Entry] { trained + statistics }

    /// The entry of a node's parameter, nil where the node has none of this role.
    public func entry(_ node: String, _ role: Role) -> Entry? {
        (role.isTrained ? trained : statistics).first { $0.node == node && $0.role == role }
    }

    private static func parameters(of node: Node, in network: Network) -> [(String, Role, [Int])] {
        switch node.layer {
        case .convolution(let layer):
            let connections = network.connectionCount(of: node)
            let kernel = ("weight", Role.kernel, [connections, layer.kernel.height, layer.kernel.width])
            return layer.bias ? [kernel, ("bias", .bias, [layer.filters])] : [kernel]
        case .fullyConnected(let layer):
            let input = network.inputShape(of: node)
            let kernel = ("weight", Role.kernel, [layer.units * input.channels, input.height, input.width])
            return layer.bias ? [kernel, ("bias", .bias, [layer.units])] : [kernel]
        case .batchNormalization:
            let channels = [network.shape(of: node.name).channels]
            return [
                ("weight", .scale, channels), ("bias", .shift, channels),
                ("running_mean", .runningMean, channels), ("running_var", .runningVariance, channels),
            ]
        default:
            return []
        }
    }
}

extension Network {
    /// Connections of a convolution, without drawing up a dense table.
    public func connectionCount(of node: Node) -> Int {
        connections[node.name]?.count ?? inputShape(of: node).channels * shape(of: node.name).channels
    }
}
