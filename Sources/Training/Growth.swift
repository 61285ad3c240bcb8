import GossamerNetworks
import GossamerTensors

/// What decides which connections grow.
public enum GrowthRule: String, Hashable, Sendable, Codable, CaseIterable {
    case random
    /// Those whose kernels would have the largest gradients, on one batch (Evci et al. 2020).
    case gradient
}

/// Incremental training: it begins with few connections, or filters, and doubles them now and then (Changpinyo et al.
/// 2017, section 3.2.1).
///
/// Trained kernels stay as they are, with what the optimizer knows of them. Written
/// `from=0.01,double-every=10000,to=0.2`.
public struct Growth: Hashable, Sendable {
    /// The weights of new connections of filters that were there before. Those of new filters are always scaled:
    /// between filters that are all zero nothing could be learned.
    public enum InitialWeights: String, Hashable, Sendable, Codable, CaseIterable {
        /// The network goes on computing what it computed.
        case zero
        /// Drawn as the first weights are, for the number of connections that the filter now has.
        case scaled
    }

    /// The density that training begins with, in (0, 1].
    public var from: Double
    /// Steps between doublings, at least 1.
    public var doubleEvery: Int
    /// The density that growth ends with, `from` to 1.
    public var to: Double
    /// The share of every layer's filters that training begins with, in (0, 1]; it doubles too. New filters get random
    /// connections at their layer's density.
    public var channelsFrom: Double
    public var initial: InitialWeights
    public var by: GrowthRule
    /// So many filters in a row read the same channels, 1 to 64.
    public var block: Int
    public var distribution: ConnectionDistribution

    public init(
        from: Double, doubleEvery: Int, to: Double = 1, channelsFrom: Double = 1, initial: InitialWeights = .zero,
        by: GrowthRule = .random, block: Int = 1, distribution: ConnectionDistribution = .uniform
    ) {
        self.from = from
        self.doubleEvery = doubleEvery
        self.to = to
        self.channelsFrom = channelsFrom
        self.initial = initial
        self.by = by
        self.block = block
        self.distribution = distribution
    }
}

extension Growth {
    /// How often connections grow, if the training is long enough.
    public var count: Int {
        var count = 0
        while from * Double(1 << count) < to || channelsFrom * Double(1 << count) < 1 { count += 1 }
        return count
    }

    /// What the network has after a number of growths.
    public func budget(after growths: Int) -> ConnectionBudget {
        let factor = Double(1 << min(growths, count))
        return ConnectionBudget(
            density: min(to, from * factor), distribution: distribution, block: block,
            filterShare: min(1, channelsFrom * factor))
    }

    /// The network that training begins with.
    ///
    /// - Parameter network: with all channels and without connections of its own.
    public func start(of network: Network, seed: UInt64) throws(NetworkError) -> Subnetwork {
        try Subnetwork(drawing: budget(after: 0), of: network, seed: seed)
    }

    /// - Throws: the first value out of its range.
    func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: "growth", found: "\(name)=\(found)", expected: expected) }
        }
        try check(from >= 1e-6 && from <= 1, "from", from, "a density of at least 1e-6 and at most 1")
        try check((1 ... 1 << 40).contains(doubleEvery), "double-every", doubleEvery, "1 or more steps")
        try check(to >= from && to <= 1, "to", to, "a density of at least \(from) and at most 1")
        try check(
            channelsFrom >= 1e-6 && channelsFrom <= 1, "channels-from", channelsFrom, "at least 1e-6 and at most 1")
        try check((1 ... 64).contains(block), "block", block, "1 to 64")
    }
}

extension Growth: CustomStringConvertible {
    public var description: String {
        var parts = ["from=\(from.shortest)", "double-every=\(doubleEvery)", "to=\(to.shortest)"]
        if channelsFrom < 1 { parts.append("channels-from=\(channelsFrom.shortest)") }
        if initial != .zero { parts.append("initial=\(initial.rawValue)") }
        if by != .random { parts.append("by=\(by.rawValue)") }
        if block > 1 { parts.append("block=\(block)") }
        if distribution != .uniform { parts.append("distribution=\(distribution.rawValue)") }
        return parts.joined(separator: ",")
    }

    private static let keys = [
        "from", "double-every", "to", "channels-from", "initial", "by", "block", "distribution",
    ]

    /// - Parameters:
    ///   - to: where the text says nothing of it, as for `from` in a growth of channels alone.
    ///   - block: likewise.
    ///   - distribution: likewise.
    /// - Throws: ``TrainingError`` that quotes the text and says what was expected.
    public init(
        parsing text: String, to: Double = 1, block: Int = 1, distribution: ConnectionDistribution = .uniform
    ) throws(TrainingError) {
        let parts = try KeyedText(text, name: "growth", keys: Self.keys)
        guard let doubleEvery = try parts.integer("double-every") else { throw parts.failure("double-every=STEPS") }
        let to = try parts.number("to") ?? to
        let channelsFrom = try parts.number("channels-from")
        guard let from = try parts.number("from") ?? channelsFrom.map({ _ in to }) else {
            throw parts.failure("from=DENSITY, or channels-from=SHARE")
        }
        self.init(
            from: from, doubleEvery: doubleEvery, to: to, channelsFrom: channelsFrom ?? 1,
            initial: try parts.choice("initial", InitialWeights.self) ?? .zero,
            by: try parts.choice("by", GrowthRule.self) ?? .random, block: try parts.integer("block") ?? block,
            distribution: try parts.choice("distribution", ConnectionDistribution.self) ?? distribution)
        try validate()
    }
}

extension Growth: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
