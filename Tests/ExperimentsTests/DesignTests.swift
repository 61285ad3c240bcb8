import Foundation
import GossamerExperiments
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Synchronization
import Testing

/// What designs propose, without training anything.
@Suite struct DesignProposalTests {
    private static func cost(_ pattern: String, _ depthMultiplier: Double) -> CandidateCost {
        cost(.sample(pattern: pattern, depthMultiplier: depthMultiplier))
    }

    private static func cost(_ configuration: RunConfiguration) -> CandidateCost {
        let run = configuration.sampleCost
        return CandidateCost(
            run: run, trainingMemoryBytes: 12 * run.parameters, latencyMilliseconds: Double(run.multiplyAdds) / 1e7)
    }

    private func propose(
        _ budget: DesignBudget, epochSeconds: Double = 1, secondsLeft: Double? = nil
    ) throws -> Design {
        try Design.propose(
            Design.Request(settings: .sample(), budget: budget),
            Design.Measures(cost: { Self.cost($0) }, epochSeconds: { _ in epochSeconds })
        ) { secondsLeft }
    }

    /// Budgets of every kind, from most of the dense network to little of it.
    private static let budgets: [DesignBudget] = {
        let dense = cost("dense", 1)
        return [0.9, 0.3, 0.1, 0.05].flatMap { share -> [DesignBudget] in
            func part(_ value: Int) -> Int { Int(share * Double(value)) }
            return [
                DesignBudget(parameters: part(dense.run.parameters)),
                DesignBudget(multiplyAdds: part(dense.run.multiplyAdds)),
                DesignBudget(latencyMilliseconds: share * dense.latencyMilliseconds!),
                DesignBudget(trainingMemoryBytes: part(dense.trainingMemoryBytes)),
                DesignBudget(parameters: part(dense.run.parameters), multiplyAdds: part(dense.run.multiplyAdds)),
            ]
        }
    }()

    @Test(arguments: budgets) func candidatesKeepToTheBudgetAndUseItUp(_ budget: DesignBudget) throws {
        let design = try propose(budget)
        #expect(design.candidates.count > 1 && Set(design.candidates).count == design.candidates.count)
        #expect(design.candidates.contains { $0.isBaseline } || !design.notes.isEmpty, "\(budget)")
        for candidate in design.candidates {
            #expect(candidate.cost == Self.cost(candidate.pattern, candidate.depthMultiplier))
            #expect(budget.admits(candidate.cost), "\(candidate) within \(budget)")
            if let growth = candidate.growth {
                let density = RunConfiguration.sample(pattern: candidate.pattern).density!
                #expect(try Growth(parsing: growth, to: density).count == 2, "\(candidate)")
            }
            // A little more of it is too much.
            let more = candidate.isBaseline
                ? Self.cost("dense", min(1, candidate.depthMultiplier * 1.1))
                : Self.cost(Self.denser(candidate.pattern), candidate.depthMultiplier)
            #expect(!budget.admits(more), "\(candidate) uses up \(budget)")
        }
    }

    private static func denser(_ pattern: String) -> String {
        let density = RunConfiguration.sample(pattern: pattern).density!
        return pattern.replacing(/:[0-9.e-]+/, with: ":\(density * 1.2)")
    }

    @Test func aBudgetThatNoNetworkKeepsToIsRefused() throws {
        let error = try #require(throws: ExperimentError.self) { try propose(DesignBudget(parameters: 10)) }
        #expect(error.description.contains("budget: expected one that some network keeps to"))
        for budget in [DesignBudget(parameters: 0), DesignBudget(accuracy: 1.5), DesignBudget(trainingSeconds: .nan)] {
            #expect(throws: ExperimentError.self) { try propose(budget) }
        }
    }

    @Test func lessTimeTriesFewerCandidatesAndSaysWhich() throws {
        let budget = DesignBudget(parameters: 100_000, trainingSeconds: 60)
        var counts: [Int] = []
        for seconds in [600.0, 60, 20, 5, 1] {
            let design = try propose(budget, epochSeconds: 1, secondsLeft: seconds)
            counts.append(design.candidates.count)
            #expect(design.candidates[0].isBaseline)
        }
        #expect(counts == counts.sorted(by: >) && counts[0] > counts.last! && counts.last! == 1)
        #expect(try propose(budget, secondsLeft: 1).notes.contains { $0.hasPrefix("no time to try random:") })
    }

    @Test func aWholeNetworkWithinTheBudgetIsACandidate() throws {
        let design = try propose(DesignBudget(trainingSeconds: 1000), secondsLeft: 1000)
        #expect(design.candidates[0].pattern == "dense" && design.candidates[0].depthMultiplier == 1)
        #expect(design.candidates.allSatisfy { $0.epochSeconds == 1 })
        let grown = try #require(design.candidates.first { $0.growth != nil })
        #expect(grown.name == "dense, grown from=0.25,within=0.5" && !grown.isBaseline)
    }

