import GossamerConnectivity
import GossamerTensors

/// What a budget gives each convolution: how many channels its filters read, and which filters and channels there are.
struct LayerShares {
    let held: [Int: ConnectionTable]
    /// By node, the mean number of channels that a filter reads; none for layers that keep all their connections.
    let fanIns: [Int: Double]
    /// For each node and channel: whether it takes part.
    let isAvailable: [[Bool]]
    private let block: Int

    init(_ flow: ChannelFlow, _ budget: ConnectionBudget, held: [Int: ConnectionTable]) {
        self.held = held
        block = budget.block
        let isAvailable = Self.availability(flow, budget)
        self.isAvailable = isAvailable
        func count(_ node: Int) -> Int { isAvailable[node].count { $0 } }
        var wanted: [Int: Double] = [:]
        var sharing: [(node: Int, size: LayerSize)] = []
        for (index, node) in flow.network.nodes.enumerated() {
            guard case .convolution(let layer) = node.layer, layer.pattern?.isFixed != true else { continue }
            let size = LayerSize(channels: count(flow.inputs[index][0]), filters: count(index), kernel: layer.kernel)
            if layer.pattern == nil {
                sharing.append((index, size))
            } else if let density = layer.pattern?.drawnDensity {
                wanted[index] = Double(
                    Pattern.fanIn(density: density, channels: size.channels, filters: size.filters))
            } else if budget.filterShare < 1 {
                wanted[index] = Double(size.channels)
            }
        }
        let shares = budget.distribution.fanIns(density: budget.density, of: sharing.map(\.size))
        for (layer, fanIn) in zip(sharing, shares) { wanted[layer.node] = fanIn }
        fanIns = wanted
    }

    /// The channels that are reached where every layer has its first filters alone.
    private static func availability(_ flow: ChannelFlow, _ budget: ConnectionBudget) -> [[Bool]] {
        let whole = outputMakers(flow)
        var result: [[Bool]] = []
        for (index, node) in flow.network.nodes.enumerated() {
            let total = flow.channelCount(index)
            switch node.layer {
            case .input, .fullyConnected: result.append(Array(repeating: true, count: total))
            case .convolution:
                if let table = flow.network.fixedTable(of: node) {
                    let input = result[flow.inputs[index][0]]
                    result.append((0 ..< total).map { table.inputs(of: $0).contains { input[Int($0)] } })
                } else {
                    let share = whole.contains(index) ? total : roundedUp(budget.filterShare, of: total)
                    let active = min(total, (share + budget.block - 1) / budget.block * budget.block)
                    result.append((0 ..< total).map { $0 < active })
                }
            default:
                let needsAll = node.layer == .multiplication
                result.append((0 ..< total).map { channel in
                    let sources = flow.sources(of: Channel(node: index, index: channel))
                    return needsAll
                        ? sources.allSatisfy { result[$0.node][$0.index] }
                        : sources.contains { result[$0.node][$0.index] }
                })
            }
        }
        return result
    }

    /// The layers whose filters are the network's outputs.
    private static func outputMakers(_ flow: ChannelFlow) -> Set<Int> {
        var makers: Set<Int> = []
        var pending = [flow.network.nodes.count - 1]
        while let node = pending.popLast() {
            if flow.network.nodes[node].layer.makesChannels {
                makers.insert(node)
            } else {
                pending += flow.inputs[node]
            }
        }
        return makers
    }

    /// The groups of a layer's filters that share their channels, with what they hold and are to read.
    ///
    /// - Parameter channels: those that take part, ascending; groups number them in this order.
    func groups(
        of node: Int, filters: [Int], channels: [Int], using generator: inout SeededGenerator
    ) -> [(filters: [Int], group: FilterGroup)] {
        var places = [Int](repeating: -1, count: (channels.last ?? -1) + 1)
        for (place, channel) in channels.enumerated() { places[channel] = place }
        var groups: [(filters: [Int], group: FilterGroup)] = []
        for filter in filters {
            let row = held[node]?.inputs(of: filter).map { places[Int($0)] } ?? []
            if let last = groups.last?.filters[0], last / block == filter / block {
                groups[groups.count - 1].filters.append(filter)
                if row != groups[groups.count - 1].group.held {
                    groups[groups.count - 1].group.held =
                        Set(row).union(groups[groups.count - 1].group.held).sorted()
                }
            } else {
                groups.append(([filter], FilterGroup(held: row, fanIn: row.count)))
            }
        }
        raise(&groups, to: fanIns[node]! * Double(filters.count), most: channels.count, using: &generator)
        return groups
    }

    /// Raises the fan-ins of those groups that read least until the layer has so many connections.
    private func raise(
        _ groups: inout [(filters: [Int], group: FilterGroup)], to wanted: Double, most: Int,
        using generator: inout SeededGenerator
    ) {
        let total = Int(wanted.rounded())
        func count(_ level: Int) -> Int {
            groups.reduce(0) { $0 + $1.filters.count * max($1.group.held.count, level) }
        }
        // The highest level that the total allows; every filter reads something.
        var (low, high) = (min(1, most), most)
        while low < high {
            let middle = (low + high + 1) / 2
            if count(middle) <= total { low = middle } else { high = middle - 1 }
        }
        var left = total - count(low)
        for index in groups.indices { groups[index].group.fanIn = max(groups[index].group.held.count, low) }
        var order = groups.indices.filter { groups[$0].group.fanIn == low && low < most }
        generator.shuffle(&order)
        for index in order where groups[index].filters.count <= left {
            groups[index].group.fanIn += 1
            left -= groups[index].filters.count
        }
    }
}
