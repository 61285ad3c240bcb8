import GossamerConnectivity
import GossamerNetworks

/// A convolution whose connections come and go.
struct ChangingLayer {
    let node: Node
    let table: ConnectionTable
    /// The filters that share their channels: runs of the base's filters, as far as they are left.
    let blocks: [Range<Int>]

    init(_ name: String, of subnetwork: Subnetwork, block: Int) {
        node = subnetwork.network.nodes[subnetwork.network.index(of: name)!]
        table = subnetwork.network.connectionTable(of: node)
        var blocks: [Range<Int>] = []
        let filters = subnetwork.channels[name]!
        for (place, filter) in filters.enumerated() {
            if let last = blocks.last, filters[last.lowerBound] / block == filter / block {
                blocks[blocks.count - 1] = last.lowerBound ..< place + 1
            } else {
                blocks.append(place ..< place + 1)
            }
        }
        self.blocks = blocks
    }
}

/// Chooses the connections that pruning and exploration keep.
struct ConnectionSelection {
    let layers: [ChangingLayer]
    /// By layer: a score for each connection, in the table's order.
    let scores: [String: [Double]]

    /// Connections of a block of filters to one channel, which stay or go together.
    private struct Unit {
        let layer: Int
        let block: Int
        let connections: [Int]
        let score: Double
    }

    /// - Parameter targets: how many connections each layer keeps at most; every block of filters keeps its best.
    /// - Returns: by layer, whether each connection stays.
    func kept(_ targets: [Int]) -> [String: [Bool]] {
        var kept = layers.map { [Bool](repeating: false, count: $0.table.count) }
        for layer in layers.indices {
            let units = units(of: layer)
            // The best of each block of filters first, then by score.
            var hasOne: Set<Int> = []
            let first = Set(units.indices.filter { hasOne.insert(units[$0].block).inserted })
            let order = units.indices.filter(first.contains) + units.indices.filter { !first.contains($0) }
            keep(order.map { units[$0] }, target: targets[layer], atLeast: first.count, &kept)
        }
        return named(kept)
    }

    /// - Parameter target: how many connections all layers keep together at most; each layer keeps its best.
    func kept(ofAll target: Int) -> [String: [Bool]] {
        var kept = layers.map { [Bool](repeating: false, count: $0.table.count) }
        let units = layers.indices.map(units(of:))
        let firsts = units.compactMap(\.first)
        let others = units.flatMap { $0.dropFirst() }.sorted(by: precedes)
        keep(firsts + others, target: target, atLeast: firsts.count, &kept)
        return named(kept)
    }

    private func named(_ kept: [[Bool]]) -> [String: [Bool]] {
        Dictionary(uniqueKeysWithValues: zip(layers.map(\.node.name), kept))
    }

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
        let table = layers[layer].table
        let scores = scores[layers[layer].node.name]!
        var units: [Unit] = []
        for (block, filters) in layers[layer].blocks.enumerated() {
            var members: [Int32: [Int]] = [:]
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
