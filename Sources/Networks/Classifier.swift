extension Network {
    /// The layer that makes one output for each class: the last fully connected layer or convolution, behind which
    /// channels are only changed one by one. Nil where there is none.
    public var classifier: Node? {
        var node = nodes[nodes.count - 1]
        while !node.layer.makesChannels {
            guard node.layer.isChannelwise else { return nil }
            node = nodes[index(of: node.inputs[0])!]
        }
        return node
    }

    /// This network for another number of classes, with a dense classifier; without auxiliary heads.
    ///
    /// - Throws: ``NetworkError`` where the network has no classifier.
    public func withClasses(_ count: Int) throws(NetworkError) -> Network {
        let main = withoutAuxiliaryHeads
        guard let classifier = main.classifier else {
            throw NetworkError(
                node: main.nodes.last!.name,
                "only a network that ends with a fully connected layer or a convolution can get other classes")
        }
        let layer: Layer
        switch classifier.layer {
        case .convolution(var convolution):
            convolution.filters = count
            layer = .convolution(convolution)
        case .fullyConnected(var units):
            units.units = count
            layer = .fullyConnected(units)
        default: preconditionFailure("a classifier makes channels")
        }
        let nodes = main.nodes.map {
            $0.name == classifier.name ? Node(name: $0.name, layer: layer, inputs: $0.inputs) : $0
        }
        return try Network(
            name: name, nodes: nodes, connections: main.connections.filter { $0.key != classifier.name })
    }
}