    @Test func roundsGrowThreefoldWithinTheTime() {
        let unlimited = DesignSchedule.epochs([0, 0, 0], mostEpochs: 9, seconds: nil)
        #expect(unlimited == [3, 3, 3])
        #expect(DesignSchedule.roundCount(9) == 2 && DesignSchedule.roundCount(1) == 0)
        // A round of nine, one of three, the choice and its rival: four whole trainings' worth.
        let epochs = DesignSchedule.epochs(
            [Double](repeating: 2, count: 9), mostEpochs: 1000, seconds: 4 * 2 * 90 / 0.85)
        #expect(epochs == [Int](repeating: 10, count: 9))
        #expect(DesignSchedule.wholeEpochs(2, of: 2, mostEpochs: 5, seconds: 1e6) == 5)
        #expect(DesignSchedule.wholeEpochs(2, of: 2, mostEpochs: 5, seconds: 0) == 1)
    }
}

/// Searches whose trainings only pretend.
@Suite struct DesignRunnerTests {
    /// Better the more multiply-adds a network has, and the longer it trains; sparse ones get a little more.
    private static func accuracy(_ configuration: RunConfiguration) -> Double {
        let multiplyAdds = Double(configuration.sampleCost.multiplyAdds)
        var bonus = configuration.method == .multiplier ? 0 : 0.02
        if configuration.distribution != nil { bonus -= 0.001 }
        if configuration.exploration != nil { bonus -= 0.002 }
        return min(0.97, 0.5 + 0.02 * log(multiplyAdds) + 0.001 * Double(configuration.epochs) + bonus)
    }

    private static func results(_ configuration: RunConfiguration) -> RunResults {
        let accuracy = accuracy(configuration)
        return RunResults(
            testAccuracy: accuracy - 0.01, testImages: 100,
            validationAccuracy: configuration.validationFraction > 0 ? accuracy : nil,
            trainingSeconds: Double(configuration.epochs),
            singleImageLatencyMilliseconds: Double(configuration.sampleCost.multiplyAdds) / 1e7,
            trainingStepMilliseconds: 1, trainingMemoryBytes: 1000, modelFileBytes: 1000)
    }

    private struct Broken: Error {}

    private final class Fake: Sendable {
        let trained = Mutex<[RunConfiguration]>([])
        /// How many trainings to finish before an interruption.
        let patience: Int
        let fails: @Sendable (RunConfiguration) -> Bool

        init(patience: Int = .max, fails: @escaping @Sendable (RunConfiguration) -> Bool = { _ in false }) {
            self.patience = patience
            self.fails = fails
        }

        func train(_ configuration: RunConfiguration) throws -> RunResults {
            guard trained.withLock({ $0.count }) < patience else { throw CancellationError() }
            if fails(configuration) { throw Broken() }
            trained.withLock { $0.append(configuration) }
            return results(configuration)
        }
    }

    private func design(_ budget: DesignBudget) throws -> Design {
        var settings = RunConfiguration.sample()
        settings.epochs = 9
        return try Design.propose(
            Design.Request(settings: settings, budget: budget),
            Design.Measures(
                cost: { configuration in
                    let run = configuration.sampleCost
                    return CandidateCost(
                        run: run, trainingMemoryBytes: 1000, latencyMilliseconds: Double(run.multiplyAdds) / 1e7)
                }, epochSeconds: { _ in 1 })
        ) { budget.trainingSeconds }
    }

    private func run(
        _ design: Design, in path: String, _ fake: Fake, parallel: Int = 1, clock: Stopwatch = Stopwatch()
    ) throws -> DesignOutcome {
        var runner = try DesignRunner(
            design, folder: DesignFolder(path: path), validationFraction: 0.1, context: .sample, clock: clock,
            train: { configuration, _, _ in try fake.train(configuration) },
            trainWhole: { configuration, folder, tick in
                tick()
                if folder.hasRecord { return try folder.load() }
                var record = RunRecord.sample(configuration)
                record.results = try fake.train(configuration)
                try folder.save(record)
                return record
            })
        runner.parallel = parallel
        return try runner.run()
    }

