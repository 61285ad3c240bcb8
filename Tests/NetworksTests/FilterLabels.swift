import GossamerNetworks

/// Which filters each channel of a network is made of, found by walking single channels.
struct FilterLabels {
    private let network: Network
    private let walk: ChannelWalk
    private var labels: [Vertex: Set<Vertex>] = [:]

    /// - Parameter removed: filters missing from the network, so that labels keep the indices of the one before.
    init(_ network: Network, removed: [RemovedChannels] = []) {
        self.network = network
        walk = ChannelWalk(network)
        var original: [String: [Int]] = [:]
        for layer in removed { original[layer.node] = (0 ..< layer.total).filter { !layer.channels.contains($0) } }
        for vertex in walk.vertices {
            if Self.hasFilters(network.nodes[network.index(of: vertex.node)!]) {
                let channel = original[vertex.node]?[vertex.channel] ?? vertex.channel
                labels[vertex] = [Vertex(node: vertex.node, channel: channel)]
            } else {
                labels[vertex] = walk.sources[vertex]!.reduce(into: []) { $0.formUnion(labels[$1]!) }
            }
        }
    }

    /// The filters that each convolution or fully connected layer reads.
    func filtersRead() -> [String: Set<Vertex>] {
        var result: [String: Set<Vertex>] = [:]
        for vertex in walk.vertices where Self.hasFilters(network.nodes[network.index(of: vertex.node)!]) {
            for source in walk.sources[vertex]! { result[vertex.node, default: []].formUnion(labels[source]!) }
        }
        return result
    }

    /// The tensor that a layer with filters reads, as the node that made it before normalisation, ReLU and the like.
    func root(readBy name: String) -> String? {
        guard let index = network.index(of: name), Self.hasFilters(network.nodes[index]) else { return nil }
        var node = network.nodes[network.index(of: network.nodes[index].inputs[0])!]
        while true {
            switch node.layer {
            case .batchNormalization, .activation, .localResponseNormalization, .dropout, .maxPooling, .averagePooling,
                .globalAveragePooling, .padding, .softmax:
                node = network.nodes[network.index(of: node.inputs[0])!]
            default:
                return node.name
            }
        }
    }

    /// For each filter the earliest tensor through which it can be read: connections are drawn from the output on.
    func lastRoots() -> [Vertex: String] {
        var result: [Vertex: String] = [:]
        for (reader, filters) in filtersRead() {
            let root = root(readBy: reader)!
            for filter in filters {
                let known = result[filter].map { network.index(of: $0)! } ?? .max
                if network.index(of: root)! < known { result[filter] = root }
            }
        }
        return result
    }

    private static func hasFilters(_ node: Node) -> Bool {
        switch node.layer {
        case .convolution, .fullyConnected: true
        default: false
        }
    }
}
