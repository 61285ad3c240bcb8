import CGossamerKernels
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// Turns a network's nodes into values and operations, shared by training and inference.
///
/// A node whose work another operation takes along (a ReLU after a convolution) has the same value as its input.
struct Lowering {
    let network: Network
    let lanes: Int
    let capacity: Int
    /// The layout of each value; value 0 is the network's input.
    private(set) var layouts: [ActivationLayout] = []
    /// The value of each node so far.
    private(set) var values: [String: Int] = [:]
    private let consumers: [[Int]]

    init(_ network: Network, lanes: Int, capacity: Int) throws(ExecutionError) {
        try Self.checkTables(of: network)
        self.network = network
        self.lanes = lanes
        self.capacity = capacity
        consumers = network.consumers()
        _ = makeValue(for: network.nodes[0])
    }

    /// Kernels number connections in 32 bits and channels in 16: a table and its transpose take eight bytes a connection.
    private static func checkTables(of network: Network) throws(ExecutionError) {
        var total = 0
        for node in network.nodes {
            guard node.layer.hasConnections else { continue }
            let count = network.connectionCount(of: node)
            guard count <= Int(Int32.max) else {
                throw ExecutionError(node: node.name, "a layer may have at most 2^31 - 1 connections, it has \(count)")
            }
            total += count
            let channels = max(network.shape(of: node.inputs[0]).channels, network.shape(of: node.name).channels)
            guard channels <= 1 << 16 else {
                throw ExecutionError(node: node.name, "a layer may have at most 65,536 channels on either side")
            }
        }
        try requireMemory(byteCount: 8 * total, for: "the connections of '\(network.name)'")
    }

    /// Gives a node a value of its own.
    mutating func makeValue(for node: Node) -> Int {
        layouts.append(ActivationLayout(shape: network.shape(of: node.name), lanes: lanes))
        values[node.name] = layouts.count - 1
        return layouts.count - 1
    }

    /// Makes a node's value that of an operation made for an earlier node.
    mutating func alias(_ node: Node, to value: Int) { values[node.name] = value }

    func inputs(of node: Node) -> [Int] { node.inputs.map { values[$0]! } }

    /// The only reader of a node, if it is of the wanted kind: what may be fused into the node's operation.
    func onlyConsumer(of node: Node, where matches: (Layer) -> Bool) -> Node? {
        let readers = consumers[network.index(of: node.name)!]
        guard readers.count == 1 else { return nil }
        let reader = network.nodes[readers[0]]
        return matches(reader.layer) ? reader : nil
    }

    /// Lets an operation do the ReLU that alone reads it.
    mutating func takeReLU(after node: Node, value: Int) -> Bool {
        guard let relu = onlyConsumer(of: node, where: { $0 == .relu }) else { return false }
        alias(relu, to: value)
        return true
    }

    /// The operations that training and inference share; nil for layers that each lowers in its own way.
    mutating func sharedOperation(
        for node: Node, isTraining: Bool
    ) throws(ExecutionError) -> (any DifferentiableOperation)? {
        let inputs = inputs(of: node)
        switch node.layer {
        case .relu:
            let output = makeValue(for: node)
            return ReLUOperation(name: node.name, inputs: inputs, output: output, layout: layouts[output])
        case .maxPooling(let layer):
            guard layer.kernel.height <= 15, layer.kernel.width <= 15 else {
                throw ExecutionError(node: node.name, "max pooling windows may be at most 15 x 15 pixels")
            }
            let output = makeValue(for: node)
            return MaxPoolingOperation(
                name: node.name, input: inputs[0], output: output, inputLayout: layouts[inputs[0]],
                outputLayout: layouts[output], geometry: network.geometry(of: node)!, imageCapacity: capacity,
                isTraining: isTraining)
        case .averagePooling, .globalAveragePooling:
            return averagePooling(node, inputs)
        case .addition:
            let output = makeValue(for: node)
            return AdditionOperation(
                name: node.name, inputs: inputs, output: output, layout: layouts[output],
                appliesReLU: takeReLU(after: node, value: output))
        case .concatenation:
            let output = makeValue(for: node)
            return ConcatenationOperation(
                name: node.name, inputs: inputs, output: output, inputLayouts: inputs.map { layouts[$0] },
                outputLayout: layouts[output])
        case .channelSelection(let channels):
            let output = makeValue(for: node)
            return ChannelSelectionOperation(
                name: node.name, inputs: inputs, output: output, channels: channels, inputLayout: layouts[inputs[0]],
                outputLayout: layouts[output])
        case .input, .convolution, .fullyConnected, .batchNormalization, .dropout:
            return nil
        }
    }

    private mutating func averagePooling(_ node: Node, _ inputs: [Int]) -> AveragePoolingOperation {
        let countsPadding = if case .averagePooling(_, let counts) = node.layer { counts } else { false }
        let output = makeValue(for: node)
        return AveragePoolingOperation(
            name: node.name, inputs: inputs, output: output, inputLayout: layouts[inputs[0]],
            outputLayout: layouts[output],
            pooling: gsm_pooling(network.geometry(of: node)!, countsPadding: countsPadding))
    }

    /// The convolution of a node as the kernels see it; a fully connected layer's kernel covers the whole image.
    func descriptor(for node: Node, input: Int, output: Int, transposes: Bool) -> ConvolutionDescriptor {
        ConvolutionDescriptor(
            geometry: network.geometry(of: node)!, table: network.connectionTable(of: node), input: layouts[input],
            output: layouts[output], transposes: transposes)
    }
}

extension Layer {
    fileprivate var hasConnections: Bool {
        switch self {
        case .convolution, .fullyConnected: true
        default: false
        }
    }
}

/// Why a network cannot be compiled, or a plan cannot take what it is given.
public struct ExecutionError: Error, Hashable, CustomStringConvertible {
    public let node: String?
    public let message: String

    public init(node: String? = nil, _ message: String) {
        self.node = node
        self.message = message
    }

    public var description: String { node.map { "node '\($0)': \(message)" } ?? message }
}
