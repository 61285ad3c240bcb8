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
/// `from=0.01,double-every=10000,to=0.2`, or with `within=0.5` for `double-every`.
public struct Growth: Hashable, Sendable {
    /// The weights of new connections of filters that were there before. Those of new filters are always scaled:
    /// between filters that are all zero nothing could be learned.
    public enum InitialWeights: String, Hashable, Sendable, Codable, CaseIterable {
        /// The network goes on computing what it computed.
        case zero
        /// Drawn as the first weights are, for the number of connections that the filter now has.
        case scaled
    }

    /// When connections double.
    public enum Pace: Hashable, Sendable {
        /// After every so many steps of the optimizer, at least 1.
        case every(steps: Int)
        /// At even distances, the last time after this share of the training's steps, in (0, 1).
        case within(share: Double)
    }

    /// The density that training begins with, in (0, 1].
    public var from: Double
    /// When they double.
    public var pace: Pace
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
        from: Double, _ pace: Pace, to: Double = 1, channelsFrom: Double = 1, initial: InitialWeights = .zero,
        by: GrowthRule = .random, block: Int = 1, distribution: ConnectionDistribution = .uniform
    ) {
        self.from = from
        self.pace = pace
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

    /// How often connections have grown before a step.
    ///
    /// - Parameters:
    ///   - step: of the optimizer, from 0.
    ///   - updates: steps of the whole training.
    public func count(before step: Int, of updates: Int) -> Int {
        (0 ... count).last { self.step(of: $0, in: updates) <= step } ?? 0
    }

    /// The step before which a growth happens; growths count from 1.
    func step(of number: Int, in updates: Int) -> Int {
        switch pace {
        case .every(let steps): number * steps
        case .within(let share):
            max(number, Int(share * Double(updates) * Double(number) / Double(max(1, count))))
        }
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
        switch pace {
        case .every(let steps): try check((1 ... 1 << 40).contains(steps), "double-every", steps, "1 or more steps")
        case .within(let share): try check(share > 0 && share < 1, "within", share, "a share above 0 and below 1")
        }
        try check(to >= from && to <= 1, "to", to, "a density of at least \(from) and at most 1")
        try check(
            channelsFrom >= 1e-6 && channelsFrom <= 1, "channels-from", channelsFrom, "at least 1e-6 and at most 1")
        try check((1 ... 64).contains(block), "block", block, "1 to 64")
    }
}

extension Growth: CustomStringConvertible {
    public var description: String {
        var parts = ["from=\(from.shortest)", pace.description, "to=\(to.shortest)"]
        if channelsFrom < 1 { parts.append("channels-from=\(channelsFrom.shortest)") }
        if initial != .zero { parts.append("initial=\(initial.rawValue)") }
        if by != .random { parts.append("by=\(by.rawValue)") }
        if block > 1 { parts.append("block=\(block)") }
        if distribution != .uniform { parts.append("distribution=\(distribution.rawValue)") }
        return parts.joined(separator: ",")
    }

    private static let keys = [
        "from", "double-every", "within", "to", "channels-from", "initial", "by", "block", "distribution",
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
        let pace: Pace
        switch (try parts.integer("double-every"), try parts.number("within")) {
        case (let steps?, nil): pace = .every(steps: steps)
        case (nil, let share?): pace = .within(share: share)
        default: throw parts.failure("either double-every=STEPS or within=SHARE of the training")
        }
        let to = try parts.number("to") ?? to
        let channelsFrom = try parts.number("channels-from")
        guard let from = try parts.number("from") ?? channelsFrom.map({ _ in to }) else {
            throw parts.failure("from=DENSITY, or channels-from=SHARE")
        }
        self.init(
            from: from, pace, to: to, channelsFrom: channelsFrom ?? 1,
            initial: try parts.choice("initial", InitialWeights.self) ?? .zero,
            by: try parts.choice("by", GrowthRule.self) ?? .random, block: try parts.integer("block") ?? block,
            distribution: try parts.choice("distribution", ConnectionDistribution.self) ?? distribution)
        try validate()
    }
}

extension Growth.Pace: CustomStringConvertible {
    public var description: String {
        switch self {
        case .every(let steps): "double-every=\(steps)"
        case .within(let share): "within=\(share.shortest)"
        }
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
