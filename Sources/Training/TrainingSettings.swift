import GossamerDatasets

/// How to train: everything besides the network and the images that the result depends on.
public struct TrainingSettings: Hashable, Sendable, Codable {
    /// Passes over the training images, 1 to 100000.
    public var epochs: Int
    /// Images in a step, 1 to 65536; the last step of an epoch takes what is left.
    public var batchSize: Int
    /// Above 0; the schedule scales it.
    public var learningRate: Double
    public var schedule: LearningRateSchedule
    /// Nesterov momentum in [0, 1).
    public var momentum: Double
    /// 0 or more; kernels alone decay.
    public var weightDecay: Double
    /// In [0, 1): the share of every target that is spread over all classes.
    public var labelSmoothing: Double
    public var augmentation: Augmentation
    /// Of initial weights, the order of the images, augmentation and dropout.
    public var seed: UInt64

    public init(
        epochs: Int = 8, batchSize: Int = 32, learningRate: Double = 0.02,
        schedule: LearningRateSchedule = LearningRateSchedule(.cosine, warmupEpochs: 0.5), momentum: Double = 0.9,
        weightDecay: Double = 5e-4, labelSmoothing: Double = 0, augmentation: Augmentation = .none, seed: UInt64 = 1
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.schedule = schedule
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.labelSmoothing = labelSmoothing
        self.augmentation = augmentation
        self.seed = seed
    }

    /// - Throws: the first value out of its range.
    public func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: name, found: "\(found)", expected: expected) }
        }
        try check((1 ... 100_000).contains(epochs), "epochs", epochs, "1 to 100000")
        try check((1 ... 65_536).contains(batchSize), "batch size", batchSize, "1 to 65536")
        try check(learningRate > 0 && learningRate.isFinite, "learning rate", learningRate, "a number above 0")
        try check((0 ..< 1).contains(momentum), "momentum", momentum, "at least 0 and below 1")
        try check(weightDecay >= 0 && weightDecay.isFinite, "weight decay", weightDecay, "0 or more")
        try check((0 ..< 1).contains(labelSmoothing), "label smoothing", labelSmoothing, "at least 0 and below 1")
    }
}
