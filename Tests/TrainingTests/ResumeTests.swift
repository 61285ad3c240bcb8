import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// A training that is interrupted and resumed ends with the same bits as one that is not.
@Suite struct ResumeTests {
    @Test(arguments: ["constant", "cosine,warmup=0.7", "step:every=1,factor=0.3"])
    func interruptedAnywhere(schedule: String) throws {
        var exercise = try Exercise()
        exercise.settings.schedule = try LearningRateSchedule(parsing: schedule)
        let expected = TemporaryFolder()
        var whole = try exercise.trainer()
        guard case .completed = try exercise.run(&whole, checkpoints: expected.checkpoints) else {
            Issue.record("nobody asked to stop")
            return
        }
        #expect(whole.state.epoch == 3 && whole.state.history.count == 3)
        // After every single step once, then several random interruptions in a row.
        for step in 1 ... 15 { try check(exercise, sessions: [step], whole.state, expected, "step \(step)") }
        try forEachCase("interruptedAnywhere", count: 10) { generator, replay in
            let sessions = (0 ..< 1 + generator.index(below: 6)).map { _ in 1 + generator.index(below: 6) }
            try check(exercise, sessions: sessions, whole.state, expected, replay)
        }
    }

    @Test func auxiliaryHeadsResumeToo() throws {
        var exercise = try Exercise()
        exercise.network = try quadrantNetwork(hasHead: true)
        let expected = TemporaryFolder()
        var whole = try exercise.trainer()
        _ = try exercise.run(&whole, checkpoints: expected.checkpoints)
        for step in [1, 7] { try check(exercise, sessions: [step, 2], whole.state, expected, "step \(step)") }
    }

    @Test(arguments: ["sgd:momentum=0.5", "adam", "adamw", "rmsprop", "rmsprop:momentum=0"], [1, 2])
    func everyOptimizerResumes(optimizer: String, accumulatedBatches: Int) throws {
        var exercise = try Exercise()
        exercise.settings.optimizer = try Optimizer(parsing: optimizer)
        exercise.settings.accumulatedBatches = accumulatedBatches
        exercise.settings.averageDecay = 0.9
        exercise.settings.gradientNormLimit = 0.5
        let expected = TemporaryFolder()
        var whole = try exercise.trainer()
        _ = try exercise.run(&whole, checkpoints: expected.checkpoints)
        for step in [1, 4, 7] {
            try check(exercise, sessions: [step, 2], whole.state, expected, "\(optimizer), step \(step)")
        }
    }

    /// Between removals, and after the last.
    @Test(arguments: Pruning.Score.allCases) func prunedTrainingsResume(score: Pruning.Score) throws {
        var exercise = try Exercise()
        exercise.settings.pruning = Pruning(density: 0.4, score: score, epochs: 1.7, removalsPerEpoch: 2, batches: 2)
        exercise.settings.averageDecay = 0.9
        let expected = TemporaryFolder()
        var whole = try exercise.trainer()
        _ = try exercise.run(&whole, checkpoints: expected.checkpoints)
        #expect(whole.state.removals == 4)
        for step in [1, 2, 4, 8, 12] {
            try check(exercise, sessions: [step, 2], whole.state, expected, "step \(step)")
        }
    }

    /// Between changes of connections, and in the steps before and after.
    @Test(arguments: [
        "from=0.1,double-every=4,to=0.6", "from=0.1,double-every=4,by=gradient,initial=scaled,block=4",
        "channels-from=0.25,double-every=5,to=0.5",
    ])
    func growingTrainingsResume(growth: String) throws {
        var exercise = try Exercise()
        exercise.network = try wideNetwork()
        exercise.settings.learningRate = 0.02
        exercise.settings.growth = try Growth(parsing: growth)
        exercise.settings.exploration = Exploration(by: .gradient, drop: 0.3, every: 3)
        exercise.settings.averageDecay = 0.9
        try checkChanges(exercise, "\(growth)")
    }

    @Test(arguments: GrowthRule.allCases, Pruning.Score.allCases)
    func exploringTrainingsResume(by: GrowthRule, score: Pruning.Score) throws {
        var exercise = try Exercise()
        exercise.network = try wideNetwork().sparsified(with: Pattern.random(density: 0.3), seed: 1).network
        exercise.settings.learningRate = 0.02
        exercise.settings.optimizer = .adam(.init())
        exercise.settings.accumulatedBatches = 2
        exercise.settings.exploration = Exploration(by: by, drop: 0.3, every: 2, score: score)
        exercise.settings.pruning = Pruning(density: 0.5, epochs: 2, removalsPerEpoch: 2)
        try checkChanges(exercise, "\(by), \(score)")
    }

    private func checkChanges(_ exercise: Exercise, _ replay: String) throws {
        let expected = TemporaryFolder()
        var whole = try exercise.trainer()
        _ = try exercise.run(&whole, checkpoints: expected.checkpoints)
        #expect(whole.state.changes.count >= 4, "\(replay)")
        for step in [1, 2, 3, 4, 5, 8, 9, 12] {
            try check(exercise, sessions: [step, 2], whole.state, expected, "\(replay), step \(step)")
        }
    }

