/// Where the channels of a network that lost its dead ones stand in the network that it was made from.
///
/// Which channels were lost is written nowhere, and need not be: any places will do that layers which pass channels on,
/// add them up or select some of them agree on. All other channels of the original are then zero.
public struct ChannelPlacement: Sendable {
    /// The place of each channel among those of the original's node of the same name, by node.
    private var places: [String: [Int]] = [:]

    /// - Throws: ``NetworkError`` where the network is not what is left of the original.
    public init(of network: Network, in original: Network) throws(NetworkError) {
        try Self.requireRemains(network, of: original)
        let flow = ChannelFlow(network)
        var components = DisjointSets(count: original.nodes.count)
        for (index, node) in original.nodes.enumerated() where node.layer.couplesChannels {
            for input in node.inputs { components.join(index, original.index(of: input)!) }
        }
        let starts = network.shapes.reduce(into: [0]) { $0.append($0.last! + $1.channels) }
        var classes = Self.classes(flow, starts: starts)

        /// The class of channels that each place of a component went to first.
        var placeOfClass: [Int: (component: Int, place: Int)] = [:]
        var used: [Int: Int] = [:]
        for (index, node) in network.nodes.enumerated() {
            let channels = 0 ..< flow.channelCount(index)
            var result: [Int] = []
            if case .concatenation = node.layer, let whole = original.index(of: node.name),
                case .concatenation = original.nodes[whole].layer {
                result = try Self.concatenated(index, flow, original, places, &components)
            } else if node.layer.makesChannels || index == 0 {
                let twin = original.index(of: node.name)!
                let component = components.root(of: twin)
                for channel in channels {
                    let known = classes.root(of: starts[index] + channel)
                    let place = placeOfClass[known] ?? (component, used[component, default: 0])
                    guard place.component == component, place.place < original.shapes[twin].channels else {
                        throw NetworkError(node: node.name, "expected channels that are those of '\(original.name)'")
                    }
                    if placeOfClass.updateValue(place, forKey: known) == nil { used[component, default: 0] += 1 }
                    result.append(place.place)
                }
            } else {
                let operands = flow.inputs[index].map { places[network.nodes[$0].name]! }
                result = switch node.layer {
                case .channelSelection(let selected): selected.map { operands[0][$0] }
                case .concatenation: operands.flatMap { $0 }
                default: operands[0]
                }
            }
            places[node.name] = result
        }
    }

    /// The places of a node's channels, ascending or not.
    ///
    /// - Precondition: the network has a node of this name.
    public func places(of node: String) -> [Int] { places[node]! }

    /// Channels are one where they are passed on, added up, selected, or filtered each by itself.
    private static func classes(_ flow: ChannelFlow, starts: [Int]) -> DisjointSets {
        var classes = DisjointSets(count: starts.last!)
        for (index, node) in flow.network.nodes.enumerated() {
            let table = node.layer.isDepthwise ? flow.network.connectionTable(of: node) : nil
            for channel in 0 ..< flow.channelCount(index) {
                for source in flow.sources(of: Channel(node: index, index: channel)) {
                    classes.join(starts[index] + channel, starts[source.node] + source.index)
                }
                guard let table else { continue }
                let input = table.inputs(of: channel).first.map(Int.init) ?? channel
                guard input < table.inputCount else { continue }
                classes.join(starts[index] + channel, starts[flow.inputs[index][0]] + input)
            }
        }
        return classes
    }

    /// The places of a concatenation's channels: each operand's behind those of the original's parts before it.
    private static func concatenated(
        _ index: Int, _ flow: ChannelFlow, _ original: Network, _ places: [String: [Int]],
        _ components: inout DisjointSets
    ) throws(NetworkError) -> [Int] {
        let network = flow.network
        let whole = original.nodes[original.index(of: network.nodes[index].name)!]
        var result: [Int] = []
        var next = 0
        for operand in flow.inputs[index] {
            // Only nodes that came with the removal have no twin.
            var named = operand
            while original.index(of: network.nodes[named].name) == nil { named = flow.inputs[named][0] }
            let component = components.root(of: original.index(of: network.nodes[named].name)!)
            while next < whole.inputs.count,
                components.root(of: original.index(of: whole.inputs[next])!) != component { next += 1 }
            guard next < whole.inputs.count else {
                throw NetworkError(node: whole.name, "expected parts that are those of '\(original.name)'")
            }
            let start = whole.inputs[..<next].reduce(0) { $0 + original.shape(of: $1).channels }
            result += places[network.nodes[operand].name]!.map { start + $0 }
            next += 1
        }
        return result
    }

