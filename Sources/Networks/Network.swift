import GossamerConnectivity
import GossamerTensors

/// One layer in a network, with the names of the nodes it reads.
public struct Node: Hashable, Sendable {
    public let name: String
    public let layer: Layer
    public let inputs: [String]

    public init(name: String, layer: Layer, inputs: [String]) {
        self.name = name
        self.layer = layer
        self.inputs = inputs
    }
}

/// A network as data: nodes in topological order, from one image to one output.
///
/// The first node is the input, the last one the output; every other node is read by a later one, or is the end of an
/// auxiliary head. Shapes are inferred and checked when the network is made, so that a `Network` that exists is
/// consistent.
public struct Network: Hashable, Sendable {
    public let name: String
    public let nodes: [Node]
    /// The connections of convolutions that are not dense, by node name. Those that a layer's own fixed pattern gives,
    /// as in a depthwise convolution, are filled in when the network is made.
    public let connections: [String: ConnectionTable]
    /// More outputs, in the order of the nodes, for training alone.
    public let auxiliaryOutputs: [AuxiliaryOutput]
    /// The shape that each node produces, in the order of `nodes`.
    public let shapes: [Shape]
    let indices: [String: Int]
    /// For each node the auxiliary output that alone it leads to, by position; nil on the main path.
    let heads: [Int?]

    /// - Throws: ``NetworkError`` naming the node and what was expected.
    public init(
        name: String, nodes: [Node], connections: [String: ConnectionTable] = [:],
        auxiliaryOutputs: [AuxiliaryOutput] = []
    ) throws(NetworkError) {
        try self.init(
            name: name, nodes: nodes, connections: connections, auxiliaryOutputs: auxiliaryOutputs,
            largestPatternCount: ConnectionTable.largestCount)
    }

    /// - Parameter largestPatternCount: the most connections that layers' own patterns may make together.
    init(
        name: String, nodes: [Node], connections: [String: ConnectionTable] = [:],
        auxiliaryOutputs: [AuxiliaryOutput], largestPatternCount: Int
    ) throws(NetworkError) {
        self.name = name
        self.nodes = nodes
        self.auxiliaryOutputs = auxiliaryOutputs
        (indices, shapes) = try ShapeInference.infer(nodes, ends: Set(auxiliaryOutputs.map(\.node)))
        heads = try AuxiliaryHeads.find(auxiliaryOutputs, nodes: nodes, shapes: shapes, indices: indices)
        try ShapeInference.checkConnections(connections, nodes: nodes, shapes: shapes, indices: indices)
        self.connections = try Self.addingFixedPatterns(
            to: connections, nodes: nodes, shapes: shapes, indices: indices, atMost: largestPatternCount)
    }

    /// Adds the connections that layers' own fixed patterns give. All are counted before any is made, also those that
    /// others take the place of: a few words of a file must not ask for more than memory holds.
    private static func addingFixedPatterns(
        to connections: [String: ConnectionTable], nodes: [Node], shapes: [Shape], indices: [String: Int],
        atMost largestCount: Int
    ) throws(NetworkError) -> [String: ConnectionTable] {
        var layers: [(name: String, layer: Convolution, channels: Int)] = []
        var count = 0
        for node in nodes {
            guard case .convolution(let layer) = node.layer, let pattern = layer.pattern, pattern.isFixed
            else { continue }
            let channels = shapes[indices[node.inputs[0]]!].channels
            count += pattern.connectionCount(channels: channels, filters: layer.filters)
            guard count <= largestCount else {
                throw NetworkError(
                    node: node.name,
                    "with its '\(pattern)' the patterns of layers make \(count) connections, the most is "
                        + "\(largestCount)")
            }
            layers.append((node.name, layer, channels))
        }
        var all = connections
        for (name, layer, channels) in layers where all[name] == nil {
            all[name] = layer.fixedTable(channels: channels)
        }
        return all
    }

    public var inputShape: Shape { shapes[0] }
    public var outputShape: Shape { shapes[shapes.count - 1] }

    public func index(of name: String) -> Int? { indices[name] }

    /// The shape that a node produces. The node must exist.
    public func shape(of name: String) -> Shape { shapes[indices[name]!] }

    /// The shape of a node's first input. The node must have one.
    public func inputShape(of node: Node) -> Shape { shape(of: node.inputs[0]) }

    /// The nodes that read each node, by the index of the node read.
    public func consumers() -> [[Int]] {
        var result = [[Int]](repeating: [], count: nodes.count)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { result[indices[input]!].append(index) }
        }
        return result
    }

    /// The connections of a convolution, dense where none are stored.
    public func connectionTable(of node: Node) -> ConnectionTable {
        connections[node.name]
            ?? .dense(inputCount: inputShape(of: node).channels, outputCount: shape(of: node.name).channels)
    }

    /// Whether nothing was drawn or removed: all connections are those of dense layers and of their own fixed patterns.
    public var hasFixedConnectionsOnly: Bool {
        nodes.allSatisfy { connections[$0.name] == fixedTable(of: $0) }
    }

    /// The connections that a convolution's own fixed pattern gives it; nil for all others.
    public func fixedTable(of node: Node) -> ConnectionTable? {
        guard case .convolution(let layer) = node.layer else { return nil }
        return layer.fixedTable(channels: inputShape(of: node).channels)
    }

    /// The network without a softmax at its end, of the same parameters: for a loss that takes the softmax itself.
    public var withoutFinalSoftmax: Network {
        var left = nodes[...]
        // The node before is the one that it reads, unless an auxiliary head lies between.
        while let last = left.last, last.layer == .softmax, left.dropLast().last?.name == last.inputs[0] {
            left.removeLast()
        }
        guard left.count < nodes.count else { return self }
        // What would read the new last node lay between as well, so that what is left is consistent.
        return try! Network(
            name: name, nodes: Array(left), connections: connections, auxiliaryOutputs: auxiliaryOutputs)
    }

    /// Input and output sizes of a convolution's or pooling's window.
    public func geometry(of node: Node) -> WindowGeometry? {
        let input = node.inputs.isEmpty ? shapes[0] : inputShape(of: node)
        return node.layer.geometry(input: input)
    }
}

extension Layer {
    /// The window of a convolution, pooling or fully connected layer on an input; nil for other layers and where the
    /// window does not fit. A fully connected layer is a convolution whose kernel covers the whole image.
    public func geometry(input: Shape) -> WindowGeometry? {
        let size = Size(height: input.height, width: input.width)
        switch self {
        case .convolution(let layer):
            return WindowGeometry(
                kernel: layer.kernel, stride: layer.stride, padding: layer.padding, dilation: layer.dilation,
                input: size)
        case .maxPooling(let layer), .averagePooling(let layer, _):
            return WindowGeometry(kernel: layer.kernel, stride: layer.stride, padding: layer.padding, input: size)
        case .globalAveragePooling, .fullyConnected:
            return WindowGeometry(kernel: size, stride: Size(1), padding: .valid, input: size)
        default:
            return nil
        }
    }
}

/// What is wrong with a network: the node, and what was expected.
public struct NetworkError: Error, Hashable, CustomStringConvertible {
    public let node: String?
    public let message: String

    public init(node: String? = nil, _ message: String) {
        self.node = node
        self.message = message
    }

    public var description: String { node.map { "node '\($0)': \(message)" } ?? message }
}
