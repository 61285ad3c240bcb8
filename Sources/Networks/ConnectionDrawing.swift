import GossamerConnectivity
import GossamerTensors

/// Draws the connections of a network from its output towards its image.
///
/// In this order it is known which filters of a convolution are used before its connections are drawn, so that no slot
/// is spent on a filter that is removed. All convolutions that read one tensor draw together; what they read is marked
/// as used down to the filters that make it, through concatenations, additions and multiplications.
struct ConnectionDrawing {
    /// What decides how many connections a layer gets, and which.
    enum Rule: CustomStringConvertible {
        case pattern(any ConnectionPattern)
        /// Held connections, of layers by node, stay; more are drawn besides them.
        case budget(ConnectionBudget, held: [Int: ConnectionTable])

        var description: String {
            switch self {
            case .pattern(let pattern): pattern.description
            case .budget(let budget, _): budget.description
            }
        }
    }

    private let flow: ChannelFlow
    private let rule: Rule
    private let seed: UInt64
    /// Of the layers whose connections a budget gives.
    private let shares: LayerShares?
    /// For each root the convolutions and fully connected layers that read it.
    private let readers: [[Int]]
    /// For each channel, the root whose readers draw last among all that could use the channel.
    private let lastRoots: [[Int]]
    /// The channels known to be used, for each node.
    private var used: [[Bool]]
    /// The drawn rows of each convolution that is not dense; rows of unused filters are empty.
    private(set) var rows: [Int: [[Int]]] = [:]

    init(_ flow: ChannelFlow, rule: Rule, seed: UInt64) {
        self.flow = flow
        self.rule = rule
        self.seed = seed
        shares = if case .budget(let budget, let held) = rule { LayerShares(flow, budget, held: held) } else { nil }
        used = flow.network.shapes.map { Array(repeating: false, count: $0.channels) }
        var readers = [[Int]](repeating: [], count: used.count)
        for (index, node) in flow.network.nodes.enumerated() where node.layer.makesChannels {
            readers[flow.roots[flow.inputs[index][0]]].append(index)
        }
        self.readers = readers
        lastRoots = Self.lastRoots(flow, readers: readers)
    }

    /// - Throws: ``NetworkError`` when the pattern's answer does not fit its request.
    mutating func run() throws(NetworkError) {
        let last = flow.network.nodes.count - 1
        for channel in used[last].indices { use(Channel(node: last, index: channel)) }
        for root in readers.indices.reversed() where !readers[root].isEmpty {
            try draw(readersOf: root)
        }
    }

    /// The connections of each convolution that is not dense.
    var tables: [Int: ConnectionTable] {
        var tables: [Int: ConnectionTable] = [:]
        for (node, rows) in rows {
            let inputCount = flow.channelCount(flow.inputs[node][0])
            tables[node] = ConnectionTable(inputCount: inputCount, rows: rows)
        }
        return tables
    }

    private mutating func draw(readersOf root: Int) throws(NetworkError) {
        let active = readers[root].filter { used[$0].contains(true) }
        let sharing = active.filter { shares?.fanIns[$0] != nil }
        let others = active.filter { shares?.fanIns[$0] == nil }
        if others.contains(where: { effectivePattern(of: $0) == nil }) {
            for channel in used[root].indices { use(Channel(node: root, index: channel)) }
        }
        try draw(others, of: root)
        if let shares, !sharing.isEmpty { try drawShares(shares, of: sharing, root: root) }
    }

    /// Draws layers that follow patterns.
    private mutating func draw(_ active: [Int], of root: Int) throws(NetworkError) {
        var groups: [(pattern: any ConnectionPattern, members: [Int])] = []
        for reader in active {
            guard let pattern = effectivePattern(of: reader) else { continue }
            if let index = groups.firstIndex(where: { $0.pattern.description == pattern.description }) {
                groups[index].members.append(reader)
            } else {
                groups.append((pattern, [reader]))
            }
        }
        // Where fixed connections lie is known, so those drawn at random can make up for what they leave unread.
        let fixed = groups.filter { ($0.pattern as? Pattern)?.isFixed == true }
        let others = groups.filter { ($0.pattern as? Pattern)?.isFixed != true }
        for group in fixed + others { try draw(group.members, root: root, pattern: group.pattern) }
    }

