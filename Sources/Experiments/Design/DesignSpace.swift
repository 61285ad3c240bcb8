import Foundation

/// Proposes networks that use a budget up, in different ways: fewer channels, fewer connections, and both.
struct DesignSpace {
    let budget: DesignBudget
    /// Of a pattern at a depth multiplier; throws what is wrong with it.
    let cost: (_ pattern: String, _ depthMultiplier: Double) throws -> CandidateCost

    /// Kinds of sparse patterns, the first before the others where time is short.
    static let patterns = ["random", "random,block=4"]
    private static let leastDensity = 1e-4

    /// Candidates in the order in which they are given up where time is short, the last first; and what fits no
    /// network, one line each.
    func candidates() throws -> (candidates: [DesignCandidate], notes: [String]) {
        if budget.accuracy != nil && !budget.limitsNetwork { return (try frontier(), []) }
        let dense = try candidate("dense", 1)
        return budget.admits(dense.cost) ? (try whole(dense), []) : try limited()
    }

    /// Networks of all sizes.
    private func frontier() throws -> [DesignCandidate] {
        let sparse = try [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map {
            try candidate(PatternText(Self.patterns[0]).at(density: $0), 1)
        }
        return sparse + (try [0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1].map { try candidate("dense", $0) })
    }

    /// Where the whole network is allowed, what trains faster than it.
    private func whole(_ dense: DesignCandidate) throws -> [DesignCandidate] {
        let sparse: [(String, Double)] = [
            ("random", 0.25), ("random", 0.1), ("random", 0.5), ("random,block=4", 0.25), ("random,block=4", 0.1),
        ]
        let others = try sparse.map { try candidate(PatternText($0.0).at(density: $0.1), 1) }
        let narrow = try [0.5, 0.71].map { try candidate("dense", $0) }
        return [dense, others[0], narrow[0]] + others[1...] + [narrow[1]]
    }

    private func limited() throws -> (candidates: [DesignCandidate], notes: [String]) {
        var notes: [String] = []
        var candidates: [DesignCandidate] = []
        // Multiply-adds grow with every channel.
        let narrow = try DepthMultiplierSolver.solve(target: .max - 1) { multiplier in
            let cost = try cost("dense", multiplier)
            return budget.admits(cost) ? cost.run.multiplyAdds : .max
        }
        if let narrow {
            candidates.append(try candidate("dense", narrow.multiplier))
        } else {
            notes.append("no depth multiplier makes the network small enough")
        }
        // Between the full width, where the pattern alone makes it small, and the width at which no pattern is needed.
        let least = max(narrow?.multiplier ?? 0.1, 0.01)
        for (share, patterns) in [(0.0, 2), (0.5, 2), (0.25, 2), (0.75, 2)] {
            let width = share == 0 ? 1 : rounded(pow(least, share))
            for pattern in Self.patterns.prefix(patterns) {
                guard let density = try densest(PatternText(pattern), width) else {
                    notes.append("at depth multiplier \(plain(width)), no \(pattern) pattern is sparse enough")
                    continue
                }
                candidates.append(try candidate(PatternText(pattern).at(density: density), width))
            }
        }
        return (candidates.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }, notes)
    }

    /// The largest density that the budget allows, to three digits; nil if there is none.
    private func densest(_ pattern: PatternText, _ multiplier: Double) throws -> Double? {
        func fits(_ density: Double) throws -> Bool {
            budget.admits(try cost(pattern.at(density: density), multiplier))
        }
        guard try fits(Self.leastDensity) else { return nil }
        var (low, high) = (Self.leastDensity, 1.0)
        while high / low > 1.01 {
            let middle = rounded((low * high).squareRoot())
            guard middle > low, middle < high else { break }
            if try fits(middle) { low = middle } else { high = middle }
        }
        return low
    }

    private func candidate(_ pattern: String, _ depthMultiplier: Double) throws -> DesignCandidate {
        DesignCandidate(pattern: pattern, depthMultiplier: depthMultiplier, cost: try cost(pattern, depthMultiplier))
    }

    /// To three digits.
    private func rounded(_ value: Double) -> Double { Double(Format.significant(value, 3)) ?? value }
}
