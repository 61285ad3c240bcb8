import GossamerConnectivity

extension Network {
    /// Keeps some connections of its convolutions, and removes those channels too that are left without a path from the
    /// image or on to the output. Auxiliary heads go.
    ///
    /// - Parameter kept: for convolutions by name, which of their connections stay, in the table's order; the others
    ///   keep all.
    /// - Throws: ``NetworkError`` where an output loses its last path from the image.
    public func pruned(keeping kept: [String: [Bool]]) throws(NetworkError) -> PrunedNetwork {
        let old = withoutAuxiliaryHeads
        let flow = ChannelFlow(old)
        var rows: [Int: [[Int]]] = [:]
        for (index, node) in old.nodes.enumerated() {
            guard case .convolution = node.layer, kept[node.name] != nil || connections[node.name] != nil else {
                continue
            }
            let table = old.connectionTable(of: node)
            let stays = kept[node.name] ?? [Bool](repeating: true, count: table.count)
            precondition(stays.count == table.count, "a word for each connection of '\(node.name)'")
            rows[index] = (0 ..< table.outputCount).map { filter in
                let row = Int(table.rowStarts[filter]) ..< Int(table.rowStarts[filter + 1])
                return row.filter { stays[$0] }.map { Int(table.inputs[$0]) }
            }
        }
        let liveness = ChannelLiveness(flow, rows: rows)
        let last = old.nodes.count - 1
        let lost = liveness.isReached[last].count { !$0 }
        guard lost == 0 else {
            throw NetworkError(
                node: old.nodes[last].name,
                "pruning leaves \(lost) of \(outputShape.channels) outputs without a path from the image")
        }
        let left = try DeadChannelRemoval.apply(flow, liveness, rows: rows, taken: [])
        return PrunedNetwork(
            network: left.network, removed: liveness.removedChannels, old: old, channels: left.channels)
    }
}

/// A network without some of its connections, and where what is left was before.
public struct PrunedNetwork: Sendable {
    public let network: Network
    /// The layers that lost filters, in the order of the nodes.
    public let removed: [RemovedChannels]
    let old: Network
    /// The channels left of each node of the old network.
    let channels: [String: [Int]]

    /// Where the parts of a parameter were: the kernels of connections, or one value for each channel.
    ///
    /// - Parameter entry: of the new network's layout; the old layout has one of the same node and role.
    /// - Returns: for each part in order its place among the old parameter's parts.
    public func sources(of entry: ParameterLayout.Entry) -> [Int] {
        let outputs = channels[entry.node]!
        guard entry.role == .kernel else { return outputs }
        let node = old.nodes[old.index(of: entry.node)!]
        let inputs = channels[node.inputs[0]]!
        let inputCount = old.inputShape(of: node).channels
        guard case .convolution = node.layer, let table = old.connections[node.name] else {
            return kept(of: entry, inputs: inputs).map { outputs[$0] * inputCount + $1 }
        }
        var places: [Int: Int] = [:]
        var row = -1
        return kept(of: entry, inputs: inputs).map { filter, input in
            if filter != row {
                row = filter
                let start = Int(table.rowStarts[outputs[filter]])
                places = Dictionary(uniqueKeysWithValues: table.inputs(of: outputs[filter]).enumerated().map {
                    (Int($1), start + $0)
                })
            }
            return places[input]!
        }
    }

    /// The new connections in order, each as its new filter and its old input channel.
    private func kept(of entry: ParameterLayout.Entry, inputs: [Int]) -> [(filter: Int, input: Int)] {
        let node = network.nodes[network.index(of: entry.node)!]
        guard let table = network.connections[node.name] else {
            return (0 ..< network.shape(of: node.name).channels).flatMap { filter in
                inputs.map { (filter, $0) }
            }
        }
        return (0 ..< table.outputCount).flatMap { filter in
            table.inputs(of: filter).map { (filter, inputs[Int($0)]) }
        }
    }
}
