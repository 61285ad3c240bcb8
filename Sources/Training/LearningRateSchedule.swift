import Foundation

/// How the learning rate changes over a training: a share of the base rate for every step.
///
/// Written `constant`, `cosine` or `step:every=10,factor=0.1`, each optionally with `warmup=N` epochs, as in
/// `cosine,warmup=1`.
public struct LearningRateSchedule: Hashable, Sendable {
    public enum Shape: Hashable, Sendable {
        case constant
        /// From the base rate to zero along half a cosine (Loshchilov and Hutter 2017).
        case cosine
        /// Times `factor` after every `every` epochs.
        case step(every: Double, factor: Double)
    }

    public var shape: Shape
    /// Epochs over which the rate first rises linearly from zero.
    public var warmupEpochs: Double

    public init(_ shape: Shape, warmupEpochs: Double = 0) {
        self.shape = shape
        self.warmupEpochs = warmupEpochs
    }

    /// - Parameters:
    ///   - epoch: epochs since the beginning, with fractions, before the step is taken.
    ///   - epochs: the length of the training.
    /// - Returns: what to multiply the base rate with.
    public func factor(epoch: Double, of epochs: Double, stepsPerEpoch: Int) -> Double {
        let step = 1 / Double(stepsPerEpoch)
        if epoch < warmupEpochs { return (epoch + step) / (warmupEpochs + step) }
        switch shape {
        case .constant: return 1
        case .step(let every, let factor): return pow(factor, (epoch / every).rounded(.down))
        case .cosine:
            let length = max(epochs - warmupEpochs, 1e-9)
            return 0.5 * (1 + cos(Double.pi * min(1, (epoch - warmupEpochs) / length)))
        }
    }
}

extension LearningRateSchedule: CustomStringConvertible {
    public var description: String {
        let base = switch shape {
        case .constant: "constant"
        case .cosine: "cosine"
        case .step(let every, let factor): "step:every=\(every.shortest),factor=\(factor.shortest)"
        }
        return warmupEpochs > 0 ? "\(base),warmup=\(warmupEpochs.shortest)" : base
    }

    /// - Throws: ``TrainingError`` that quotes the text and the forms that are understood.
    public init(parsing text: String) throws(TrainingError) {
        let failure = TrainingError.invalidOption(
            name: "schedule", found: text,
            expected: "constant, cosine or step:every=EPOCHS,factor=SHARE, optionally with ,warmup=EPOCHS")
        guard var parts = SettingText(text), parts.numbers.values.allSatisfy({ $0 > 0 }) else { throw failure }
        let warmup = parts.take("warmup") ?? 0
        switch (parts.name, parts.take("every"), parts.take("factor")) {
        case ("constant", nil, nil): self.init(.constant, warmupEpochs: warmup)
        case ("cosine", nil, nil): self.init(.cosine, warmupEpochs: warmup)
        case ("step", let every?, let factor?): self.init(.step(every: every, factor: factor), warmupEpochs: warmup)
        default: throw failure
        }
        guard parts.numbers.isEmpty else { throw failure }
    }
}

extension LearningRateSchedule: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
