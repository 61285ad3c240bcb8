import Foundation
import GossamerExperiments
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Synchronization
import Testing

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
        let error: TrainingError?

        init(
            patience: Int = .max, fails: @escaping @Sendable (RunConfiguration) -> Bool = { _ in false },
            error: TrainingError? = nil
        ) {
            self.patience = patience
            self.fails = fails
            self.error = error
        }

        func train(_ configuration: RunConfiguration) throws -> RunResults {
            guard trained.withLock({ $0.count }) < patience else { throw CancellationError() }
            if fails(configuration) { throw error ?? Broken() }
            trained.withLock { $0.append(configuration) }
            return results(configuration)
        }
    }

    private func design(_ budget: DesignBudget) throws -> Design {
        var settings = RunConfiguration.sample()
        settings.epochs = 9
        settings.threads = 4
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
        _ design: Design, in path: String, _ fake: Fake, parallel: Int = 1, clock: Stopwatch = Stopwatch(),
        isHeld: @escaping @Sendable () -> Bool = { true },
        measure: @escaping (RunRecord) -> Double = { $0.results!.singleImageLatencyMilliseconds! }
    ) throws -> DesignOutcome {
        var runner = try DesignRunner(
            design, folder: DesignFolder(path: path), validationFraction: 0.1, context: .sample, clock: clock,
            isHeld: isHeld, train: { configuration, _, _ in try fake.train(configuration) },
            trainWhole: { configuration, folder, tick in
                tick()
                if folder.hasRecord { return }
                var record = RunRecord.sample(configuration)
                record.results = try fake.train(configuration)
                try folder.save(record)
            })
        runner.parallel = parallel
        runner.measureLatency = { try measure($0.load()) }
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

    /// Beside other trainings a network seems slower than it is.
    @Test func whatSeemsTooSlowIsMeasuredAgain() throws {
        let temporary = TemporaryFolder()
        var design = try design(DesignBudget(latencyMilliseconds: 0.2))
        let slow = DesignCandidate(
            pattern: "random:0.9", depthMultiplier: 1, cost: design.candidates[1].cost)
        design.candidates.append(slow)
        let outcome = try run(design, in: temporary.path, Fake(), parallel: 4, measure: { _ in 0.19 })
        #expect(outcome.choice.candidate == slow && outcome.excesses.isEmpty)
        #expect(outcome.choice.results.singleImageLatencyMilliseconds == 0.19)
    }

    /// Trainings at a time share the threads; one that is left alone has all.
    @Test func trainingsShareTheThreads() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        let fake = Fake()
        _ = try run(design, in: temporary.path, fake, parallel: 8)
        let threads = fake.trained.withLock { $0.map(\.threads) }
        #expect(threads == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4])
        let records = try String(
            contentsOfFile: temporary.path + "/choice/run.json", encoding: .utf8)
        #expect(records.contains("\"threads\" : 4"))
    }

    /// What diverges only in its whole training is out like what fails in a round, for good.
    @Test func aChoiceWhoseWholeTrainingFailsHasASuccessor() throws {
        let (temporary, whole, other) = (TemporaryFolder(), TemporaryFolder(), TemporaryFolder())
        let design = try design(DesignBudget(parameters: 100_000))
        let expected = try run(design, in: whole.path, Fake())
        let fails: @Sendable (RunConfiguration) -> Bool = {
            $0.epochs == 9 && $0.pattern == expected.choice.candidate.pattern
                && $0.depthMultiplier == expected.choice.candidate.depthMultiplier
        }
        let diverged = TrainingError.diverged(epoch: 0, step: 0, what: "the loss")
        let outcome = try run(design, in: temporary.path, Fake(fails: fails, error: diverged))
        #expect(outcome.choice.candidate != expected.choice.candidate && !outcome.choice.candidate.isBaseline)
        #expect(outcome.notes.contains { $0.contains("its whole training failed: training diverged in epoch 1") })
        let again = try run(design, in: temporary.path, Fake(patience: 0))
        #expect(again.choice.candidate == outcome.choice.candidate && again.notes == outcome.notes)
        // Other errors say nothing about the network.
        #expect(throws: Broken.self) { try run(design, in: other.path, Fake(fails: fails)) }
    }

    /// A process that was stopped for long leaves what another one wrote meanwhile as it is.
    @Test func aDesignTakenOverIsLeftAlone() throws {
        let temporary = TemporaryFolder()
        let design = try design(DesignBudget(parameters: 100_000))
        #expect(throws: CancellationError.self) { try run(design, in: temporary.path, Fake(patience: 3)) }
        let path = temporary.path + "/progress.json"
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: CancellationError.self) { try run(design, in: temporary.path, Fake(), isHeld: { false }) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
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
