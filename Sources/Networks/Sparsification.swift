import GossamerConnectivity

extension Network {
    /// Draws the connections of every convolution with a pattern, and removes what they leave without use.
    ///
    /// Convolutions with a pattern of their own are drawn with that; fully connected layers keep all their connections.
    /// All convolutions that read one tensor draw jointly, so that each of its channels gets a reader as long as there
    /// are slots. Then every channel without a path back to the image or on to the output is removed, with its
    /// connections, bias and batch-norm entry, and so is what only it kept alive. The image keeps all its channels.
    ///
    /// The main path is drawn as if it stood alone; then each auxiliary head, on the channels that were kept of the
    /// tensor that it reads.
    ///
    /// - Parameters:
    ///   - seed: the same seed draws the same connections, on every machine.
    ///   - distribution: of connections among layers; another than the uniform one goes with random patterns.
    /// - Throws: ``NetworkError`` when the network has connections already, when the pattern's answer does not fit, and
    ///   when it leaves an output without a path from the image.
    public func sparsified(
        with pattern: some ConnectionPattern, seed: UInt64, distribution: ConnectionDistribution = .uniform
    ) throws(NetworkError) -> SparsifiedNetwork {
        guard hasFixedConnectionsOnly else {
            throw NetworkError("network '\(name)' has its connections already; a pattern is drawn only once")
        }
        let rule = try distribution.rule(for: pattern)
        guard auxiliaryOutputs.isEmpty else { return try sparsifiedWithHeads(rule, seed: seed) }
        return try drawn(by: rule, seed: seed).result
    }

    /// - Parameter taken: names that new nodes must not have.
    private func drawn(
        by rule: ConnectionDrawing.Rule, seed: UInt64, taken: Set<String> = []
    ) throws(NetworkError) -> (result: SparsifiedNetwork, tensors: [String: String]) {
        let flow = ChannelFlow(self)
        var drawing = ConnectionDrawing(flow, rule: rule, seed: seed)
        try drawing.run()
        let tables = drawing.tables
        let liveness = ChannelLiveness(flow, tables: tables)
        let last = nodes.count - 1
        let lost = liveness.isReached[last].count { !$0 }
        guard lost == 0 else {
            throw NetworkError(
                node: nodes[last].name,
                "pattern '\(rule)' leaves \(lost) of \(outputShape.channels) outputs without a path from the image")
        }
        let left = try DeadChannelRemoval.apply(flow, liveness, tables: tables, taken: taken)
        return (SparsifiedNetwork(network: left.network, removed: liveness.removedChannels), left.tensors)
    }

    private func sparsifiedWithHeads(
        _ rule: ConnectionDrawing.Rule, seed: UInt64
    ) throws(NetworkError) -> SparsifiedNetwork {
        let (main, tensors) = try withoutAuxiliaryHeads.drawn(by: rule, seed: seed, taken: Set(indices.keys))
        var nodes = main.network.nodes
        var connections = main.network.connections
        var removed = main.removed
        var outputs: [AuxiliaryOutput] = []
        for (number, output) in auxiliaryOutputs.enumerated() {
            let head = auxiliaryHead(number)
            guard let source = tensors[head.source] else {
                throw NetworkError(
                    node: head.source, "pattern '\(rule)' leaves nothing of what '\(output.node)' reads")
            }
            let input = Node(name: source, layer: .input(main.network.shape(of: source)), inputs: [])
            let members = head.nodes.map { node in
                Node(name: node.name, layer: node.layer, inputs: node.inputs.map { $0 == head.source ? source : $0 })
            }
            let (drawn, names) = try Network(name: name, nodes: [input] + members).drawn(
                by: rule, seed: seed, taken: Set(indices.keys).union(nodes.map(\.name)))
            let position = nodes.firstIndex { $0.name == source }!
            nodes.insert(contentsOf: drawn.network.nodes.dropFirst(), at: position + 1)
            connections.merge(drawn.network.connections) { $1 }
            removed += drawn.removed
            outputs.append(AuxiliaryOutput(node: names[output.node]!, weight: output.weight))
        }
        let network = try Network(name: name, nodes: nodes, connections: connections, auxiliaryOutputs: outputs)
        return SparsifiedNetwork(network: network, removed: removed)
    }
}

extension ConnectionDistribution {
    /// What draws a pattern whose connections are so distributed.
    fileprivate func rule(for pattern: some ConnectionPattern) throws(NetworkError) -> ConnectionDrawing.Rule {
        if self == .uniform { return .pattern(pattern) }
        guard case .random(let density, let block) = pattern as? Pattern else {
            throw NetworkError("distribution '\(rawValue)': expected a pattern such as random:0.1, not '\(pattern)'")
        }
        return .budget(ConnectionBudget(density: density, distribution: self, block: block), held: [:])
    }
}

/// A network whose connections were drawn, and what had to be removed from it.
public struct SparsifiedNetwork: Hashable, Sendable {
    public let network: Network
    /// The convolutions, and fully connected layers, that lost filters, in the order of the nodes.
    public let removed: [RemovedChannels]

    init(network: Network, removed: [RemovedChannels]) {
        self.network = network
        self.removed = removed
    }

    /// What is left of a subnetwork's base.
    public init(_ subnetwork: Subnetwork) {
        self.init(network: subnetwork.network, removed: subnetwork.removed)
    }

    /// One line for each layer that lost filters, for reports; empty where nothing was removed.
    public var report: [String] { removed.map(\.description) }
}

/// Filters of a layer that were removed because nothing reads them or nothing feeds them.
public struct RemovedChannels: Hashable, Sendable, CustomStringConvertible {
    public let node: String
    /// Their indices in the network before, ascending.
    public let channels: [Int]
    /// The number of filters before.
    public let total: Int

    init(node: String, channels: [Int], of total: Int) {
        self.node = node
        self.channels = channels
        self.total = total
    }

    public var description: String {
        "\(node): \(channels.count) of \(total) filters removed, without a path from the image or to the output"
    }
}
