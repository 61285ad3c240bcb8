import Foundation

/// Successive halving (Jamieson and Talwalkar 2016): every round keeps a third of the candidates, and trains those
/// three times as long. What a limit in time allows is settled anew before each round, from times measured so far.
package enum DesignSchedule {
    private static let factor = 3
    /// Of the time left, what trainings may take; evaluation and the report need some too.
    private static let usableShare = 0.85
    /// After the rounds, the choice and the network that it is compared with.
    private static let finalCount = 2

    /// How many of so many a round keeps.
    static func kept(of count: Int) -> Int { max(1, (count + factor - 1) / factor) }

    /// Rounds until one candidate is left.
    package static func roundCount(_ candidates: Int) -> Int {
        candidates > 1 ? 1 + roundCount(kept(of: candidates)) : 0
    }

    /// The epochs of each candidate in the next round.
    ///
    /// - Parameters:
    ///   - epochSeconds: of each candidate left; only needed where there is a limit.
    ///   - mostEpochs: of a whole training.
    ///   - seconds: that are left; nil for no limit.
    package static func epochs(_ epochSeconds: [Double], mostEpochs: Int, seconds: Double?) -> [Int] {
        let count = epochSeconds.count
        let share = 1 / pow(Double(factor), Double(roundCount(count)))
        return epochSeconds.map { epochSeconds in
            let fitting = seconds.map { $0 * usableShare / wholeTrainings(count) / epochSeconds } ?? .infinity
            return max(1, Int((min(Double(mostEpochs), fitting) * share).rounded()))
        }
    }

    /// The epochs of a whole training among so many that share the time left.
    package static func wholeEpochs(
        _ epochSeconds: Double, of trainings: Int, mostEpochs: Int, seconds: Double?
    ) -> Int {
        guard let seconds else { return mostEpochs }
        return max(1, Int(min(Double(mostEpochs), seconds * usableShare / Double(trainings) / epochSeconds)))
    }

    /// How many candidates, from the first, there is time for: one at least.
    static func affordable(_ epochSeconds: [Double], mostEpochs: Int, seconds: Double?) -> Int {
        guard let seconds else { return epochSeconds.count }
        return (2 ... max(2, epochSeconds.count)).last { count in
            guard count <= epochSeconds.count else { return false }
            let candidates = Array(epochSeconds.prefix(count))
            let epochs = epochs(candidates, mostEpochs: mostEpochs, seconds: seconds)
            let round = zip(epochs, candidates).reduce(0) { $0 + Double($1.0) * $1.1 }
            // Epochs are whole, so a round may take longer than its share; half the time must be left after it.
            return round <= seconds * usableShare / 2
        } ?? 1
    }

    /// What is left to do, in units of one whole training.
    private static func wholeTrainings(_ candidates: Int) -> Double {
        let rounds = roundCount(candidates)
        guard rounds > 0 else { return Double(finalCount) }
        return Double(candidates) / pow(Double(factor), Double(rounds)) + wholeTrainings(kept(of: candidates))
    }
}