    /// The pattern that a layer is drawn with; nil where it keeps all its connections.
    private func effectivePattern(of node: Int) -> (any ConnectionPattern)? {
        guard case .convolution(let layer) = flow.network.nodes[node].layer else { return nil }
        guard let own = layer.pattern else {
            guard case .pattern(let pattern) = rule else { return nil }
            return pattern as? Pattern == .dense ? nil : pattern
        }
        return own == .dense ? nil : own
    }

    private mutating func draw(
        _ members: [Int], root: Int, pattern: any ConnectionPattern
    ) throws(NetworkError) {
        var generator = SeededGenerator(
            seed: seed, keys: SeededGenerator.key("connections"),
            SeededGenerator.key(flow.network.nodes[root].name), SeededGenerator.key(pattern.description))
        let request = ConnectionRequest(
            channels: used[root].count,
            readers: members.map { node in
                ConnectionRequest.Reader(
                    name: flow.network.nodes[node].name, filterCount: used[node].count,
                    filters: used[node].indices.filter { used[node][$0] })
            },
            needs: needs(of: root, using: &generator))
        try checkSize(request, pattern)
        let answer = pattern.draw(request, using: &generator)
        try check(answer, request, pattern)
        for ((node, reader), drawn) in zip(zip(members, request.readers), answer) {
            var all = [[Int]](repeating: [], count: reader.filterCount)
            for (filter, row) in zip(reader.filters, drawn) {
                all[filter] = row
                for channel in row { use(Channel(node: root, index: channel)) }
            }
            rows[node] = all
        }
    }

    /// Draws layers that have a share of a budget, among the channels that can be reached.
    private mutating func drawShares(
        _ shares: LayerShares, of members: [Int], root: Int
    ) throws(NetworkError) {
        for node in members {
            for channel in shares.held[node]?.readChannels ?? [] { use(Channel(node: root, index: channel)) }
        }
        var generator = SeededGenerator(
            seed: seed, keys: SeededGenerator.key("connections"),
            SeededGenerator.key(flow.network.nodes[root].name), SeededGenerator.key(rule.description))
        let channels = shares.isAvailable[root].indices.filter { shares.isAvailable[root][$0] }
        let needs = needs(of: root, using: &generator)
        let request = ConnectionRequest(
            channels: channels.count,
            readers: members.map { node in
                ConnectionRequest.Reader(
                    name: flow.network.nodes[node].name, filterCount: used[node].count,
                    filters: used[node].indices.filter { used[node][$0] && shares.isAvailable[node][$0] })
            },
            needs: channels.map { needs[$0] })
        try checkSize(request) { shares.fanIns[members[$0]]! }
        let groups = zip(members, request.readers).map { node, reader in
            shares.groups(of: node, filters: reader.filters, channels: channels, using: &generator)
        }
        var drawn = request.uniformRows(of: groups.flatMap { $0.map(\.group) }, using: &generator)[...]
        for ((node, reader), groups) in zip(zip(members, request.readers), groups) {
            var all = [[Int]](repeating: [], count: reader.filterCount)
            for (filters, _) in groups {
                let row = drawn.removeFirst().map { channels[$0] }
                for filter in filters { all[filter] = row }
                for channel in row { use(Channel(node: root, index: channel)) }
            }
            rows[node] = all
        }
    }

    private func checkSize(_ request: ConnectionRequest, _ pattern: any ConnectionPattern) throws(NetworkError) {
        guard let pattern = pattern as? Pattern else { return }
        try checkSize(request) { number in
            let filterCount = request.readers[number].filterCount
            let count = pattern.connectionCount(channels: request.channels, filters: filterCount)
            return Double(count) / Double(filterCount)
        }
    }

