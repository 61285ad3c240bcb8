import GossamerConnectivity
import GossamerNetworks

/// Chooses the connections that pruning keeps.
struct ConnectionSelection {
    let network: Network
    let pruning: Pruning
    /// The layers that are pruned, as far as they are left, with the number of connections that they began with.
    let layers: [(node: Node, initialCount: Int)]
    /// By layer: a score for each connection, in the table's order.
    let scores: [String: [Double]]

    /// Connections of a block of filters to one channel, which stay or go together.
    private struct Unit {
        let layer: Int
        let block: Int
        let connections: [Int]
        let score: Double
    }

    /// - Parameter density: the share of the initial connections to keep.
    /// - Returns: by layer, whether each connection stays.
    func kept(density: Double) -> [String: [Bool]] {
        var kept = layers.map { [Bool](repeating: false, count: network.connectionCount(of: $0.node)) }
        let units = layers.indices.map(units(of:))
        switch pruning.scope {
        case .uniform:
            for (layer, units) in units.enumerated() {
                // The best of each block of filters first, then by score.
                var hasOne: Set<Int> = []
                let first = Set(units.indices.filter { hasOne.insert(units[$0].block).inserted })
                let order = units.indices.filter(first.contains) + units.indices.filter { !first.contains($0) }
                let target = share(density, of: layers[layer].initialCount)
                keep(order.map { units[$0] }, target: target, atLeast: first.count, &kept)
            }
        case .global:
            let firsts = units.compactMap(\.first)
            let others = units.flatMap { $0.dropFirst() }.sorted(by: precedes)
            let all = layers.reduce(0) { $0 + $1.initialCount }
            // Each layer's best stays, whatever the others score.
            keep(firsts + others, target: share(density, of: all), atLeast: firsts.count, &kept)
        }
        return Dictionary(uniqueKeysWithValues: zip(layers.map(\.node.name), kept))
    }

    private func share(_ density: Double, of count: Int) -> Int { Int((density * Double(count)).rounded(.up)) }

    private func keep(_ units: [Unit], target: Int, atLeast minimum: Int, _ kept: inout [[Bool]]) {
        var count = 0
        for (position, unit) in units.enumerated() {
            guard position < minimum || count + unit.connections.count <= target else { return }
            for connection in unit.connections { kept[unit.layer][connection] = true }
            count += unit.connections.count
        }
    }

    /// A layer's units, best first.
    private func units(of layer: Int) -> [Unit] {
        let node = layers[layer].node
        let table = network.connectionTable(of: node)
        let scores = scores[node.name]!
        var units: [Unit] = []
        for block in 0 ..< (table.outputCount + pruning.block - 1) / pruning.block {
            var members: [Int32: [Int]] = [:]
            let filters = block * pruning.block ..< min(table.outputCount, (block + 1) * pruning.block)
            for connection in Int(table.rowStarts[filters.lowerBound]) ..< Int(table.rowStarts[filters.upperBound]) {
                members[table.inputs[connection], default: []].append(connection)
            }
            units += members.sorted { $0.key < $1.key }.map { _, connections in
                let mean = connections.reduce(0) { $0 + scores[$1] } / Double(connections.count)
                return Unit(layer: layer, block: block, connections: connections, score: mean)
            }
        }
        return units.sorted(by: precedes)
    }

    /// By falling score; of equal ones the earlier connection.
    private func precedes(_ a: Unit, _ b: Unit) -> Bool {
        (-a.score, a.layer, a.connections[0]) < (-b.score, b.layer, b.connections[0])
    }
}
