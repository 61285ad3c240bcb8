/// The figures of one epoch, a line of `metrics.jsonl`.
public struct EpochMetrics: Hashable, Sendable, Codable {
    /// Counted from 1.
    public var epoch: Int
    public var learningRate: Double
    public var trainingLoss: Double
    /// Fractions of images classified right; of the training images while they were trained on.
    public var trainingAccuracy: Double
    public var validationLoss: Double?
    public var validationAccuracy: Double?
    /// On images that are watched and decide nothing, in those epochs that they are evaluated after.
    public var testLoss: Double?
    public var testAccuracy: Double?
    /// Time spent in this epoch's steps and validation.
    public var seconds: Double
}

/// Where a training stands: with parameters and the optimizer's state all that it needs to go on with the same bits.
public struct TrainingState: Hashable, Sendable, Codable {
    /// Epochs that are complete.
    public var epoch = 0
    /// Batches taken in the epoch under way.
    public var step = 0
    /// Steps of the optimizer since the beginning: one for each batch, or each group of accumulated batches.
    public var updates = 0
    /// How often connections were removed, grown and explored so far.
    public var removals = 0
    public var growths = 0
    public var explorations = 0
    /// The epoch of the last such change, counted from 0.
    public var changeEpoch = 0
    public var changes: [ConnectionChange] = []
    /// Connections of each convolution that exploration keeps to.
    public var budgets: [String: Int] = [:]
    public var lossSum = 0.0
    public var correctCount = 0
    public var imageCount = 0
    public var epochSeconds = 0.0
    public var history: [EpochMetrics] = []
    /// The best epoch so far, counted from 1; 0 before the first.
    public var bestEpoch = 0

    public init() {}

    /// Seconds of training over all epochs, interruptions not counted.
    public var seconds: Double { history.reduce(epochSeconds) { $0 + $1.seconds } }

    public var best: EpochMetrics? { bestEpoch > 0 ? history[bestEpoch - 1] : nil }
}

extension TrainingState {
    /// What a training's state must keep to.
    struct Limits {
        let epochs: Int
        let stepsPerEpoch: Int
        let batchSize: Int
        let removals: Int
        let growths: Int
    }

    /// Whether a training could be in this state: it may come from a damaged file.
    func isPossible(within limits: Limits) -> Bool {
        (0 ... limits.epochs).contains(epoch) && (0 ... limits.stepsPerEpoch).contains(step)
            && history.map(\.epoch) == Array(1 ..< epoch + 1)
            && (0 ... epoch * limits.stepsPerEpoch + step).contains(updates)
            && (0 ... limits.removals).contains(removals) && (0 ... limits.growths).contains(growths)
            && (0 ... updates).contains(explorations) && (0 ... epoch).contains(changeEpoch)
            && changes.count <= removals + growths + explorations && changes.allSatisfy { $0.epoch <= epoch + 1 }
            && (min(1, epoch) ... epoch).contains(bestEpoch)
            && (0 ... step * limits.batchSize).contains(imageCount) && (0 ... imageCount).contains(correctCount)
            && lossSum.isFinite && epochSeconds >= 0 && epochSeconds.isFinite
    }
}

extension EpochMetrics {
    /// Whether this epoch's model is the better one: by validation accuracy where images were held back, otherwise by
    /// training loss.
    func isBetter(than other: EpochMetrics) -> Bool {
        if let mine = validationAccuracy, let theirs = other.validationAccuracy { return mine > theirs }
        return trainingLoss < other.trainingLoss
    }
}
