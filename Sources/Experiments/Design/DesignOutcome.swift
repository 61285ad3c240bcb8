/// What came of a design.
public struct DesignOutcome: Sendable {
    /// A short training of a candidate.
    public struct Trial: Hashable, Sendable {
        /// Its place in the design.
        public let candidate: Int
        public let record: RunRecord
        /// Why it is out of the running: its training failed, or it is slower than it may be.
        public let problem: String?

        init(candidate: Int, record: RunRecord, latencyLimit: Double?) {
            self.candidate = candidate
            self.record = record
            if record.status != .completed {
                problem = record.message ?? "not completed"
            } else if let limit = latencyLimit, let found = record.results?.singleImageLatencyMilliseconds,
                found > limit {
                problem = "\(Format.milliseconds(found)) for one image where \(Format.milliseconds(limit)) is allowed"
            } else {
                problem = nil
            }
        }

        /// On images held back; nil where it is out of the running.
        public var accuracy: Double? {
            problem == nil ? record.results?.validationAccuracy : nil
        }
    }

    public struct Round: Sendable {
        public let trials: [Trial]
        /// How many went on.
        public let kept: Int

        init(trials: [Trial], keeping kept: Int) {
            self.trials = trials
            self.kept = kept
        }

        /// The best first, of equal ones the smaller; without those out of the running.
        public var ranking: [Trial] {
            trials.filter { $0.accuracy != nil }.sorted {
                if $0.accuracy! != $1.accuracy! { return $0.accuracy! > $1.accuracy! }
                return $0.record.cost!.parameters < $1.record.cost!.parameters
            }
        }
    }

    /// A candidate trained in full.
    public struct Final: Sendable {
        public let candidate: DesignCandidate
        public let record: RunRecord

        public var results: RunResults { record.results! }
        public var cost: RunCost { record.cost! }
    }

    public let budget: DesignBudget
    public let rounds: [Round]
    public let choice: Final
    /// What it is compared with; nil where there was nothing.
    public let rival: Final?
    /// Of the whole design, by all processes that worked on it.
    public let seconds: Double
    public let notes: [String]
}

extension DesignOutcome {
    /// The best of the last round, and the best of the other kind: a depth multiplier, or where one was chosen, a
    /// network with fewer connections. Later rounds know more than earlier ones; what failed in one is out.
    ///
    /// - Parameter failed: candidates whose whole training failed.
    /// - Returns: their places in the design; no choice where all failed.
    static func finalists(
        of rounds: [Round], _ design: Design, without failed: Set<Int>
    ) -> (choice: Int?, rival: Int?) {
        let failed = failed.union(rounds.flatMap(\.trials).filter { $0.accuracy == nil }.map(\.candidate))
        // A single candidate goes through no round.
        let all = rounds.isEmpty ? [0] : rounds.reversed().flatMap { round in round.ranking.map(\.candidate) }
        let ranked = all.filter { !failed.contains($0) }
        guard let best = ranked.first else { return (nil, nil) }
        let choice: Int
        if design.isSearchForAccuracy {
            let reached = rounds[0].trials.first {
                $0.accuracy ?? 0 >= design.request.budget.accuracy! && !failed.contains($0.candidate)
            }
            choice = reached?.candidate ?? best
        } else {
            choice = best
        }
        let isBaseline = design.candidates[choice].isBaseline
        return (choice, ranked.first { design.candidates[$0].isBaseline != isBaseline })
    }

    /// What the choice has above the budget, one line each.
    public var excesses: [String] {
        var lines: [String] = []
        func check<Value: Comparable>(_ found: Value?, _ limit: Value?, _ what: String, _ text: (Value) -> String) {
            guard let found, let limit, found > limit else { return }
            lines.append("\(what): \(text(found)) where \(text(limit)) is allowed")
        }
        check(choice.cost.parameters, budget.parameters, "parameters", Format.exact)
        check(choice.cost.multiplyAdds, budget.multiplyAdds, "multiply-adds", Format.exact)
        check(choice.results.singleImageLatencyMilliseconds, budget.latencyMilliseconds, "latency", Format.milliseconds)
        check(choice.results.trainingMemoryBytes, budget.trainingMemoryBytes, "memory in training") { Format.bytes($0) }
        check(seconds, budget.trainingSeconds, "training time", Format.seconds)
        if let least = budget.accuracy, choice.results.testAccuracy < least {
            lines.append(
                "accuracy: \(Format.percent(choice.results.testAccuracy)) where \(Format.percent(least)) is asked for")
        }
        return lines
    }

    /// Whether fewer channels are a better use of the budget than fewer connections, by the whole trainings; nil where
    /// only one of them was trained.
    public var multiplierWon: Bool? {
        guard let rival,
            [choice, rival].contains(where: { $0.candidate.isBaseline && $0.candidate.depthMultiplier < 1 })
        else { return nil }
        let better = choice.results.testAccuracy >= rival.results.testAccuracy ? choice : rival
        return better.candidate.isBaseline
    }
}
