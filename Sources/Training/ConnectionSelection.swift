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
        let connections: [Int]
        let score: Double
    }

    /// - Parameter targets: how many connections each layer keeps at most; every filter keeps its best.
    /// - Returns: by layer, whether each connection stays.
    func kept(_ targets: [Int]) -> [String: [Bool]] {
        var kept = layers.map { [Bool](repeating: false, count: $0.table.count) }
        for layer in layers.indices {
            let (first, others) = parted(layer)
            keep(first + others, target: targets[layer], atLeast: first.count, &kept)
        }
        return named(kept)
    }

    /// - Parameters:
    ///   - target: how many connections all layers keep together at most; each layer keeps its best.
    ///   - protectsFilters: every filter keeps its best, so that all outputs keep a path from the image.
    func kept(ofAll target: Int, protectsFilters: Bool) -> [String: [Bool]] {
        var kept = layers.map { [Bool](repeating: false, count: $0.table.count) }
        let parts = layers.indices.map { layer in
            if protectsFilters { return parted(layer) }
            let units = units(of: layer)
            return (first: Array(units.prefix(1)), others: Array(units.dropFirst()))
        }
        let firsts = parts.flatMap(\.first)
        keep(firsts + parts.flatMap(\.others).sorted(by: precedes), target: target, atLeast: firsts.count, &kept)
        return named(kept)
    }

    /// A layer's units, best first: those that are the best of some filter, and the others.
    private func parted(_ layer: Int) -> (first: [Unit], others: [Unit]) {
        let table = layers[layer].table
        var filters: [Int] = []
        filters.reserveCapacity(table.count)
        for filter in 0 ..< table.outputCount {
            filters.append(contentsOf: repeatElement(filter, count: table.fanIn(of: filter)))
        }
        var hasOne = [Bool](repeating: false, count: table.outputCount)
        var parts: (first: [Unit], others: [Unit]) = ([], [])
        for unit in units(of: layer) {
            if unit.connections.allSatisfy({ hasOne[filters[$0]] }) {
                parts.others.append(unit)
            } else {
                for connection in unit.connections { hasOne[filters[connection]] = true }
                parts.first.append(unit)
            }
        }
        return parts
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
        for filters in layers[layer].blocks {
            var members: [Int32: [Int]] = [:]
            for connection in Int(table.rowStarts[filters.lowerBound]) ..< Int(table.rowStarts[filters.upperBound]) {
                members[table.inputs[connection], default: []].append(connection)
            }
            units += members.sorted { $0.key < $1.key }.map { _, connections in
                let mean = connections.reduce(0) { $0 + scores[$1] } / Double(connections.count)
                return Unit(layer: layer, connections: connections, score: mean)
            }
        }
        return units.sorted(by: precedes)
    }

    /// By falling score; of equal ones the earlier connection.
    private func precedes(_ a: Unit, _ b: Unit) -> Bool {
        (-a.score, a.layer, a.connections[0]) < (-b.score, b.layer, b.connections[0])
    }
}
