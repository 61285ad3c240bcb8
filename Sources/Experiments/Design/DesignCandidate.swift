/// What a candidate costs, known before it is trained.
public struct CandidateCost: Codable, Hashable, Sendable {
    /// Counted exactly.
    public var run: RunCost
    /// What its training holds: exact.
    public var trainingMemoryBytes: Int
    /// Of one image on one thread, predicted; nil where no limit asks for it.
    public var latencyMilliseconds: Double?

    public init(run: RunCost, trainingMemoryBytes: Int, latencyMilliseconds: Double? = nil) {
        self.run = run
        self.trainingMemoryBytes = trainingMemoryBytes
        self.latencyMilliseconds = latencyMilliseconds
    }
}

/// A network that could be the answer: a pattern and a depth multiplier.
public struct DesignCandidate: Codable, Hashable, Sendable {
    public var pattern: String
    public var depthMultiplier: Double
    public var cost: CandidateCost
    /// Of its training, from steps that were timed; nil before.
    public var epochSeconds: Double?

    public init(pattern: String, depthMultiplier: Double, cost: CandidateCost, epochSeconds: Double? = nil) {
        self.pattern = pattern
        self.depthMultiplier = depthMultiplier
        self.cost = cost
        self.epochSeconds = epochSeconds
    }

    /// In words, as ``RunConfiguration/sizeName``.
    public var name: String { RunConfiguration.sizeName(pattern: pattern, depthMultiplier: depthMultiplier) }

    /// Whether it is of the baseline: fewer channels, none of their connections left out.
    public var isBaseline: Bool { pattern == "dense" }

    /// What to train of it.
    func configuration(_ settings: RunConfiguration, epochs: Int, validationFraction: Double) -> RunConfiguration {
        var configuration = settings
        configuration.pattern = pattern
        configuration.depthMultiplier = depthMultiplier
        configuration.epochs = epochs
        configuration.validationFraction = validationFraction
        return configuration
    }
}
