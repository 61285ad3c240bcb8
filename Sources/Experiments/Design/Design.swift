/// A request for a network under a budget, and the candidates that were found for it: `design.json`.
public struct Design: Codable, Hashable, Sendable {
    public static let currentFormatVersion = 1

    /// What decides the candidates.
    public struct Request: Codable, Hashable, Sendable {
        /// Pattern and depth multiplier are those of each candidate; `epochs` are the most of a whole training.
        public var settings: RunConfiguration
        public var budget: DesignBudget

        public init(settings: RunConfiguration, budget: DesignBudget) {
            self.settings = settings
            self.budget = budget
        }

        package var problem: FieldProblem? {
            settings.problem.map { FieldProblem(field: "settings." + $0.field, expected: $0.expected) }
                ?? budget.problem
        }

        /// Where another request cannot share a folder with this one.
        func difference(from other: Request) -> SettingDifference? {
            if let difference = settings.difference(from: other.settings) { return difference }
            func text(_ limit: (some Any)?) -> String { limit.map { "\($0)" } ?? "none" }
            let (own, theirs) = (budget, other.budget)
            let limits: [(String, String, String)] = [
                ("parameters at most", text(own.parameters), text(theirs.parameters)),
                ("multiply-adds at most", text(own.multiplyAdds), text(theirs.multiplyAdds)),
                ("latency at most", text(own.latencyMilliseconds), text(theirs.latencyMilliseconds)),
                ("memory at most", text(own.trainingMemoryBytes), text(theirs.trainingMemoryBytes)),
                ("training time at most", text(own.trainingSeconds), text(theirs.trainingSeconds)),
                ("accuracy at least", text(own.accuracy), text(theirs.accuracy)),
            ]
            return limits.first { $0.1 != $0.2 }.map { SettingDifference(name: $0.0, own: $0.1, other: $0.2) }
        }
    }

    public var formatVersion = Self.currentFormatVersion
    public var request: Request
    /// Those that take part.
    public var candidates: [DesignCandidate]
    /// What could not be proposed, and why, one line each.
    public var notes: [String]

    var problem: FieldProblem? {
        if formatVersion != Self.currentFormatVersion {
            return FieldProblem(field: "formatVersion", expected: "\(Self.currentFormatVersion)")
        }
        if candidates.isEmpty { return FieldProblem(field: "candidates", expected: "at least one") }
        return request.problem.map { FieldProblem(field: "request." + $0.field, expected: $0.expected) }
    }
}

extension Design {
    /// Whether the cheapest network is sought that is accurate enough, however large it is.
    public var isSearchForAccuracy: Bool { request.budget.accuracy != nil && !request.budget.limitsNetwork }

    /// What proposing needs to know of networks and of this machine.
    public struct Measures {
        /// Throws what is wrong with a configuration.
        public var cost: (RunConfiguration) throws -> CandidateCost
        /// Of a training, from steps that are timed.
        public var epochSeconds: (RunConfiguration) throws -> Double

        public init(
            cost: @escaping (RunConfiguration) throws -> CandidateCost,
            epochSeconds: @escaping (RunConfiguration) throws -> Double
        ) {
            self.cost = cost
            self.epochSeconds = epochSeconds
        }
    }

    /// Proposes candidates for a request.
    ///
    /// - Parameter secondsLeft: of the time limit when the candidates are known; nil without a limit.
    /// - Throws: `option` where the budget admits no network, and what `measures` throw.
    public static func propose(
        _ request: Request, _ measures: Measures, secondsLeft: () -> Double?
    ) throws -> Design {
        if let problem = request.problem {
            throw ExperimentError.option(name: problem.field, expected: problem.expected)
        }
        var (candidates, notes) = try DesignSpace(
            settings: request.settings, budget: request.budget, cost: measures.cost
        ).candidates()
        guard !candidates.isEmpty else {
            throw ExperimentError.option(
                name: "budget",
                expected: "one that some network keeps to; not even the narrowest or sparsest of these does")
        }
        if let limit = request.budget.trainingSeconds {
            let start = secondsLeft() ?? 0
            for index in candidates.indices {
                // Steps of large networks take a while; the others go untried.
                if index > 0, start - (secondsLeft() ?? 0) > limit * timingShare {
                    notes += candidates[index...].map { "no time to try \($0.name)" }
                    candidates.removeSubrange(index...)
                    break
                }
                candidates[index].epochSeconds = try measures.epochSeconds(
                    candidates[index].configuration(request.settings))
            }
        }
        let design = Design(request: request, candidates: candidates, notes: notes)
        return design.isSearchForAccuracy ? design : design.limited(toSeconds: secondsLeft())
    }

    /// Of the time limit, what timing the candidates' steps may take.
    private static let timingShare = 0.1

    /// Without the candidates that there is no time to try.
    private func limited(toSeconds seconds: Double?) -> Design {
        let count = DesignSchedule.affordable(
            candidates.map { $0.epochSeconds ?? 0 }, mostEpochs: request.settings.epochs, seconds: seconds)
        var design = self
        design.candidates = Array(candidates.prefix(count))
        design.notes += candidates[count...].map { "no time to try \($0.name)" }
        return design
    }
}
