import GossamerExecution
import Testing

/// Contestants on a machine whose time the test tells.
@Suite struct TrialRoundsTests {
    /// Contestants that need their milliseconds, times the machine's slowness at that moment.
    private final class Machine {
        private let needs: [Double]
        private let slowness: (_ now: Double) -> Double
        private(set) var now = 0.0
        private(set) var runs: [Int] = []

        init(_ needs: [Double], slowness: @escaping (_ now: Double) -> Double = { _ in 1 }) {
            self.needs = needs
            self.slowness = slowness
        }

        func time(_ contestant: Int) -> Duration {
            let milliseconds = needs[contestant] * slowness(now)
            now += milliseconds
            runs.append(contestant)
            return .microseconds(Int(milliseconds * 1000))
        }

        func runs(of contestant: Int) -> Int { runs.count { $0 == contestant } }

        func fastest(patience: Duration = .milliseconds(10)) -> Int? {
            let times = TrialRounds.findingFastest(patience: patience).shortest(of: needs.count, time)
            return times.indices.min { times[$0] < times[$1] }
        }
    }

    /// Half as fast from one moment to another: whichever runs then has rivals that do too.
    @Test(arguments: [0.0, 2, 7, 12, 19, 26], [5.0, 13])
    func aSlowMomentDecidesNothing(begin: Double, length: Double) {
        for needs in [[3.0, 2.8], [2.8, 3.0], [2.8, 3.0, 4, 9], [9, 4, 3.0, 2.8]] {
            let machine = Machine(needs) { $0 >= begin && $0 < begin + length ? 1.5 : 1 }
            #expect(machine.fastest() == needs.firstIndex(of: 2.8), "\(needs) in \(machine.runs)")
        }
    }

    @Test func slowOnesLeaveAndCloseOnesStay() {
        let machine = Machine([1, 1.1, 1.3, 1.6, 5])
        #expect(machine.fastest(patience: .milliseconds(20)) == 0)
        #expect((0 ..< 3).map(machine.runs(of:)) == [20, 20, 3])
        #expect((3 ..< 5).map(machine.runs(of:)) == [2, 2])
    }

    @Test func aClearWinnerEndsTheTrial() {
        #expect(Machine([2, 5]).fastest() == 0)
        let machine = Machine([5, 2])
        #expect(machine.fastest() == 1)
        #expect(machine.runs == [0, 1, 0, 1])
    }

    /// As much as three rounds of all, or their patience, and one more round of those that are left.
    @Test(arguments: [0.01, 1, 4, 100]) func timeIsBounded(scale: Double) {
        for needs in [[1, 1, 1], [1, 1.1, 1.2, 1.6, 3], [1, 20]] {
            let machine = Machine(needs.map { $0 * scale })
            _ = machine.fastest()
            let round = scale * needs.reduce(0, +)
            #expect(machine.now <= max(3 * round, 10 * Double(needs.count)) + round)
        }
    }

    @Test func whoIsTimedAloneRunsForThePatience() {
        for (need, runs) in [(1.0, 10), (0.1, 20), (50, 3)] {
            let machine = Machine([need])
            #expect(TrialRounds.timingAll(patience: .milliseconds(10)).shortest(of: 1, machine.time).count == 1)
            #expect(machine.runs(of: 0) == runs)
        }
    }

    @Test func everyoneIsTimedAlike() {
        let machine = Machine([1, 30, 2])
        let times = TrialRounds.timingAll(patience: .milliseconds(10)).shortest(of: 3, machine.time)
        #expect(times == [.milliseconds(1), .milliseconds(30), .milliseconds(2)])
        #expect((0 ..< 3).map(machine.runs(of:)) == [3, 3, 3])
    }
}
