import GossamerConnectivity

extension Network {
    /// Depth multipliers are above 0 and at most this.
    public static let largestDepthMultiplier = 16.0

    /// The network with the filters n of every convolution changed to ceil(alpha * n) (the depth multiplier of
    /// Changpinyo et al. 2017).
    ///
    /// Depthwise convolutions keep as many filters for each channel that they read as they have. Fully connected layers
    /// keep their units, and convolutions whose filters are the network's output keep them too.
    ///
    /// - Throws: ``NetworkError`` when alpha is out of range, when the network has its connections drawn already, and
    ///   where layers that are added up would no longer have equal numbers of channels.
    public func scaled(byDepthMultiplier alpha: Double) throws(NetworkError) -> Network {
        guard alpha > 0, alpha <= Self.largestDepthMultiplier else {
            throw NetworkError(
                "the depth multiplier must be above 0 and at most \(Int(Self.largestDepthMultiplier)), it is \(alpha)")
        }
        guard hasFixedConnectionsOnly else {
            throw NetworkError(
                "network '\(name)' has its connections already; a multiplier is applied before they are drawn")
        }
        let isOutput = outputChannelNodes()
        var scaled: [Node] = []
        var channels: [Int] = []
        for (index, node) in nodes.enumerated() {
            let inputs = node.inputs.map { channels[self.index(of: $0)!] }
            var layer = node.layer
            if case .convolution(var convolution) = layer, !isOutput[index] {
                let ratio = convolution.filters.quotientAndRemainder(dividingBy: inputShape(of: node).channels)
                // A depthwise convolution goes with the channels it reads.
                let isCoupled = convolution.pattern == .depthwise && ratio.remainder == 0
                convolution.filters =
                    isCoupled ? ratio.quotient * inputs[0] : roundedUp(alpha, of: convolution.filters)
                layer = .convolution(convolution)
            }
            channels.append(layer.outputChannels(inputs: inputs))
            scaled.append(Node(name: node.name, layer: layer, inputs: node.inputs))
        }
        do {
            return try Network(name: name, nodes: scaled, auxiliaryOutputs: auxiliaryOutputs)
        } catch {
            throw NetworkError("network '\(name)' cannot take the depth multiplier \(alpha): \(error)")
        }
    }

    /// For each node whether its channels reach an output unmixed.
    private func outputChannelNodes() -> [Bool] {
        let flow = ChannelFlow(self)
        var result = [Bool](repeating: false, count: nodes.count)
        result[nodes.count - 1] = true
        for output in auxiliaryOutputs { result[index(of: output.node)!] = true }
        for index in nodes.indices.reversed() where result[index] && !nodes[index].layer.makesChannels {
            for input in flow.inputs[index] { result[input] = true }
        }
        return result
    }
}

extension Layer {
    /// - Parameter inputs: the channels of each input.
    fileprivate func outputChannels(inputs: [Int]) -> Int {
        switch self {
        case .input(let shape): shape.channels
        case .convolution(let layer): layer.filters
        case .fullyConnected(let layer): layer.units
        case .concatenation: inputs.reduce(0, +)
        case .channelSelection(let channels): channels.count
        default: inputs[0]
        }
    }
}