    /// - Parameter sessions: steps taken in each process before it stops; the last runs to the end.
    private func check(
        _ exercise: Exercise, sessions: [Int], _ state: TrainingState, _ expected: TemporaryFolder, _ replay: String
    ) throws {
        let folder = TemporaryFolder()
        for (session, steps) in (sessions + [.max]).enumerated() {
            var trainer = try exercise.trainer(threads: 1 + session % 3, workers: 1 + (session + 1) % 3)
            if folder.checkpoints.hasCheckpoint { try trainer.restore(from: folder.checkpoints) }
            let outcome = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: steps)
            guard steps == .max else { continue }
            guard case .completed = outcome else {
                Issue.record("nobody asked the last session to stop: \(replay)")
                return
            }
            #expect(trainer.state.withoutTimes == state.withoutTimes, "\(replay)")
            #expect(trainer.state.seconds >= 0 && trainer.state.seconds.isFinite, "\(replay)")
        }
        #expect(folder.contents == ["best.safetensors", "last.safetensors"], "\(replay)")
        for file in folder.contents {
            let tensors = try tensorBits(ofFile: "\(folder.path)/\(file)")
            #expect(try tensors == tensorBits(ofFile: "\(expected.path)/\(file)"), "\(file): \(replay)")
        }
    }

    @Test func threadsAndWorkersDoNotChangeBits() throws {
        let exercise = try Exercise()
        let results = try [(1, 1), (2, 1), (3, 3)].map { threads, workers in
            var trainer = try exercise.trainer(threads: threads, workers: workers)
            _ = try exercise.run(&trainer, checkpoints: nil)
            return (trainer.parameters.bits, trainer.state.withoutTimes)
        }
        for result in results.dropFirst() {
            #expect(result.0 == results[0].0)
            #expect(result.1 == results[0].1)
        }
    }

    /// Saving often must not change the result.
    @Test func checkpointsAfterEveryStep() throws {
        let exercise = try Exercise()
        let (rare, often) = (TemporaryFolder(), TemporaryFolder())
        var first = try exercise.trainer()
        _ = try exercise.run(&first, checkpoints: rare.checkpoints)
        var second = try exercise.trainer()
        var saves = 0
        _ = try exercise.run(&second, checkpoints: often.checkpoints, checkpointSeconds: 0) { event in
            if case .checkpoint = event { saves += 1 }
        }
        #expect(saves >= 12)
        #expect(try tensorBits(ofFile: rare.checkpoints.lastPath) == tensorBits(ofFile: often.checkpoints.lastPath))
    }

    /// Resuming what is complete does nothing.
    @Test func aCompletedTrainingStaysAsItIs() throws {
        let exercise = try Exercise()
        let folder = TemporaryFolder()
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: folder.checkpoints)
        let before = try bytes(ofFile: folder.checkpoints.lastPath)
        var again = try exercise.trainer()
        try again.restore(from: folder.checkpoints)
        guard case .completed = try exercise.run(&again, checkpoints: folder.checkpoints) else {
            Issue.record("nobody asked to stop")
            return
        }
        #expect(again.state == trainer.state)
        #expect(try bytes(ofFile: folder.checkpoints.lastPath) == before)
    }

    @Test func stoppingWithoutAFolderSavesNothing() throws {
        let exercise = try Exercise()
        var trainer = try exercise.trainer()
        guard case .interrupted = try exercise.run(&trainer, checkpoints: nil, stopAfter: 2) else {
            Issue.record("it was asked to stop")
            return
        }
        #expect(trainer.state.step == 2)
    }

    @Test func theBestEpochIsTheOneThatIsSaved() throws {
        let exercise = try Exercise()
        let folder = TemporaryFolder()
        var trainer = try exercise.trainer()
        var afterEpoch: [[UInt32]] = []
        // One epoch a session, to see the parameters after each.
        for _ in 0 ..< exercise.settings.epochs {
            _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: trainer.stepsPerEpoch)
            afterEpoch.append(trainer.parameters.trainedBits)
        }
        _ = try exercise.run(&trainer, checkpoints: folder.checkpoints)
        let accuracies = trainer.state.history.map { $0.validationAccuracy! }
        let best = accuracies.firstIndex(of: accuracies.max()!)!
        #expect(trainer.state.bestEpoch == best + 1)
        try trainer.restoreBest(from: folder.checkpoints)
        #expect(trainer.parameters.trainedBits == afterEpoch[best])
        var otherExercise = exercise
        otherExercise.settings.seed += 1
        var other = try otherExercise.trainer()
        #expect(throws: TrainingError.self) { try other.restoreBest(from: folder.checkpoints) }
    }
}

extension Parameters {
    fileprivate var trainedBits: [UInt32] { layout.trained.flatMap { values($0).bits } }
    fileprivate var bits: [UInt32] { trainedBits + layout.statistics.flatMap { values($0).bits } }
}
