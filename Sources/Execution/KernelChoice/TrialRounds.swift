/// Finds the shortest time of each of several contestants on a machine whose speed changes for seconds at a time.
///
/// They run in turns, so that what disturbs one disturbs its rivals too. Those that are clearly slower leave early;
/// their time goes to those that are nearly as fast as the fastest.
package struct TrialRounds {
    /// How long a contestant may run, on average, where three rounds take less.
    private let patience: Duration
    /// Times as long as the fastest, above which a contestant leaves after two rounds and after three.
    private let slow: Double
    private let close: Double
    private static let mostRounds = 20

    /// Looks for the fastest: the others' times are only as exact as that needs.
    package static func findingFastest(patience: Duration) -> TrialRounds {
        TrialRounds(patience: patience, slow: 1.5, close: 1.15)
    }

    /// Times everyone alike.
    package static func timingAll(patience: Duration) -> TrialRounds {
        TrialRounds(patience: patience, slow: .infinity, close: .infinity)
    }

    /// - Parameter time: runs a contestant once.
    package func shortest(of count: Int, _ time: (_ contestant: Int) -> Duration) -> [Duration] {
        var times = (0 ..< count).map(time)
        var running = Array(times.indices)
        var spent = times.reduce(.zero, +)
        let limit = max(patience * count, spent * 3)
        for round in 2 ... Self.mostRounds {
            if round > 2 {
                let fastest = times.min()!
                running.removeAll { times[$0] / fastest > (round == 3 ? slow : close) }
                let isDecided = running.count == 1 && count > 1
                if isDecided || round > 3 && spent >= limit { break }
            }
            for contestant in running {
                let duration = time(contestant)
                times[contestant] = min(times[contestant], duration)
                spent += duration
            }
        }
        return times
    }
}
