import GossamerConnectivity

/// Which channels of a network have both a path back to the image and a path on to the output.
///
/// A channel that is only a bias has no path back. A sum has one as soon as one of its operands has, a product when
/// both have.
struct ChannelLiveness {
    private let flow: ChannelFlow
    /// For each node and channel: a path of connections leads here from the image.
    private(set) var isReached: [[Bool]]
    /// For each node and channel: it is reached, and a path of reached channels leads on to the output.
    private(set) var isAlive: [[Bool]]

    /// - Parameter tables: the connections of convolutions by node; others are dense.
    init(_ flow: ChannelFlow, tables: [Int: ConnectionTable]) {
        self.flow = flow
        let shapes = flow.network.shapes
        isReached = shapes.map { Array(repeating: false, count: $0.channels) }
        isAlive = isReached
        for node in shapes.indices { reach(node, tables[node]) }
        isAlive[shapes.count - 1] = isReached[shapes.count - 1]
        for node in shapes.indices.reversed() { need(from: node, tables[node]) }
        // The image is given; its channels stay whether they are read or not.
        isAlive[0] = isReached[0]
    }

    func kept(_ node: Int) -> [Int] { isAlive[node].indices.filter { isAlive[node][$0] } }

    /// The layers that lose filters, in the order of the nodes.
    var removedChannels: [RemovedChannels] {
        zip(flow.network.nodes, isAlive).compactMap { node, alive in
            let dead = alive.indices.filter { !alive[$0] }
            guard node.layer.makesChannels, !dead.isEmpty else { return nil }
            return RemovedChannels(node: node.name, channels: dead, of: alive.count)
        }
    }

    private mutating func reach(_ node: Int, _ table: ConnectionTable?) {
        switch flow.network.nodes[node].layer {
        case .input:
            isReached[node] = isReached[node].map { _ in true }
        case .convolution, .fullyConnected:
            let input = isReached[flow.inputs[node][0]]
            let hasInput = input.contains(true)
            isReached[node] = isReached[node].indices.map { filter in
                table.map { $0.inputs(of: filter).contains { input[Int($0)] } } ?? hasInput
            }
        case .multiplication:
            let operands = flow.inputs[node]
            for index in isReached[node].indices {
                isReached[node][index] = operands.allSatisfy { isReached[$0][index] }
            }
        default:
            for index in isReached[node].indices {
                let sources = flow.sources(of: Channel(node: node, index: index))
                isReached[node][index] = sources.contains { isReached[$0.node][$0.index] }
            }
        }
    }

    /// Passes the need for a node's live channels on to the reached channels that it reads.
    private mutating func need(from node: Int, _ table: ConnectionTable?) {
        guard isAlive[node].contains(true) else { return }
        guard flow.network.nodes[node].layer.makesChannels else {
            for index in isAlive[node].indices where isAlive[node][index] {
                for source in flow.sources(of: Channel(node: node, index: index)) { markAlive(source) }
            }
            return
        }
        let input = flow.inputs[node][0]
        guard let table else {
            for index in isAlive[input].indices { markAlive(Channel(node: input, index: index)) }
            return
        }
        for filter in 0 ..< table.outputCount where isAlive[node][filter] {
            for index in table.inputs(of: filter) { markAlive(Channel(node: input, index: Int(index))) }
        }
    }

    private mutating func markAlive(_ channel: Channel) {
        if isReached[channel.node][channel.index] { isAlive[channel.node][channel.index] = true }
    }
}
