import GossamerConnectivity

/// How a network's connections are shared out among its layers.
public enum ConnectionDistribution: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every layer has the same density.
    case uniform
    /// Small layers are denser: a layer's density is proportional to (n_in + n_out + height + width) / (n_in * n_out *
    /// height * width), and at most 1; all layers together have as many weights as with the uniform distribution
    /// (Erdos-Renyi-Kernel of Evci et al. 2020).
    case erdosRenyiKernel = "erdos-renyi-kernel"
}

/// How many connections a network's convolutions have, and among how many of its filters.
///
/// Layers with a pattern of their own have that pattern's density.
public struct ConnectionBudget: Hashable, Sendable {
    /// In (0, 1].
    public var density: Double
    public var distribution: ConnectionDistribution
    /// So many filters in a row read the same channels, at least 1.
    public var block: Int
    /// The share of every layer's filters that take part, the first of them, in (0, 1]; the network's outputs all do.
    public var filterShare: Double

    public init(
        density: Double, distribution: ConnectionDistribution = .uniform, block: Int = 1, filterShare: Double = 1
    ) {
        self.density = density
        self.distribution = distribution
        self.block = block
        self.filterShare = filterShare
    }
}

extension ConnectionBudget: CustomStringConvertible {
    public var description: String {
        var text = "random:\(density)"
        if block > 1 { text += ",block=\(block)" }
        if distribution != .uniform { text += " \(distribution.rawValue)" }
        if filterShare < 1 { text += " of \(filterShare) of the filters" }
        return text
    }
}

/// The size of a convolution whose connections are shared out.
struct LayerSize {
    let channels: Int
    let filters: Int
    let kernel: Size

    var area: Int { kernel.height * kernel.width }
    var possibleWeights: Double { Double(channels * filters * area) }
}

extension ConnectionDistribution {
    /// The mean number of channels that a filter of each layer reads.
    func fanIns(density: Double, of layers: [LayerSize]) -> [Double] {
        let uniform = layers.map {
            Double(Pattern.fanIn(density: density, channels: $0.channels, filters: $0.filters))
        }
        guard self == .erdosRenyiKernel else { return uniform }
        let weights = zip(layers, uniform).reduce(0) { $0 + Double($1.0.filters * $1.0.area) * $1.1 }
        return zip(layers, Self.kernelDensities(of: layers, weights: weights)).map { layer, density in
            // Every filter reads something.
            max(1, density * Double(layer.channels))
        }
    }

    /// Densities min(1, scale * ratio), where the scale makes the layers' weights together as many as wanted.
    private static func kernelDensities(of layers: [LayerSize], weights: Double) -> [Double] {
        let ratios = layers.map { layer in
            Double(layer.channels + layer.filters + layer.kernel.height + layer.kernel.width) / layer.possibleWeights
        }
        var isDense = [Bool](repeating: false, count: layers.count)
        while true {
            var (left, rest) = (weights, 0.0)
            for (index, layer) in layers.enumerated() {
                if isDense[index] {
                    left -= layer.possibleWeights
                } else {
                    rest += ratios[index] * layer.possibleWeights
                }
            }
            let scale = rest > 0 ? left / rest : 0
            let full = layers.indices.filter { !isDense[$0] && scale * ratios[$0] > 1 }
            guard !full.isEmpty else { return layers.indices.map { isDense[$0] ? 1 : scale * ratios[$0] } }
            for index in full { isDense[index] = true }
        }
    }
}
