import Foundation
import GossamerNetworks
import GossamerTraining

/// Proposes networks that use a budget up, in different ways: fewer channels, fewer connections, and both.
struct DesignSpace {
    let settings: RunConfiguration
    let budget: DesignBudget
    /// Throws what is wrong with a configuration.
    let cost: (RunConfiguration) throws -> CandidateCost

    /// A way of choosing connections, without their density.
    private struct Method {
        var pattern = "random"
        var distribution: ConnectionDistribution?
        var exploration: String?
        /// Begins with a quarter of the connections, and has all from half of the training on.
        var grows = false

        var name: String {
            [pattern, distribution?.rawValue, exploration, grows ? "grown" : nil].compactMap { $0 }
                .joined(separator: ", ")
        }

        static let random = Method()
        static let blocks = Method(pattern: "random,block=4")
        static let unevenLayers = Method(distribution: .erdosRenyiKernel)
        static let rigL = Method(exploration: "by=gradient")
        static let growing = Method(grows: true)
    }

    private static let leastDensity = 1e-4

    /// Candidates in the order in which they are given up where time is short, the last first; and what fits no
    /// network, one line each.
    func candidates() throws -> (candidates: [DesignCandidate], notes: [String]) {
        if budget.accuracy != nil && !budget.limitsNetwork { return (try frontier(), []) }
        let dense = try baseline(1)
        return budget.admits(dense.cost) ? (try whole(dense), []) : try limited()
    }

    /// Networks of all sizes.
    private func frontier() throws -> [DesignCandidate] {
        let sparse = try [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map { try candidate(.random, density: $0, 1) }
        return sparse + (try [0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1].map(baseline))
    }

    /// Where the whole network is allowed, what trains faster than it.
    private func whole(_ dense: DesignCandidate) throws -> [DesignCandidate] {
        let sparse: [(Method, Double)] = [
            (.random, 0.25), (.random, 0.1), (.growing, 1), (.random, 0.5), (.blocks, 0.25), (.rigL, 0.1),
        ]
        let others = try sparse.map { try candidate($0.0, density: $0.1, 1) }
        return [dense, others[0], try baseline(0.5)] + others[1...] + [try baseline(0.71)]
    }

    private func limited() throws -> (candidates: [DesignCandidate], notes: [String]) {
        var notes: [String] = []
        var candidates: [DesignCandidate] = []
        // Multiply-adds grow with every channel.
        let narrow = try DepthMultiplierSolver.solve(target: .max - 1) { multiplier in
            let cost = try baseline(multiplier).cost
            return budget.admits(cost) ? cost.run.multiplyAdds : .max
        }
        if let narrow {
            candidates.append(try baseline(narrow.multiplier))
        } else {
            notes.append("no depth multiplier makes the network small enough")
        }
        // Between the full width, where the pattern alone makes it small, and the width at which no pattern is needed.
        let least = max(narrow?.multiplier ?? 0.1, 0.01)
        let methods: [(Method, Double)] = [
            (.random, 0), (.random, 0.5), (.blocks, 0), (.unevenLayers, 0), (.random, 0.25), (.rigL, 0.5),
            (.blocks, 0.5), (.growing, 0.5),
        ]
        for (method, share) in methods {
            let width = share == 0 ? 1 : rounded(pow(least, share))
            if let found = try densest(method, width) {
                candidates.append(found)
            } else {
                notes.append("at depth multiplier \(plain(width)), no \(method.name) is sparse enough")
            }
        }
        return (unique(candidates), unique(notes))
    }

    private func unique<Value: Equatable>(_ values: [Value]) -> [Value] {
        values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The candidate of the largest density that the budget allows, to three digits; nil if there is none.
    private func densest(_ method: Method, _ multiplier: Double) throws -> DesignCandidate? {
        var best: DesignCandidate
        do {
            best = try candidate(method, density: Self.leastDensity, multiplier)
        } catch let error where error is NetworkError || error is TrainingError {
            // So few connections may leave an output without a path from the image.
            return nil
        }
        guard budget.admits(best.cost) else { return nil }
        var (low, high) = (Self.leastDensity, 1.0)
        while high / low > 1.01 {
            let middle = rounded((low * high).squareRoot())
            guard middle > low, middle < high else { break }
            let next = try candidate(method, density: middle, multiplier)
            if budget.admits(next.cost) { (low, best) = (middle, next) } else { high = middle }
        }
        return best
    }

    private func baseline(_ depthMultiplier: Double) throws -> DesignCandidate {
        try priced(Method(pattern: "dense"), "dense", depthMultiplier, growth: nil)
    }

    private func candidate(_ method: Method, density: Double, _ multiplier: Double) throws -> DesignCandidate {
        try priced(
            method, density < 1 ? PatternText(method.pattern).at(density: density) : "dense", multiplier,
            growth: method.grows ? "from=\(plain(density / 4)),within=0.5" : nil)
    }

    private func priced(
        _ method: Method, _ pattern: String, _ depthMultiplier: Double, growth: String?
    ) throws -> DesignCandidate {
        var candidate = DesignCandidate(
            pattern: pattern, depthMultiplier: depthMultiplier, distribution: method.distribution,
            growth: growth, exploration: method.exploration, cost: Self.unknown)
        candidate.cost = try cost(candidate.configuration(settings))
        return candidate
    }

    private static let unknown = CandidateCost(
        run: RunCost(
            parameters: 0, parametersWithoutClassifier: 0, convolutionParameters: 0, multiplyAdds: 0, connections: 0),
        trainingMemoryBytes: 0)

    /// To three digits.
    private func rounded(_ value: Double) -> Double { Double(Format.significant(value, 3)) ?? value }
}