    /// - Parameter fanIn: of the filters of a reader by its number, on average.
    private func checkSize(_ request: ConnectionRequest, fanIn: (Int) -> Double) throws(NetworkError) {
        let count = request.readers.enumerated().reduce(0.0) { sum, reader in
            sum + Double(reader.element.filters.count) * fanIn(reader.offset)
        }
        guard count <= Double(ConnectionTable.largestCount) else {
            throw NetworkError(
                node: request.readers[0].name,
                "pattern '\(rule)' draws \(Int(count)) connections at once, the most is "
                    + "\(ConnectionTable.largestCount)")
        }
    }

    private func check(
        _ answer: [[[Int]]], _ request: ConnectionRequest, _ pattern: any ConnectionPattern
    ) throws(NetworkError) {
        guard answer.count == request.readers.count else {
            throw NetworkError(
                "pattern '\(pattern)' drew \(answer.count) tables, "
                    + "expected one for each of \(request.readers.count) layers")
        }
        for (reader, drawn) in zip(request.readers, answer) {
            guard drawn.count == reader.filters.count else {
                throw NetworkError(
                    node: reader.name,
                    "pattern '\(pattern)' drew \(drawn.count) rows, "
                        + "expected one for each of \(reader.filters.count) filters")
            }
            for row in drawn {
                if let channel = row.first(where: { !(0 ..< request.channels).contains($0) }) {
                    throw NetworkError(
                        node: reader.name,
                        "pattern '\(pattern)' drew channel \(channel), expected 0 to \(request.channels - 1)")
                }
                guard Set(row).count == row.count else {
                    throw NetworkError(node: reader.name, "pattern '\(pattern)' drew a connection twice")
                }
            }
        }
    }

    /// Marks a channel, and all that it is made of, as used.
    private mutating func use(_ channel: Channel) {
        guard !used[channel.node][channel.index] else { return }
        var pending = [channel]
        while let next = pending.popLast() {
            guard !used[next.node][next.index] else { continue }
            used[next.node][next.index] = true
            pending += flow.sources(of: next)
        }
    }
}

// MARK: - What depends on a channel

extension ConnectionDrawing {
    private static func lastRoots(_ flow: ChannelFlow, readers: [[Int]]) -> [[Int]] {
        var result = flow.network.shapes.map { Array(repeating: Int.max, count: $0.channels) }
        for node in result.indices.reversed() {
            for index in result[node].indices {
                // Roots are drawn in descending order, so a channel's own readers come after those of its joins.
                if !readers[node].isEmpty { result[node][index] = node }
                for source in flow.sources(of: Channel(node: node, index: index)) {
                    result[source.node][source.index] = min(result[source.node][source.index], result[node][index])
                }
            }
        }
        return result
    }

    /// A channel is vital where it is the last chance of some filter that no other vital channel stands for.
    private func needs(of root: Int, using generator: inout SeededGenerator) -> [ConnectionRequest.Need] {
        var result = used[root].map { $0 ? ConnectionRequest.Need.none : .some }
        var order = used[root].indices.filter { !used[root][$0] }
        generator.shuffle(&order)
        var rescued = Set<Channel>()
        for index in order {
            let makers = makers(of: Channel(node: root, index: index), whoseLastRootIs: root)
            let unused = makers.filter { !used[$0.node][$0.index] && !rescued.contains($0) }
            guard !unused.isEmpty else { continue }
            result[index] = .vital
            rescued.formUnion(unused)
        }
        return result
    }

    /// The filters and units that feed a channel and that no later drawing can use.
    private func makers(of channel: Channel, whoseLastRootIs root: Int) -> [Channel] {
        var result: [Channel] = []
        var seen: Set<Channel> = []
        var pending = [channel]
        while let next = pending.popLast() {
            guard lastRoots[next.node][next.index] == root, seen.insert(next).inserted else { continue }
            if flow.network.nodes[next.node].layer.makesChannels { result.append(next) }
            pending += flow.sources(of: next)
        }
        return result
    }
}
