import GossamerNetworks

/// What a candidate's network costs when it is trained, known before.
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

/// A way of making the network smaller, which could be the answer.
public struct DesignCandidate: Codable, Hashable, Sendable {
    public var pattern: String
    public var depthMultiplier: Double
    /// Nil for uniform.
    public var distribution: ConnectionDistribution?
    /// How its connections grow while it is trained, such as `from=0.05,within=0.5`; nil where all are there at once.
    public var growth: String?
    /// How its connections move while it is trained, such as `by=gradient`; nil where they stay.
    public var exploration: String?
    public var cost: CandidateCost
    /// Of its training, from steps that were timed; nil before.
    public var epochSeconds: Double?

    public init(
        pattern: String, depthMultiplier: Double, distribution: ConnectionDistribution? = nil,
        growth: String? = nil, exploration: String? = nil, cost: CandidateCost
    ) {
        self.pattern = pattern
        self.depthMultiplier = depthMultiplier
        self.distribution = distribution
        self.growth = growth
        self.exploration = exploration
        self.cost = cost
    }

    /// In words, as ``RunConfiguration/sizeName``.
    public var name: String {
        RunConfiguration.sizeName(
            pattern: pattern, depthMultiplier: depthMultiplier, distribution: distribution, growth: growth,
            exploration: exploration)
    }

    /// Whether it is of the baseline: fewer channels, none of their connections ever left out.
    public var isBaseline: Bool {
        switch RunConfiguration.Method(pattern: pattern, growth: growth, depthMultiplier: depthMultiplier) {
        case .dense, .multiplier: true
        case .sparse, .hybrid: false
        }
    }

    /// The settings of all candidates with what this one is.
    public func configuration(_ settings: RunConfiguration) -> RunConfiguration {
        var configuration = settings
        configuration.pattern = pattern
        configuration.depthMultiplier = depthMultiplier
        configuration.distribution = distribution
        configuration.growth = growth
        configuration.exploration = exploration
        return configuration
    }

    /// What to train of it.
    func configuration(_ settings: RunConfiguration, epochs: Int, validationFraction: Double) -> RunConfiguration {
        var configuration = configuration(settings)
        configuration.epochs = epochs
        configuration.validationFraction = validationFraction
        return configuration
    }
}