    /// Nodes of the same names do the same; others select channels or add them up.
    private static func requireRemains(_ network: Network, of original: Network) throws(NetworkError) {
        guard network.inputShape == original.inputShape, network.outputShape == original.outputShape else {
            throw NetworkError(
                "expected the images and outputs of '\(original.name)', \(original.inputShape) and "
                    + "\(original.outputShape), found \(network.inputShape) and \(network.outputShape)")
        }
        for node in network.nodes {
            let isSame: Bool
            if let index = original.index(of: node.name) {
                let twin = original.nodes[index]
                let isJoined = twin.layer == .addition && node.layer == .concatenation
                isSame = isJoined || twin.layer.withoutSizes == node.layer.withoutSizes
                try requireInputs(node, twin, network, original)
            } else {
                isSame = switch node.layer {
                case .channelSelection, .addition, .concatenation: true
                default: false
                }
            }
            guard isSame else { throw NetworkError(node: node.name, "expected a layer of '\(original.name)'") }
        }
    }

    /// A node reads what is left of what its twin reads.
    private static func requireInputs(
        _ node: Node, _ twin: Node, _ network: Network, _ original: Network
    ) throws(NetworkError) {
        /// The nodes of the original that a tensor is made of by selections and sums that came with the removal.
        func twins(of name: String) -> Set<String> {
            if original.index(of: name) != nil { return [name] }
            return network.nodes[network.index(of: name)!].inputs.reduce(into: []) { $0.formUnion(twins(of: $1)) }
        }
        /// What a tensor of the original may have become: itself, or the operand that is left of a sum.
        func remains(of name: String) throws(NetworkError) -> Set<String> {
            if network.index(of: name) != nil { return [name] }
            let gone = original.nodes[original.index(of: name)!]
            var result: Set<String> = []
            for input in gone.inputs where gone.layer == .addition || gone.layer == .concatenation {
                result.formUnion(try remains(of: input))
            }
            guard gone.layer != .concatenation || result.isEmpty else {
                throw NetworkError(
                    node: name, "expected two parts or more: where one is left, the places of its channels are unknown")
            }
            return result
        }
        var allowed: Set<String> = []
        for input in twin.inputs { allowed.formUnion(try remains(of: input)) }
        let found = node.inputs.reduce(into: Set<String>()) { $0.formUnion(twins(of: $1)) }
        guard found.isSubset(of: allowed), node.inputs.isEmpty == twin.inputs.isEmpty else {
            throw NetworkError(node: node.name, "expected the inputs of '\(original.name)'")
        }
    }
}

extension Layer {
    fileprivate var isDepthwise: Bool {
        if case .convolution(let layer) = self { return layer.pattern == .depthwise }
        return false
    }

    /// Whether channels that come in and go out have the same places.
    fileprivate var couplesChannels: Bool {
        isChannelwise || isDepthwise || self == .addition || self == .multiplication
    }

    /// Without what a pattern and lost channels change.
    fileprivate var withoutSizes: Layer {
        switch self {
        case .convolution(var layer):
            layer.filters = 1
            if layer.pattern != .depthwise { layer.pattern = nil }
            return .convolution(layer)
        case .fullyConnected(var layer):
            layer.units = 1
            return .fullyConnected(layer)
        default:
            return self
        }
    }
}

/// Sets of numbers that are joined one after another (union-find with halved paths).
private struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0 ..< count) }

    mutating func root(of element: Int) -> Int {
        var element = element
        while parents[element] != element {
            parents[element] = parents[parents[element]]
            element = parents[element]
        }
        return element
    }

    /// The smaller root stays.
    mutating func join(_ a: Int, _ b: Int) {
        let roots = (root(of: a), root(of: b))
        parents[max(roots.0, roots.1)] = min(roots.0, roots.1)
    }
}
