import GossamerDatasets
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

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
    /// Nil where training begins with all the connections that the network has.
    public var growth: Growth?
    /// Nil keeps connections where they are.
    public var exploration: Exploration?
    /// Of initial weights, the order of the images, augmentation and dropout.
    public var seed: UInt64

    public init(
        epochs: Int = 8, batchSize: Int = 32, learningRate: Double = 0.02,
        schedule: LearningRateSchedule = LearningRateSchedule(.cosine, warmupEpochs: 0.5),
        optimizer: Optimizer = .sgd(momentum: 0.9), weightDecay: Double = 5e-4, labelSmoothing: Double = 0,
        augmentation: Augmentation = .none, accumulatedBatches: Int = 1, gradientNormLimit: Double? = nil,
        averageDecay: Double? = nil, frozenPrefixes: [String] = [], pruning: Pruning? = nil,
        growth: Growth? = nil, exploration: Exploration? = nil, seed: UInt64 = 1
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
        self.growth = growth
        self.exploration = exploration
        self.seed = seed
    }

    /// Whether the network's connections come or go.
    public var changesConnections: Bool { pruning != nil || growth != nil || exploration != nil }

    /// - Throws: the first value out of its range.
    public func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ name: String, _ found: Any, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: name, found: "\(found)", expected: expected) }
        }
        // Pruning alone needs no epoch.
        let fewest = pruning == nil ? 1 : 0
        try check((fewest ... 100_000).contains(epochs), "epochs", epochs, "\(fewest) to 100000")
        try pruning?.validate(epochs: epochs)
        try growth?.validate()
        try exploration?.validate()
        try check(
            growth == nil || pruning == nil, "growth", growth.map { "\($0)" } ?? "", "no pruning in the same training")
        try check(
            growth == nil || frozenPrefixes.isEmpty, "growth", growth.map { "\($0)" } ?? "",
            "no frozen layers in the same training")
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

extension TrainingSettings {
    /// Steps of the optimizer in the whole training.
    ///
    /// - Parameter stepsPerEpoch: batches of an epoch.
    public func updateCount(stepsPerEpoch: Int) -> Int {
        epochs * ((stepsPerEpoch + accumulatedBatches - 1) / accumulatedBatches)
    }

    /// What training begins with where connections come and go; nil where they stay.
    func subnetwork(of network: Network) throws(TrainingError) -> Subnetwork? {
        guard changesConnections else { return nil }
        guard let growth else { return Subnetwork(all: network) }
        do throws(NetworkError) {
            return try growth.start(of: network, seed: seed)
        } catch {
            throw .mismatch(error.description)
        }
    }

    /// What training ends with, as far as it is known before: the numbers of its connections are those of
    /// the end, which ones they are is not.
    ///
    /// - Parameters:
    ///   - network: the one to train, as ``Trainer`` takes it.
    ///   - updates: steps of the optimizer.
    /// - Returns: nil where the number of connections stays.
    public func finalSubnetwork(of network: Network, updates: Int) throws(TrainingError) -> Subnetwork? {
        do throws(NetworkError) {
            if let growth {
                var subnetwork = try growth.start(of: network, seed: seed)
                let growths = growth.count(before: updates - 1, of: updates)
                // One after the other: what has a path in the end depends on what had one before.
                for number in 0 ..< growths {
                    subnetwork = try subnetwork.grown(to: growth.budget(after: number + 1), seed: seed)
                }
                return subnetwork
            }
        } catch {
            throw .mismatch(error.description)
        }
        guard let pruning else { return nil }
        let all = Subnetwork(all: network)
        let layers = try pruning.layers(of: all.network, frozen: frozenNodes(of: network))
            .map { ChangingLayer($0, of: all, block: pruning.block) }
        var scores: [String: [Double]] = [:]
        for layer in layers {
            var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("pruning \(layer.node.name)"))
            scores[layer.node.name] = layer.table.inputs.map { _ in Double(generator.uniform()) }
        }
        let kept = ConnectionSelection(layers: layers, scores: scores)
            .kept(layers.map { Int((pruning.density * Double($0.table.count)).rounded(.up)) })
        do throws(NetworkError) { return try all.keeping(kept) } catch { throw .mismatch(error.description) }
    }

    /// How far, of all steps on average, the network's connections have come from their first number to their last.
    public func meanProgress(updates: Int) -> Double {
        if let pruning {
            // The mean of 1 - (1 - t)^3 while connections go is 3 / 4.
            let gradual = min(1, pruning.epochs / Double(max(1, epochs)))
            return 1 - gradual / 4
        }
        guard let growth, updates > 0 else { return 0 }
        func size(_ growths: Int) -> Double {
            let budget = growth.budget(after: growths)
            return budget.density * budget.filterShare
        }
        let count = growth.count(before: updates - 1, of: updates)
        guard size(count) > size(0) else { return 0 }
        let mean = (0 ... count).reduce(0.0) { sum, number in
            let end = number == count ? updates : growth.step(of: number + 1, in: updates)
            return sum + size(number) * Double(end - growth.step(of: number, in: updates)) / Double(updates)
        }
        return (mean - size(0)) / (size(count) - size(0))
    }
}
