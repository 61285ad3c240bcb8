import Foundation
import GossamerNetworks

/// Dynamic connections: now and then each layer drops those connections whose kernels are smallest, and grows as many
/// others, with kernels of zero.
///
/// Grown at random this is SET (Mocanu et al. 2018), by gradient RigL (Evci et al. 2020), here with whole kernels.
/// Written `by=gradient,drop=0.3,every=100,until=0.75`, and `score=saliency` where something else than the smallest
/// kernels goes.
public struct Exploration: Hashable, Sendable {
    /// The share of each layer's connections that the first exploration drops, in (0, 1); it falls along half a cosine.
    public var drop: Double
    /// Steps between explorations, at least 1.
    public var every: Int
    /// The part of the training that explores, in (0, 1].
    public var until: Double
    public var by: GrowthRule
    /// What goes, those with the lowest; a saliency is that of the batch which gradients are measured on.
    public var score: Pruning.Score
    /// So many filters in a row drop and grow a channel together, 1 to 64.
    public var block: Int

    public init(
        by: GrowthRule = .gradient, drop: Double = 0.3, every: Int = 100, until: Double = 0.75,
        score: Pruning.Score = .magnitude, block: Int = 1
    ) {
        self.drop = drop
        self.every = every
        self.until = until
        self.by = by
        self.score = score
        self.block = block
    }
}

extension Exploration {
    /// The share of its connections that a layer drops.
    ///
    /// - Parameter share: of the training's steps that are done.
    func drop(after share: Double) -> Double { drop / 2 * (1 + cos(.pi * min(1, share / until))) }

    /// - Throws: the first value out of its range.
    func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else {
                throw .invalidOption(name: "exploration", found: "\(name)=\(found)", expected: expected)
            }
        }
        try check(drop > 0 && drop < 1, "drop", drop, "a number above 0 and below 1")
        try check((1 ... 1 << 40).contains(every), "every", every, "1 or more steps")
        try check(until > 0 && until <= 1, "until", until, "a number above 0 and at most 1")
        try check((1 ... 64).contains(block), "block", block, "1 to 64")
    }
}

extension Exploration: CustomStringConvertible {
    public var description: String {
        var parts = ["by=\(by.rawValue)", "drop=\(drop.shortest)", "every=\(every)", "until=\(until.shortest)"]
        if score != .magnitude { parts.append("score=\(score.rawValue)") }
        if block > 1 { parts.append("block=\(block)") }
        return parts.joined(separator: ",")
    }

    /// - Parameter block: where the text says nothing of it.
    /// - Throws: ``TrainingError`` that quotes the text and says what was expected.
    public init(parsing text: String, block: Int = 1) throws(TrainingError) {
        let parts = try KeyedText(text, name: "exploration", keys: ["by", "drop", "every", "until", "score", "block"])
        guard let rule = try parts.choice("by", GrowthRule.self) else {
            throw parts.failure("by=gradient (RigL) or by=random (SET)")
        }
        self.init(
            by: rule, drop: try parts.number("drop") ?? 0.3, every: try parts.integer("every") ?? 100,
            until: try parts.number("until") ?? 0.75,
            score: try parts.choice("score", Pruning.Score.self) ?? .magnitude,
            block: try parts.integer("block") ?? block)
        try validate()
    }
}

extension Exploration: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
