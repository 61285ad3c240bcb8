import GossamerConnectivity

/// Rewrites a network with its live channels only.
///
/// Filters, connections, biases and batch-norm entries of other channels disappear, and readers are re-indexed. Where a
/// tensor keeps channels that one of its channel-by-channel readers has no use for, a channel selection comes between.
struct DeadChannelRemoval {
    /// A tensor of the new network, and the channels of the old one that it holds, ascending.
    private struct Tensor: Hashable {
        var name: String
        var channels: [Int]
    }

    private let network: Network
    private let flow: ChannelFlow
    private let liveness: ChannelLiveness
    private let tables: [Int: ConnectionTable]
    private var names: Set<String>
    private var nodes: [Node] = []
    private var connections: [String: ConnectionTable] = [:]
    /// What became of each old node; nil where nothing of it is alive.
    private var tensors: [Tensor?] = []
    private var selections: [Tensor: String] = [:]

    private init(_ flow: ChannelFlow, _ liveness: ChannelLiveness, tables: [Int: ConnectionTable], taken: Set<String>) {
        network = flow.network
        self.flow = flow
        self.liveness = liveness
        self.tables = tables
        names = taken.union(network.nodes.map(\.name))
    }

    /// - Parameters:
    ///   - tables: the connections of convolutions by node; others are dense.
    ///   - taken: names that new nodes must not have.
    static func apply(
        _ flow: ChannelFlow, _ liveness: ChannelLiveness, tables: [Int: ConnectionTable], taken: Set<String>
    ) throws(NetworkError) -> Result {
        var removal = DeadChannelRemoval(flow, liveness, tables: tables, taken: taken)
        for index in flow.network.nodes.indices { removal.rewrite(index) }
        var (tensors, channels): ([String: String], [String: [Int]]) = ([:], [:])
        for (node, tensor) in zip(flow.network.nodes, removal.tensors) {
            tensors[node.name] = tensor?.name
            channels[node.name] = tensor?.channels
        }
        let network = try Network(name: flow.network.name, nodes: removal.nodes, connections: removal.connections)
        return Result(network: network, tensors: tensors, channels: channels)
    }

    struct Result {
        let network: Network
        /// The node that holds what is left of each old one.
        let tensors: [String: String]
        /// The channels that are left of each old node, ascending.
        let channels: [String: [Int]]
    }

    private mutating func rewrite(_ index: Int) {
        let kept = liveness.kept(index)
        guard !kept.isEmpty else {
            tensors.append(nil)
            return
        }
        let node = network.nodes[index]
        let inputs = flow.inputs[index]
        switch node.layer {
        case .input:
            append(node.name, node.layer, [], kept)
        case .convolution(var layer):
            layer.filters = kept.count
            append(node.name, .convolution(layer), [tensors[inputs[0]]!.name], kept)
            if let table = tables[index] { connect(node.name, layer, table, filters: kept, to: inputs[0]) }
        case .fullyConnected(var layer):
            layer.units = kept.count
            append(node.name, .fullyConnected(layer), [tensors[inputs[0]]!.name], kept)
        case .addition:
            add(node.name, inputs, kept)
        case .multiplication:
            append(node.name, node.layer, inputs.map { select(kept, of: $0).name }, kept)
        case .concatenation:
            concatenate(index, kept)
        case .channelSelection(let channels):
            let tensor = select(kept.map { channels[$0] }, of: inputs[0], name: node.name)
            tensors.append(Tensor(name: tensor.name, channels: kept))
        case .batchNormalization, .activation, .localResponseNormalization, .maxPooling, .averagePooling,
            .globalAveragePooling, .dropout, .padding, .softmax:
            append(node.name, node.layer, [select(kept, of: inputs[0]).name], kept)
        }
    }

    private mutating func append(_ name: String, _ layer: Layer, _ inputs: [String], _ channels: [Int]) {
        nodes.append(Node(name: name, layer: layer, inputs: inputs))
        tensors.append(Tensor(name: name, channels: channels))
    }

    /// Stores the rows of a convolution's filters, re-indexed to the channels that its input keeps. A dense table is
    /// stored only where the layer's own pattern would give it another.
    private mutating func connect(
        _ name: String, _ layer: Convolution, _ old: ConnectionTable, filters: [Int], to input: Int
    ) {
        let table = old.selecting(filters: filters, channels: tensors[input]!.channels)
        if !table.isDense || layer.pattern?.isFixed == true { connections[name] = table }
    }

    /// Some channels of an old node: its tensor where that holds just these, otherwise a selection from it.
    private mutating func select(_ channels: [Int], of node: Int, name: String? = nil) -> Tensor {
        let tensor = tensors[node]!
        if tensor.channels == channels { return tensor }
        let wanted = Tensor(name: tensor.name, channels: channels)
        if let known = selections[wanted] { return Tensor(name: known, channels: channels) }
        let name = name ?? unusedName("\(network.nodes[node].name)-selection")
        var next = 0
        let positions = channels.map { channel in
            while tensor.channels[next] != channel { next += 1 }
            return next
        }
        nodes.append(Node(name: name, layer: .channelSelection(positions), inputs: [tensor.name]))
        selections[wanted] = name
        return Tensor(name: name, channels: channels)
    }

    private mutating func unusedName(_ base: String) -> String {
        var name = base
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(base)\(number)"
        }
        return name
    }

    private mutating func concatenate(_ index: Int, _ kept: [Int]) {
        let parts = Dictionary(grouping: kept.enumerated(), by: { part(of: $0.element, in: index) })
        var operands: [String] = []
        for (position, input) in flow.inputs[index].enumerated() {
            guard let members = parts[position] else { continue }
            let channels = members.map { flow.sources(of: Channel(node: index, index: $0.element))[0].index }
            operands.append(select(channels, of: input).name)
        }
        join(network.nodes[index].name, .concatenation, operands, kept)
    }

    /// The operand of a concatenation that a channel comes from.
    private func part(of channel: Int, in node: Int) -> Int {
        var start = 0
        for (position, input) in flow.inputs[node].enumerated() {
            start += flow.channelCount(input)
            if channel < start { return position }
        }
        preconditionFailure("a concatenation has as many channels as its inputs")
    }

    /// A sum keeps a channel as long as one of its operands has it. Runs of channels with the same operands are added
    /// on their own, and put together again in order.
    private mutating func add(_ name: String, _ inputs: [Int], _ kept: [Int]) {
        var runs: [(operands: [Int], channels: [Int])] = []
        for channel in kept {
            let operands = inputs.filter { liveness.isAlive[$0][channel] }
            if runs.last?.operands == operands {
                runs[runs.count - 1].channels.append(channel)
            } else {
                runs.append((operands, [channel]))
            }
        }
        var parts: [String] = []
        for run in runs {
            let operands = run.operands.map { select(run.channels, of: $0).name }
            guard runs.count > 1 else { return join(name, .addition, operands, kept) }
            guard operands.count > 1 else {
                parts.append(operands[0])
                continue
            }
            let part = unusedName("\(name)-part")
            nodes.append(Node(name: part, layer: .addition, inputs: operands))
            parts.append(part)
        }
        join(name, .concatenation, parts, kept)
    }

    /// A concatenation or addition; with one operand left it is that operand.
    private mutating func join(_ name: String, _ layer: Layer, _ operands: [String], _ channels: [Int]) {
        if operands.count == 1 {
            tensors.append(Tensor(name: operands[0], channels: channels))
        } else {
            append(name, layer, operands, channels)
        }
    }
}
