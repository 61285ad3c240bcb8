import GossamerConnectivity
import GossamerNetworks

/// A channel of a network, found by name.
struct Vertex: Hashable {
    let node: String
    let channel: Int
}

/// A network taken apart into single channels and the connections between them, in the plainest way, to check the
/// library's own reasoning about live channels.
struct ChannelWalk {
    let vertices: [Vertex]
    /// What each channel is computed from. A fully connected unit reads every channel.
    let sources: [Vertex: [Vertex]]

    init(_ network: Network) {
        var vertices: [Vertex] = []
        var sources: [Vertex: [Vertex]] = [:]
        for node in network.nodes {
            for channel in 0 ..< network.shape(of: node.name).channels {
                let vertex = Vertex(node: node.name, channel: channel)
                vertices.append(vertex)
                sources[vertex] = Self.sources(of: channel, node, network)
            }
        }
        self.vertices = vertices
        self.sources = sources
    }

    private static func sources(of channel: Int, _ node: Node, _ network: Network) -> [Vertex] {
        func all(_ name: String) -> [Vertex] {
            (0 ..< network.shape(of: name).channels).map { Vertex(node: name, channel: $0) }
        }
        switch node.layer {
        case .input: return []
        case .convolution:
            return network.connectionTable(of: node).inputs(of: channel).map { all(node.inputs[0])[Int($0)] }
        case .fullyConnected: return all(node.inputs[0])
        case .concatenation: return [node.inputs.flatMap(all)[channel]]
        case .addition: return node.inputs.map { Vertex(node: $0, channel: channel) }
        case .channelSelection(let kept): return [Vertex(node: node.inputs[0], channel: kept[channel])]
        default: return [Vertex(node: node.inputs[0], channel: channel)]
        }
    }

    /// Channels on a path from the image: all inputs of the walk lead there, or some do.
    func reached(from image: String) -> Set<Vertex> {
        var result = Set<Vertex>()
        for vertex in vertices where vertex.node == image || sources[vertex]!.contains(where: result.contains) {
            result.insert(vertex)
        }
        return result
    }

    /// Channels on a path to the output.
    func leading(to output: String) -> Set<Vertex> {
        var result = Set(vertices.filter { $0.node == output })
        for vertex in vertices.reversed() where result.contains(vertex) { result.formUnion(sources[vertex]!) }
        return result
    }
}
