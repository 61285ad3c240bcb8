import GossamerConnectivity
import GossamerTensors

/// The exact cost of a network, counted from its layers and connections; nothing is measured or estimated.
/// Auxiliary heads, which inference does not have, are counted apart.
public struct NetworkCost: Hashable, Sendable, Codable {
    public let network: String
    /// Trained parameters: weights, biases, and the scale and shift of batch normalisation.
    public let parameters: Int
    /// All but those of fully connected layers.
    public let parametersWithoutClassifier: Int
    /// The weights of convolutions: connections times kernel area.
    public let convolutionParameters: Int
    /// Running means and variances of batch normalisation: stored with the model, not trained.
    public let runningStatistics: Int
    /// Multiply-adds of convolutions and fully connected layers for one image.
    public let multiplyAdds: Int
    /// Connections in convolutions: pairs of an input channel and a filter.
    public let connections: Int
    /// Connections that the convolutions have if none is left out: all, or those of a layer's own fixed pattern.
    public let denseConnections: Int
    /// The fraction of the convolutions' possible connections that exist; 1 where there are none.
    public let density: Double
    /// Bytes of the trained parameters in 32-bit floats.
    public let weightBytes: Int
    /// Bytes of the connection tables in 32-bit integers; dense layers, and those of a fixed pattern, need none.
    public let indexBytes: Int
    /// Bytes of all nodes' outputs for one image in 32-bit floats.
    public let activationBytes: Int
    public let layers: [LayerCost]
    /// Of auxiliary heads; nil where there are none.
    public let auxiliary: AuxiliaryCost?

    public init(_ network: Network) {
        let all = zip(network.nodes, network.heads).map { (cost: LayerCost($0, in: network), head: $1) }
        let layers = all.filter { $0.head == nil }.map(\.cost)
        let heads = all.filter { $0.head != nil }.map(\.cost)
        auxiliary = heads.isEmpty ? nil : AuxiliaryCost(heads)
        func sum(_ value: (LayerCost) -> Int) -> Int { layers.reduce(0) { $0 + value($1) } }
        self.network = network.name
        self.layers = layers
        parameters = sum(\.parameters)
        parametersWithoutClassifier = sum { $0.isFullyConnected ? 0 : $0.parameters }
        convolutionParameters = sum { $0.isFullyConnected ? 0 : $0.weights }
        runningStatistics = sum(\.runningStatistics)
        multiplyAdds = sum(\.multiplyAdds)
        connections = sum { $0.connections ?? 0 }
        denseConnections = sum { $0.denseConnections ?? 0 }
        density = denseConnections == 0 ? 1 : Double(connections) / Double(denseConnections)
        weightBytes = sum(\.weightBytes)
        indexBytes = sum(\.indexBytes)
        activationBytes = sum(\.activationBytes)
    }
}

/// What auxiliary heads add to a network's cost in training.
public struct AuxiliaryCost: Hashable, Sendable, Codable {
    public let parameters: Int
    public let multiplyAdds: Int
    public let layers: [LayerCost]

    fileprivate init(_ layers: [LayerCost]) {
        self.layers = layers
        parameters = layers.reduce(0) { $0 + $1.parameters }
        multiplyAdds = layers.reduce(0) { $0 + $1.multiplyAdds }
    }
}

/// The exact cost of one layer.
public struct LayerCost: Hashable, Sendable, Codable {
    public let name: String
    /// As in ``Layer/kind``.
    public let layer: String
    public let output: Shape
    /// Trained parameters, of which `weights` are the kernels of a convolution or fully connected layer.
    public let parameters: Int
    public let weights: Int
    public let runningStatistics: Int
    /// For one image.
    public let multiplyAdds: Int
    /// Of convolutions only, like the other figures about connections.
    public let connections: Int?
    public let denseConnections: Int?
    public let density: Double?
    /// The fewest and the most input channels that a filter reads.
    public let smallestFanIn: Int?
    public let largestFanIn: Int?
    public let weightBytes: Int
    public let indexBytes: Int
    public let activationBytes: Int

    fileprivate var isFullyConnected: Bool { layer == Layer.fullyConnected(FullyConnected(units: 1)).kind }

    init(_ node: Node, in network: Network) {
        name = node.name
        layer = node.layer.kind
        output = network.shape(of: node.name)
        let weights: Int
        var others = 0
        var connections: Int?
        switch node.layer {
        case .convolution(let layer):
            connections = network.connectionCount(of: node)
            weights = connections! * layer.kernel.height * layer.kernel.width
            others = layer.bias ? layer.filters : 0
        case .fullyConnected(let layer):
            weights = network.inputShape(of: node).count * layer.units
            others = layer.bias ? layer.units : 0
        case .batchNormalization:
            weights = 0
            others = 2 * output.channels
        default:
            weights = 0
        }
        self.weights = weights
        parameters = weights + others
        if case .batchNormalization = node.layer { runningStatistics = others } else { runningStatistics = 0 }
        multiplyAdds = weights * output.height * output.width
        weightBytes = 4 * parameters
        activationBytes = 4 * output.count
        self.connections = connections
        let table = network.connections[node.name]
        let fixed = network.fixedTable(of: node)
        indexBytes = table == fixed ? 0 : table.map { 4 * ($0.count + $0.outputCount + 1) } ?? 0
        guard let connections else {
            (denseConnections, density, smallestFanIn, largestFanIn) = (nil, nil, nil, nil)
            return
        }
        let inputs = network.inputShape(of: node).channels
        let fanIns = table.map { table in (0 ..< table.outputCount).map { table.fanIn(of: $0) } }
        let dense = fixed.map { max($0.count, connections) } ?? inputs * output.channels
        denseConnections = dense
        density = Double(connections) / Double(dense)
        smallestFanIn = fanIns?.min() ?? inputs
        largestFanIn = fanIns?.max() ?? inputs
    }
}

extension Network {
    /// The weights that feed one value of each filter or unit of a convolution or fully connected layer: connections
    /// times kernel area. Initialisation scales with it. Empty for other layers.
    public func liveFanIns(of node: Node) -> [Int] {
        switch node.layer {
        case .convolution(let layer):
            let area = layer.kernel.height * layer.kernel.width
            if let table = connections[node.name] {
                return (0 ..< table.outputCount).map { table.fanIn(of: $0) * area }
            }
            return Array(repeating: inputShape(of: node).channels * area, count: layer.filters)
        case .fullyConnected(let layer):
            return Array(repeating: inputShape(of: node).count, count: layer.units)
        default:
            return []
        }
    }
}
