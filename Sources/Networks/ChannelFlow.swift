/// One channel of a node's output.
struct Channel: Hashable {
    let node: Int
    let index: Int
}

/// How channels pass through the nodes of a network: the one place that knows which layers keep a channel apart, which
/// join several, and which make new ones.
struct ChannelFlow {
    let network: Network
    /// The nodes that each node reads.
    let inputs: [[Int]]
    /// For each node the nearest earlier node, or itself, that is more than a channel-by-channel operation. Nodes of
    /// one root see the same channels.
    let roots: [Int]

    init(_ network: Network) {
        self.network = network
        inputs = network.nodes.map { $0.inputs.map { network.index(of: $0)! } }
        var roots: [Int] = []
        for (index, node) in network.nodes.enumerated() {
            roots.append(node.layer.isChannelwise ? roots[inputs[index][0]] : index)
        }
        self.roots = roots
    }

    func channelCount(_ node: Int) -> Int { network.shapes[node].channels }

    /// The channels that a channel is made of, one by one; none for the image and where filters or units make it.
    func sources(of channel: Channel) -> [Channel] {
        let inputs = inputs[channel.node]
        switch network.nodes[channel.node].layer {
        case .input, .convolution, .fullyConnected:
            return []
        case .addition, .multiplication:
            return inputs.map { Channel(node: $0, index: channel.index) }
        case .channelSelection(let channels):
            return [Channel(node: inputs[0], index: channels[channel.index])]
        case .concatenation:
            var index = channel.index
            for input in inputs {
                if index < channelCount(input) { return [Channel(node: input, index: index)] }
                index -= channelCount(input)
            }
            preconditionFailure("a concatenation has as many channels as its inputs")
        case .batchNormalization, .activation, .localResponseNormalization, .maxPooling, .averagePooling,
            .globalAveragePooling, .dropout, .padding, .softmax:
            return [Channel(node: inputs[0], index: channel.index)]
        }
    }
}

extension Layer {
    /// Whether each output channel is made of the input channel of the same index. Local response normalisation and
    /// softmax also divide by others: by those that are there.
    var isChannelwise: Bool {
        switch self {
        case .batchNormalization, .activation, .localResponseNormalization, .maxPooling, .averagePooling,
            .globalAveragePooling, .dropout, .padding, .softmax:
            true
        case .input, .convolution, .fullyConnected, .concatenation, .addition, .multiplication, .channelSelection:
            false
        }
    }

    /// Whether the layer makes channels of its own, with weights: one for each filter or unit.
    var makesChannels: Bool {
        switch self {
        case .convolution, .fullyConnected: true
        default: false
        }
    }
}
