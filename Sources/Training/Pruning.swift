import GossamerNetworks
import GossamerTensors

/// How a training removes connections of its network's convolutions.
public struct Pruning: Hashable, Sendable, Codable {
    /// What decides which connections go: those with the lowest.
    public enum Score: String, Hashable, Sendable, Codable, CaseIterable {
        /// The root mean square of the kernel's weights.
        case magnitude
        /// |sum of weight * gradient| over the kernel, averaged over batches: what removing it changes of the loss, to
        /// first order (Molchanov et al. 2017).
        case saliency
        /// A number drawn from the seed.
        case random
    }

    /// Among which connections scores are compared.
    public enum Scope: String, Hashable, Sendable, Codable, CaseIterable {
        /// Within each layer, which keeps its share; every filter keeps its best connection.
        case uniform
        /// Over all layers, each of which keeps at least one.
        case global
    }

    /// The share of the connections that stay, in (0, 1], of the layers that are pruned: convolutions with a filter
    /// that reads several channels, without those that are frozen, excepted or dense by a pattern of their own.
    public var density: Double
    public var score: Score
    public var scope: Scope
    /// So many filters in a row lose a channel together, 1 to 64.
    public var block: Int
    /// The first epochs, over which the share falls by the cubic schedule of Zhu and Gupta (2017); 0 removes all before
    /// the first step.
    public var epochs: Double
    /// Removals in each of these epochs, 1 to 1000.
    public var removalsPerEpoch: Int
    /// For `saliency`, 1 to 10000.
    public var batches: Int
    /// Layers whose names begin with one of these are not pruned.
    public var exceptPrefixes: [String]

    public init(
        density: Double, score: Score = .magnitude, scope: Scope = .uniform, block: Int = 1, epochs: Double = 0,
        removalsPerEpoch: Int = 4, batches: Int = 16, exceptPrefixes: [String] = []
    ) {
        self.density = density
        self.score = score
        self.scope = scope
        self.block = block
        self.epochs = epochs
        self.removalsPerEpoch = removalsPerEpoch
        self.batches = batches
        self.exceptPrefixes = exceptPrefixes
    }
}

extension Pruning: CustomStringConvertible {
    public var description: String {
        var parts = ["density \(density.shortest)", "by \(score.rawValue)", "\(scope.rawValue)ly"]
        if block > 1 { parts.append("blocks of \(block)") }
        parts.append(epochs == 0 ? "at once" : "over \(epochs.shortest) epochs, \(removalsPerEpoch) times each")
        if score == .saliency { parts.append("\(batches) batches") }
        if !exceptPrefixes.isEmpty { parts.append("without \(exceptPrefixes.joined(separator: " "))") }
        return parts.joined(separator: ", ")
    }
}

extension Pruning {
    private static let keys = [
        "density", "score", "scope", "block", "over", "removals-per-epoch", "batches", "except",
    ]

    /// Reads `density=0.1,score=magnitude,scope=uniform,block=1,over=4,removals-per-epoch=4,batches=16,except=A+B`, of
    /// which all but the density may be left out. `over` counts epochs.
    ///
    /// - Throws: ``TrainingError`` that quotes the text and says what was expected.
    public init(parsing text: String) throws(TrainingError) {
        let parts = try KeyedText(text, name: "pruning", keys: Self.keys)
        guard let density = try parts.number("density") else { throw parts.failure("density=SHARE") }
        self.init(density: density)
        score = try parts.choice("score", Score.self) ?? score
        scope = try parts.choice("scope", Scope.self) ?? scope
        block = try parts.integer("block") ?? block
        epochs = try parts.number("over") ?? epochs
        removalsPerEpoch = try parts.integer("removals-per-epoch") ?? removalsPerEpoch
        batches = try parts.integer("batches") ?? batches
        exceptPrefixes = parts.text("except").map { $0.split(separator: "+").map(String.init) } ?? []
    }
}

extension Pruning {
    /// How often connections are removed.
    var removalCount: Int { max(1, Int((epochs * Double(removalsPerEpoch)).rounded(.up))) }

    /// The batches of the whole training before a removal, counted from 1.
    func batch(ofRemoval number: Int, stepsPerEpoch: Int) -> Int {
        Int((epochs * Double(stepsPerEpoch) * Double(number) / Double(removalCount)).rounded())
    }

    /// The share that a removal leaves.
    func density(afterRemoval number: Int) -> Double {
        let left = 1 - Double(number) / Double(removalCount)
        return density + (1 - density) * left * left * left
    }

    /// - Throws: the first value out of its range.
    func validate(epochs trainingEpochs: Int) throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: name, found: "\(found)", expected: expected) }
        }
        try check(density > 0 && density <= 1, "pruning density", density, "above 0 and at most 1")
        try check((1 ... 64).contains(block), "pruning block", block, "1 to 64")
        try check(
            epochs == 0 || (epochs > 0 && epochs < Double(trainingEpochs)), "pruning epochs", epochs,
            "at least 0 and below the \(trainingEpochs) epochs of the training")
        try check((1 ... 1000).contains(removalsPerEpoch), "removals per epoch", removalsPerEpoch, "1 to 1000")
        try check((1 ... 10_000).contains(batches), "pruning batches", batches, "1 to 10000")
    }

    /// Names of the layers of a network that are pruned.
    ///
    /// - Throws: `invalidOption` for an exception that fits no layer, and where nothing is left to prune.
    package func layers(of network: Network, frozen: Set<String>) throws(TrainingError) -> [String] {
        let convolutions = network.nodes.filter { node in
            guard case .convolution(let layer) = node.layer, layer.pattern != .dense else { return false }
            guard let table = network.connections[node.name] else { return network.inputShape(of: node).channels > 1 }
            return (0 ..< table.outputCount).contains { table.fanIn(of: $0) > 1 }
        }.map(\.name)
        for prefix in exceptPrefixes where prefix.isEmpty || !convolutions.contains(where: { $0.hasPrefix(prefix) }) {
            throw .invalidOption(
                name: "except", found: prefix, expected: "the beginning of the name of a layer that could be pruned")
        }
        let layers = convolutions.filter { name in
            !frozen.contains(name) && !exceptPrefixes.contains { name.hasPrefix($0) }
        }
        guard !layers.isEmpty else {
            throw .mismatch("network '\(network.name)' has no convolution that could be pruned")
        }
        return layers
    }
}
