import GossamerDatasets

/// How to train: everything besides the network and the images that the result depends on.
public struct TrainingSettings: Hashable, Sendable, Codable {
    /// Passes over the training images, 1 to 100000; 0 where a network is pruned and no more.
    public var epochs: Int
    /// Images in a step, 1 to 65536; the last step of an epoch takes what is left.
    public var batchSize: Int
    /// Above 0; the schedule scales it.
    public var learningRate: Double
    public var schedule: LearningRateSchedule
    public var optimizer: Optimizer
    /// 0 or more; kernels alone decay.
    public var weightDecay: Double
    /// In [0, 1): the share of every target that is spread over all classes.
    public var labelSmoothing: Double
    public var augmentation: Augmentation
    /// Batches whose gradients make one step, 1 to 65536. Their mean is that of a batch as large as all of them, but
    /// batch normalisation sees each batch by itself.
    public var accumulatedBatches: Int
    /// The largest norm of all gradients together, above 0; larger ones are scaled down to it. Nil for no limit.
    public var gradientNormLimit: Double?
    /// In (0, 1): the decay of a moving average of the parameters, which then is what is evaluated and saved. Nil for
    /// none.
    public var averageDecay: Double?
    /// Layers whose names begin with one of these keep their parameters and running statistics.
    public var frozenPrefixes: [String]
    /// Nil keeps all connections.
    public var pruning: Pruning?
    /// Of initial weights, the order of the images, augmentation and dropout.
    public var seed: UInt64

    public init(
        epochs: Int = 8, batchSize: Int = 32, learningRate: Double = 0.02,
        schedule: LearningRateSchedule = LearningRateSchedule(.cosine, warmupEpochs: 0.5),
        optimizer: Optimizer = .sgd(momentum: 0.9), weightDecay: Double = 5e-4, labelSmoothing: Double = 0,
        augmentation: Augmentation = .none, accumulatedBatches: Int = 1, gradientNormLimit: Double? = nil,
        averageDecay: Double? = nil, frozenPrefixes: [String] = [], pruning: Pruning? = nil,
        seed: UInt64 = 1
    ) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.schedule = schedule
        self.optimizer = optimizer
        self.weightDecay = weightDecay
        self.labelSmoothing = labelSmoothing
        self.augmentation = augmentation
        self.accumulatedBatches = accumulatedBatches
        self.gradientNormLimit = gradientNormLimit
        self.averageDecay = averageDecay
        self.frozenPrefixes = frozenPrefixes
        self.pruning = pruning
        self.seed = seed
    }

    /// - Throws: the first value out of its range.
    public func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: name, found: "\(found)", expected: expected) }
        }
        // Pruning alone needs no epoch.
        let fewest = pruning == nil ? 1 : 0
        try check((fewest ... 100_000).contains(epochs), "epochs", epochs, "\(fewest) to 100000")
        try pruning?.validate(epochs: epochs)
        try check((1 ... 65_536).contains(batchSize), "batch size", batchSize, "1 to 65536")
        try check(learningRate > 0 && learningRate.isFinite, "learning rate", learningRate, "a number above 0")
        try optimizer.validate()
        try check(weightDecay >= 0 && weightDecay.isFinite, "weight decay", weightDecay, "0 or more")
        try check((0 ..< 1).contains(labelSmoothing), "label smoothing", labelSmoothing, "at least 0 and below 1")
        try check(
            (1 ... 65_536).contains(accumulatedBatches), "accumulated batches", accumulatedBatches, "1 to 65536")
        if let limit = gradientNormLimit {
            try check(limit > 0 && limit.isFinite, "gradient norm limit", limit, "a number above 0")
        }
        if let decay = averageDecay {
            try check(decay > 0 && decay < 1, "average decay", decay, "above 0 and below 1")
        }
    }
}
