import GossamerConnectivity

/// Some connections of a network, and the channels that have a path through them: what is trained while connections
/// come and go.
///
/// The base keeps the numbers of all channels, those without a path too, so that growing connections can bring them
/// back.
public struct Subnetwork: Sendable {
    /// The network that all connections are part of, without auxiliary heads.
    public let base: Network
    /// By name, the connections of those convolutions that lack some of the base's or of all; of channels with a path
    /// alone, in the base's numbers.
    public let connections: [String: ConnectionTable]
    /// The base with these connections, and without channels that have no path from the image or to the output.
    public let network: Network
    /// The channels of each of the base's nodes that are left, ascending. Nodes that are left keep their names.
    public let channels: [String: [Int]]
    /// The layers without some of the base's filters, in the order of the nodes.
    public let removed: [RemovedChannels]

    /// All of a network but its auxiliary heads.
    public init(all network: Network) {
        base = network.withoutAuxiliaryHeads
        self.network = base
        connections = base.connections
        channels = Dictionary(uniqueKeysWithValues: zip(base.nodes, base.shapes).map {
            ($0.name, Array(0 ..< $1.channels))
        })
        removed = []
    }

    /// - Parameters:
    ///   - base: auxiliary heads are left out.
    ///   - connections: of convolutions by name, in the base's numbers; others keep those that the base has.
    /// - Throws: ``NetworkError`` where an output has no path from the image.
    public init(of base: Network, connections: [String: ConnectionTable]) throws(NetworkError) {
        let base = base.withoutAuxiliaryHeads
        let flow = ChannelFlow(base)
        var tables: [Int: ConnectionTable] = [:]
        for (index, node) in base.nodes.enumerated() {
            tables[index] = connections[node.name] ?? base.connections[node.name]
        }
        let liveness = ChannelLiveness(flow, tables: tables)
        let last = base.nodes.count - 1
        let lost = liveness.isReached[last].count { !$0 }
        guard lost == 0 else {
            throw NetworkError(
                node: base.nodes[last].name,
                "the connections leave \(lost) of \(base.outputShape.channels) outputs without a path from the image")
        }
        let left = try DeadChannelRemoval.apply(flow, liveness, tables: tables, taken: [])
        self.init(base: base, left, removed: liveness.removedChannels, sparse: tables.keys.map { base.nodes[$0].name })
    }

    /// - Parameter sparse: the convolutions whose connections are stored.
    private init(base: Network, _ left: DeadChannelRemoval.Result, removed: [RemovedChannels], sparse: [String]) {
        self.base = base
        network = left.network
        channels = left.channels
        self.removed = removed
        var connections: [String: ConnectionTable] = [:]
        for name in sparse {
            guard let index = left.network.index(of: name) else {
                let node = base.nodes[base.index(of: name)!]
                connections[name] = ConnectionTable(
                    inputCount: base.inputShape(of: node).channels,
                    rows: Array(repeating: [], count: base.shape(of: name).channels))
                continue
            }
            let node = left.network.nodes[index]
            connections[name] = Self.renumbered(
                left.network.connectionTable(of: node), of: name, base: base, channels: left.channels)
        }
        self.connections = connections
    }

    private static func renumbered(
        _ table: ConnectionTable, of name: String, base: Network, channels: [String: [Int]]
    ) -> ConnectionTable {
        let node = base.nodes[base.index(of: name)!]
        return table.renumbered(
            filters: channels[name]!, of: base.shape(of: name).channels, channels: channels[node.inputs[0]]!,
            of: base.inputShape(of: node).channels)
    }

    /// The subnetwork with other connections of some convolutions.
    ///
    /// - Parameter tables: by name, in the numbers of ``network``; other convolutions keep theirs.
    /// - Throws: ``NetworkError`` where an output loses its last path from the image.
    public func replacing(_ tables: [String: ConnectionTable]) throws(NetworkError) -> Subnetwork {
        var connections = connections
        for (name, table) in tables {
            connections[name] = Self.renumbered(table, of: name, base: base, channels: channels)
        }
        return try Subnetwork(of: base, connections: connections)
    }

    /// The subnetwork without some of its connections.
    ///
    /// - Parameter kept: for convolutions by name, which of their connections in ``network`` stay, in the table's
    ///   order; the others keep all.
    /// - Throws: ``NetworkError`` where an output loses its last path from the image.
    public func keeping(_ kept: [String: [Bool]]) throws(NetworkError) -> Subnetwork {
        var tables: [String: ConnectionTable] = [:]
        for (name, stays) in kept {
            let table = network.connectionTable(of: network.nodes[network.index(of: name)!])
            precondition(stays.count == table.count, "a word for each connection of '\(name)'")
            tables[name] = table.keeping(stays)
        }
        return try replacing(tables)
    }

    /// The base with the connections of the subnetwork, in the base's numbers: what a file needs to hold of it.
    package var baseWithConnections: Network {
        // The tables have the base's sizes.
        try! Network(name: base.name, nodes: base.nodes, connections: connections)
    }
}

extension Subnetwork {
    /// Draws connections from a seed, as ``Network/sparsified(with:seed:distribution:)`` does with a random pattern.
    ///
    /// - Throws: ``NetworkError`` when the network has connections already, and when an output has no path from the
    ///   image.
    public init(drawing budget: ConnectionBudget, of network: Network, seed: UInt64) throws(NetworkError) {
        guard network.hasFixedConnectionsOnly else {
            throw NetworkError("network '\(network.name)' has its connections already; a pattern is drawn only once")
        }
        try self.init(drawing: budget, of: network.withoutAuxiliaryHeads, holding: [:], seed: seed)
    }

    /// The subnetwork with more connections, drawn at random: each layer gets those that the budget gives it besides
    /// what it has, first to channels that are not read and filters that read least.
    ///
    /// - Throws: ``NetworkError`` when the drawing does not fit.
    public func grown(to budget: ConnectionBudget, seed: UInt64) throws(NetworkError) -> Subnetwork {
        try Subnetwork(drawing: budget, of: base, holding: connections, seed: seed)
    }

    private init(
        drawing budget: ConnectionBudget, of base: Network, holding held: [String: ConnectionTable], seed: UInt64
    ) throws(NetworkError) {
        var tables: [Int: ConnectionTable] = [:]
        for (name, table) in held where base.fixedTable(of: base.nodes[base.index(of: name)!]) == nil {
            tables[base.index(of: name)!] = table
        }
        var drawing = ConnectionDrawing(ChannelFlow(base), rule: .budget(budget, held: tables), seed: seed)
        try drawing.run()
        var connections: [String: ConnectionTable] = [:]
        for (index, table) in drawing.tables { connections[base.nodes[index].name] = table }
        try self.init(of: base, connections: connections)
    }
}
