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
    /// Time spent in this epoch's steps and validation.
    public var seconds: Double
}

/// Where a training stands; together with parameters and velocities all that it needs to go on with the same bits.
public struct TrainingState: Hashable, Sendable, Codable {
    /// Epochs that are complete.
    public var epoch = 0
    /// Steps taken in the epoch under way.
    public var step = 0
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

extension EpochMetrics {
    /// Whether this epoch's model is the better one: by validation accuracy where images were held back, otherwise by
    /// training loss.
    func isBetter(than other: EpochMetrics) -> Bool {
        if let mine = validationAccuracy, let theirs = other.validationAccuracy { return mine > theirs }
        return trainingLoss < other.trainingLoss
    }
}
