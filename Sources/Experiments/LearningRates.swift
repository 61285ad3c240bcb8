import GossamerTensors

/// The learning rate of each method of a comparison, chosen once: `learning-rates.json`.
public struct LearningRates: Codable, Hashable, Sendable {
    public struct Choice: Codable, Hashable, Sendable {
        public var method: RunConfiguration.Method
        public var learningRate: Double
        /// Of the trainings that decided, with this rate, on images held back.
        public var validationAccuracy: Double
        /// What these trained, such as `random:0.1`.
        public var network: String
    }

    /// In the order in which they were made, one for each method.
    public var choices: [Choice]

    public init(choices: [Choice] = []) { self.choices = choices }

    public subscript(method: RunConfiguration.Method) -> Choice? { choices.first { $0.method == method } }

    var problem: FieldProblem? {
        let isInRange = choices.allSatisfy {
            $0.learningRate > 0 && $0.learningRate.isFinite && (0 ... 1).contains($0.validationAccuracy)
        }
        return isInRange ? nil : FieldProblem(field: "choices", expected: "rates above 0 and accuracies in [0, 1]")
    }

    /// One line each.
    public var notes: [String] {
        choices.map {
            "learning rate of the method \($0.method.rawValue): \(plain($0.learningRate)), with which \($0.network) "
                + "reached \(Format.percent($0.validationAccuracy)) of the images held back"
        }
    }
}

/// Chooses the learning rate of each method of a comparison: the one with which its network of middling cost is most
/// accurate on training images held back. It is trained as all points are, with the first seed.
public struct LearningRateSearch: Sendable {
    /// A method's network with each of the rates.
    private struct Trial {
        let method: RunConfiguration.Method
        let points: [ComparisonPoint]
    }

    private let trials: [Trial]

    /// - Parameters:
    ///   - points: of the whole comparison, cheapest first.
    ///   - known: methods with a choice have no trial.
    ///   - validationFraction: of the training images.
    public init(
        _ comparison: Comparison, _ points: [ComparisonPoint], known: LearningRates, validationFraction: Double
    ) {
        let candidates = points.filter { $0.configuration.seed == comparison.seeds[0] }
        trials = RunConfiguration.Method.allCases.compactMap { method in
            let own = candidates.filter { $0.configuration.method == method }
            guard known[method] == nil, let rates = comparison.learningRates, !own.isEmpty else { return nil }
            let middle = own[(own.count - 1) / 2]
            return Trial(method: method, points: rates.map { rate in
                var configuration = middle.configuration
                configuration.learningRate = rate
                configuration.validationFraction = validationFraction
                return ComparisonPoint(configuration: configuration, cost: middle.cost)
            })
        }
    }

    /// What is to be trained in the folder's ``ComparisonFolder/rateTrials``.
    public var plan: ComparisonPlan { ComparisonPlan(points: trials.flatMap(\.points)) }

    /// Settles the choices once all trials are trained. What another process has settled meanwhile stands.
    ///
    /// - Returns: the rates of all methods.
    /// - Throws: `option` where a method could be trained with none of the rates.
    public func settle(in folder: ComparisonFolder, isCancelled: () -> Bool) throws -> LearningRates {
        let claim = try PointClaim.waited(at: folder.rateTrials.path + "/claim", isCancelled: isCancelled)
        defer { claim.release() }
        var rates = try folder.loadRates()
        for trial in trials where rates[trial.method] == nil {
            rates.choices.append(try choice(of: trial, in: folder.rateTrials))
        }
        try folder.save(rates)
        return rates
    }

    private func choice(of trial: Trial, in folder: ComparisonFolder) throws -> LearningRates.Choice {
        let records = try trial.points.map { try folder.runFolder(ofPoint: $0.id).load() }
        let done = records.compactMap { record in
            record.status == .completed ? record.results?.validationAccuracy.map { (record, $0) } : nil
        }
        // Of equal ones the smaller rate.
        guard let (best, accuracy) = done.max(by: {
            ($0.1, -$0.0.configuration.learningRate) < ($1.1, -$1.0.configuration.learningRate)
        }) else {
            let message = records.compactMap(\.message).first ?? "none was trained"
            throw ExperimentError.option(
                name: "learning rates",
                expected: "one with which the method \(trial.method.rawValue) can be trained; \(message)")
        }
        return LearningRates.Choice(
            method: trial.method, learningRate: best.configuration.learningRate, validationAccuracy: accuracy,
            network: best.configuration.sizeName)
    }
}