    @Test(arguments: [1, 2]) func theBestOfTheRoundsIsTrainedInFullBesideTheBestOfTheOtherKind(parallel: Int) throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        let fake = Fake()
        let outcome = try run(design, in: temporary.path, fake, parallel: parallel)
        #expect(outcome.rounds.map(\.trials.count) == [9, 3])
        let best = design.candidates.max { Self.accuracy(of: $0) < Self.accuracy(of: $1) }
        #expect(outcome.choice.candidate == best && !outcome.choice.candidate.isBaseline)
        #expect(outcome.rival?.candidate.isBaseline == true && outcome.multiplierWon == false)
        let configurations = fake.trained.withLock { $0 }
        #expect(configurations.count == 9 + 3 + 2)
        // Short trainings are judged on images held back, whole ones have all images.
        #expect(configurations.dropLast(2).allSatisfy { $0.validationFraction == 0.1 && $0.epochs < 9 })
        #expect(configurations.suffix(2).allSatisfy { $0.validationFraction == 0 && $0.epochs == 9 })
        #expect(outcome.excesses.isEmpty)
        let page = try DesignFolder(path: temporary.path).writeReport(design, outcome)
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains(outcome.choice.candidate.name) && html.contains("at most 100,000 parameters"))
    }

    @Test func timesOfOtherRuntimesStandBesideTheChoice() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        let outcome = try run(design, in: temporary.path, Fake())
        let own = outcome.choice.results.singleImageLatencyMilliseconds!
        let path = temporary.path + "/peers.json"
        let input = Shape(channels: 1, height: 28, width: 28)
        func write(_ change: (inout [String: Any]) -> Void = { _ in }) throws {
            var file: [String: Any] = [
                "benchmark": "inference", "network": "mnist", "shape": [1, 1, 28, 28], "threads": 1,
                "peerPattern": "dense", "processor": "a <fast> one", "date": "2026-11-27",
                "contestants": [
                    ["name": "gossamer dense", "medianMilliseconds": own / 8],
                    ["name": "slow", "medianMilliseconds": own * 4, "peakMemoryBytes": 1],
                    ["name": "quick, 8 bits", "medianMilliseconds": own / 2],
                ],
            ]
            change(&file)
            try JSONSerialization.data(withJSONObject: file).write(to: URL(fileURLWithPath: path))
        }
        func times() throws -> PeerTimes { try PeerTimes(contentsOf: path, network: "mnist", input: input) }
        try write()
        let page = try DesignFolder(path: temporary.path).writeReport(design, outcome, peers: times())
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains("quick, 8 bits") && html.contains("slow") && !html.contains("gossamer dense"))
        #expect(html.contains("less than the choice, which takes 2.00 times as long") && !html.contains("<fast>"))
        try write { $0["contestants"] = [["name": "slow", "medianMilliseconds": own * 3]] }
        _ = try DesignFolder(path: temporary.path).writeReport(design, outcome, peers: times())
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("3.00 times as long as the choice"))

        let wrong: [(String, Any)] = [
            ("benchmark", "training"), ("network", "other"), ("shape", [8, 1, 28, 28]), ("threads", 2),
            ("peerPattern", "random:0.1"),
            ("contestants", [["name": "gossamer dense", "medianMilliseconds": 1]]),
            ("contestants", [["name": "x", "medianMilliseconds": 0]]), ("contestants", 5), ("date", 7),
        ]
        for (field, value) in wrong {
            try write { $0[field] = value }
            let error = try #require(throws: ExperimentError.self) { try times() }
            #expect(error.description.hasPrefix(path) && error.description.contains(field), "\(error)")
        }
        try Data("no".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ExperimentError.self) { try times() }
    }

    private static func accuracy(of candidate: DesignCandidate) -> Double {
        accuracy(candidate.configuration(.sample()))
    }

    @Test func aDesignGoesOnWhereItWasInterrupted() throws {
        let whole = TemporaryFolder()
        let design = try design(DesignBudget(multiplyAdds: 2_000_000, trainingSeconds: 100))
        let expected = try run(design, in: whole.path, Fake())
        let temporary = TemporaryFolder()
        var trained: [RunConfiguration] = []
        for _ in 0 ..< 20 {
            let fake = Fake(patience: 1)
            let outcome = try? run(design, in: temporary.path, fake)
            trained += fake.trained.withLock { $0 }
            guard let outcome else { continue }
            #expect(outcome.choice.candidate == expected.choice.candidate)
            #expect(outcome.rival?.candidate == expected.rival?.candidate)
            #expect(Set(trained).count == trained.count, "nothing is trained twice")
            return
        }
        Issue.record("the design never ended")
    }

    @Test func failuresAreRecordedAndDoNotStopTheOthers() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        let outcome = try run(design, in: temporary.path, Fake { $0.pattern.contains("block=4") })
        #expect(outcome.rounds[0].trials.count { $0.problem != nil } == 2)
        #expect(!outcome.choice.candidate.pattern.contains("block=4"))
        let other = TemporaryFolder()
        let error = #expect(throws: ExperimentError.self) { try run(design, in: other.path, Fake { _ in true }) }
        #expect(error?.description.contains("at least one candidate") == true)
    }

    @Test func whatIsMeasuredTooSlowIsOut() throws {
        let temporary = TemporaryFolder()
        var design = try design(DesignBudget(latencyMilliseconds: 0.2))
        // One of them turns out to be slower than predicted.
        let slow = DesignCandidate(
            pattern: "random:0.9", depthMultiplier: 1, cost: design.candidates[1].cost)
        design.candidates.append(slow)
        let outcome = try run(design, in: temporary.path, Fake())
        #expect(outcome.rounds[0].trials.last?.problem?.contains("where 200 µs is allowed") == true)
        #expect(outcome.choice.candidate != slow)
        #expect(outcome.excesses.isEmpty)
    }

    @Test func theCheapestThatIsAccurateEnoughIsFound() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(accuracy: 0.83))
        let fake = Fake()
        let outcome = try run(design, in: temporary.path, fake)
        let trials = outcome.rounds[0].trials
        #expect(trials.count < design.candidates.count, "the larger ones are never trained")
        #expect(trials.dropLast().allSatisfy { $0.accuracy! < 0.83 } && trials.last!.accuracy! >= 0.83)
        #expect(outcome.choice.candidate == design.candidates[trials.last!.candidate])
        #expect(outcome.excesses.isEmpty == (outcome.choice.results.testAccuracy >= 0.83))
    }

    /// The time that is spent stops trainings, not the reading of those that are done.
    @Test func lateResumptionsSeeAllThatIsTrained() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(trainingSeconds: 100, accuracy: 0.999))
        let count = design.candidates.count
        #expect(throws: CancellationError.self) { try run(design, in: temporary.path, Fake(patience: 3)) }
        let late = try run(design, in: temporary.path, Fake(), clock: Stopwatch(elapsed: 60))
        #expect(late.rounds[0].trials.count == 3 && count > 3)
        #expect(late.choice.candidate == design.candidates[late.rounds[0].ranking[0].candidate])
        let again = try run(design, in: temporary.path, Fake(), clock: Stopwatch(elapsed: 1))
        #expect(again.rounds[0].trials.count == 3 && again.seconds == late.seconds)
    }

    /// A candidate that failed in a later round is neither the choice nor the rival.
    @Test func whatFailedOnceIsOut() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        let (firstEpochs, secondEpochs) = (1, 3)
        let outcome = try run(design, in: temporary.path, Fake { $0.epochs == secondEpochs })
        #expect(outcome.rounds.map(\.trials.count) == [9, 3])
        #expect(outcome.rounds[0].trials.allSatisfy { $0.record.configuration.epochs == firstEpochs })
        let failed = Set(outcome.rounds[1].trials.map(\.candidate))
        let left = outcome.rounds[0].ranking.map(\.candidate).filter { !failed.contains($0) }
        #expect(outcome.choice.candidate == design.candidates[left[0]])
        #expect(outcome.rival.map { rival in !failed.contains { design.candidates[$0] == rival.candidate } } ?? true)
    }

    /// Seconds are kept while a training runs, so that a kill does not make them free.
    @Test func timeSpentSurvivesAKill() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000, trainingSeconds: 1000))
        #expect(throws: CancellationError.self) {
            try run(design, in: temporary.path, Fake(patience: 2), clock: Stopwatch(elapsed: 300))
        }
        let outcome = try run(design, in: temporary.path, Fake())
        #expect(outcome.seconds >= 300)
    }

    @Test func slowStepsLeaveCandidatesUntimed() throws {
        let settings = RunConfiguration.sample()
        let spent = Mutex(0.0)
        let design = try Design.propose(
            Design.Request(settings: settings, budget: DesignBudget(parameters: 100_000, trainingSeconds: 100)),
            Design.Measures(
                cost: { CandidateCost(run: $0.sampleCost, trainingMemoryBytes: 1000) },
                epochSeconds: { _ in
                    spent.withLock { $0 += 4 }
                    return 0.1
                })
        ) { 100 - spent.withLock { $0 } }
        #expect(spent.withLock { $0 } == 12 && design.candidates.count == 3)
        #expect(design.notes.count { $0.hasPrefix("no time to try") } == 6)
    }

    @Test func anotherRequestNeedsAnotherFolder() throws {
        let temporary = TemporaryFolder()
        let folder = DesignFolder(path: temporary.path)
        let design = try design(DesignBudget(parameters: 100_000))
        #expect(try folder.load(design.request) == nil)
        try folder.save(design)
        #expect(try folder.load(design.request) == design)
        var other = design.request
        other.budget.parameters = 50_000
        let error = try #require(throws: ExperimentError.self) { try folder.load(other) }
        #expect(error.description.contains("holds a design with parameters at most 100000, not 50000"))
        try Data("{\"formatVersion\": 1}".utf8).write(to: URL(fileURLWithPath: folder.designPath))
        #expect(throws: ExperimentError.self) { try folder.load(design.request) }
    }
}
