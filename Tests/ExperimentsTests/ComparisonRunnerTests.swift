import Foundation
import GossamerExperiments
import GossamerTestSupport
import Synchronization
import Testing

@Suite struct ComparisonRunnerTests {
    private func plan(densities: [Double] = [1, 0.1], seeds: [UInt64] = [1]) throws -> ComparisonPlan {
        try ComparisonPlan(Comparison(settings: .sample(), densities: densities, seeds: seeds)) { $0.sampleCost }
    }

    private struct Broken: Error, CustomStringConvertible {
        var description: String { "the loss is\nnot finite" }
    }

    private func runner(
        _ path: String, isCancelled: @escaping @Sendable () -> Bool = { false },
        train: @escaping ComparisonRunner.Train
    ) -> ComparisonRunner {
        ComparisonRunner(
            folder: ComparisonFolder(path: path), context: .sample, isCancelled: isCancelled, train: train)
    }

    private static let results = RunResults(testAccuracy: 0.9, trainingSeconds: 1)

    @Test func eachPointIsTrainedOnceAndThenSkipped() throws {
        let temporary = TemporaryFolder()
        let trained = Mutex<[RunConfiguration]>([])
        let runner = runner(temporary.path) { configuration, _, _ in
            trained.withLock { $0.append(configuration) }
            return Self.results
        }
        let plan = try plan(seeds: [1, 2])
        #expect(try runner.run(plan) == ComparisonRunner.Summary(completed: 6))
        #expect(trained.withLock { $0 } == plan.points.map(\.configuration))
        #expect(try runner.run(plan) == ComparisonRunner.Summary(skipped: 6))
        let (records, problems) = runner.folder.records()
        #expect(problems.isEmpty && records.count == 6)
        #expect(records.allSatisfy { $0.status == .completed && $0.cost == $0.configuration.sampleCost })
        #expect(records.allSatisfy { $0.results == Self.results && $0.finished != nil })
    }

    @Test func aFailureIsRecordedAndRetriedOnlyWhenAsked() throws {
        let temporary = TemporaryFolder()
        let fails = Atomic<Bool>(true)
        var runner = runner(temporary.path) { configuration, folder, _ in
            if configuration.method == .sparse {
                #expect(!FileManager.default.fileExists(atPath: folder.modelPath), "a retry starts afresh")
                try Data([1]).write(to: URL(fileURLWithPath: folder.modelPath))
                if fails.load(ordering: .relaxed) { throw Broken() }
            }
            return Self.results
        }
        let plan = try plan()
        #expect(try runner.run(plan) == ComparisonRunner.Summary(completed: 2, failed: 1))
        let record = try #require(runner.folder.records().records.first { $0.status == .failed })
        #expect(record.message == "the loss is?not finite")
        #expect(try runner.run(plan) == ComparisonRunner.Summary(skipped: 3))
        fails.store(false, ordering: .relaxed)
        runner.retryFailed = true
        #expect(try runner.run(plan) == ComparisonRunner.Summary(completed: 1, skipped: 2))
    }

    /// The points are not to blame: they stay to be trained.
    @Test(arguments: [1, 2]) func aFullDiskStopsTheComparison(parallel: Int) throws {
        let temporary = TemporaryFolder()
        let isFull = Atomic<Bool>(true)
        var runner = runner(temporary.path) { _, folder, _ in
            if isFull.load(ordering: .relaxed) {
                throw ExperimentError.unwritable(file: folder.modelPath, reason: "no space left on device")
            }
            return Self.results
        }
        runner.parallel = parallel
        let plan = try plan()
        let error = try #require(throws: ExperimentError.self) { try runner.run(plan) }
        #expect(error.description.contains("no space left on device"))
        #expect(runner.folder.records().records.allSatisfy { $0.status == .interrupted })
        isFull.store(false, ordering: .relaxed)
        #expect(try runner.run(plan) == ComparisonRunner.Summary(completed: 3))
    }

    @Test func resultsOutOfRangeAreAFailure() throws {
        let temporary = TemporaryFolder()
        let runner = runner(temporary.path) { _, _, _ in RunResults(testAccuracy: .nan, trainingSeconds: 1) }
        #expect(try runner.run(try plan()).failed == 3)
        #expect(runner.folder.records().problems.isEmpty)
    }

    @Test func anInterruptedPointResumesFromItsCheckpoint() throws {
        let temporary = TemporaryFolder()
        let interrupts = Atomic<Bool>(true)
        let runner = runner(temporary.path) { _, folder, _ in
            let checkpoint = folder.checkpointPath
            if interrupts.load(ordering: .relaxed) {
                try FileManager.default.createDirectory(atPath: checkpoint, withIntermediateDirectories: true)
                throw CancellationError()
            }
            return RunResults(
                testAccuracy: FileManager.default.fileExists(atPath: checkpoint) ? 1 : 0, trainingSeconds: 1)
        }
        let plan = try plan()
        #expect(try runner.run(plan) == ComparisonRunner.Summary(wasInterrupted: true))
        #expect(runner.folder.records().records.map(\.status) == [.interrupted])
        interrupts.store(false, ordering: .relaxed)
        #expect(try runner.run(plan).completed == 3)
        let accuracies = runner.folder.records().records.compactMap(\.results?.testAccuracy)
        #expect(accuracies.sorted() == [0, 0, 1])
    }

    @Test func aDamagedRecordStopsOnlyItsPoint() throws {
        let temporary = TemporaryFolder()
        var runner = runner(temporary.path) { _, _, _ in Self.results }
        let plan = try plan()
        let run = runner.folder.runFolder(ofPoint: plan.points[1].id)
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        try "{\"formatVer".write(toFile: run.recordPath, atomically: true, encoding: .utf8)
        #expect(try runner.run(plan) == ComparisonRunner.Summary(completed: 2, skipped: 1))
        #expect(runner.folder.records().problems.count == 1)
        runner.retryFailed = true
        #expect(try runner.run(plan).completed == 1)
    }

    @Test func runnersAtOnceShareThePoints() throws {
        let temporary = TemporaryFolder()
        let plan = try plan(densities: [1, 0.3, 0.1, 0.03, 0.01], seeds: [1, 2])
        let trained = Mutex<[String: Int]>([:])
        let completed = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            var runner = runner(temporary.path) { configuration, folder, _ in
                trained.withLock { $0[folder.path, default: 0] += 1 }
                Thread.sleep(forTimeInterval: 0.002)
                return Self.results
            }
            runner.waitsForOthers = true
            runner.lease = .init(seconds: 60, heartbeatSeconds: 0.01)
            guard let summary = try? runner.run(plan) else {
                Issue.record("a runner failed")
                return
            }
            #expect(summary.heldElsewhere == 0 && summary.completed + summary.skipped >= plan.points.count)
            completed.add(summary.completed, ordering: .relaxed)
        }
        #expect(completed.load(ordering: .relaxed) == plan.points.count)
        #expect(trained.withLock { $0.values.allSatisfy { $0 == 1 } && $0.count == plan.points.count })
    }

    @Test func aRunnerThatWasTakenOverLeavesTheRecordAlone() throws {
        let temporary = TemporaryFolder()
        let plan = try plan(densities: [1])
        let claims = ComparisonFolder(path: temporary.path).claimsPath + "/" + plan.points[0].id
        var runner = runner(temporary.path) { _, _, isCancelled in
            try FileManager.default.createDirectory(atPath: claims + "/2", withIntermediateDirectories: false)
            while !isCancelled() { Thread.sleep(forTimeInterval: 0.002) }
            throw CancellationError()
        }
        runner.lease = .init(seconds: 60, heartbeatSeconds: 0.005)
        let summary = try runner.run(plan)
        #expect(summary == ComparisonRunner.Summary(heldElsewhere: 1))
        #expect(runner.folder.records().records.map(\.status) == [.running])
    }

    /// Another process takes over after the last look of the heartbeat, and before the training ends.
    @Test func aTakeoverBetweenHeartbeatsLeavesTheRecordAlone() throws {
        let temporary = TemporaryFolder()
        let plan = try plan(densities: [1])
        let claims = ComparisonFolder(path: temporary.path).claimsPath + "/" + plan.points[0].id
        var runner = runner(temporary.path) { _, _, _ in
            try FileManager.default.createDirectory(atPath: claims + "/2", withIntermediateDirectories: false)
            return Self.results
        }
        runner.lease = .init(seconds: 600, heartbeatSeconds: 300)
        #expect(try runner.run(plan) == ComparisonRunner.Summary(heldElsewhere: 1))
        #expect(runner.folder.records().records.map(\.status) == [.running])
    }

    @Test func whatKilledProcessesLeftIsRemovedWithTheClaim() throws {
        let temporary = TemporaryFolder()
        let runner = runner(temporary.path) { _, _, _ in Self.results }
        let plan = try plan(densities: [1])
        let run = runner.folder.runFolder(ofPoint: plan.points[0].id)
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        for name in [".run.json.partial-1", ".model.safetensors.partial-2", ".metrics.jsonl.partial-3", ".mine"] {
            try Data([1]).write(to: URL(fileURLWithPath: run.path + "/" + name))
        }
        _ = try runner.run(plan)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: run.path)) == ["run.json", ".mine"])
    }

    @Test func aDataSetWithKnownOriginIsNoted() throws {
        let temporary = TemporaryFolder()
        let runner = runner(temporary.path) { _, _, _ in Self.results }
        _ = try runner.run(try plan(densities: [1]))
        #expect(runner.folder.records().records.first?.dataNote?.hasPrefix("Fashion-MNIST (Xiao") == true)
    }

    @Test func cancellationStopsBetweenPoints() throws {
        let temporary = TemporaryFolder()
        let count = Atomic<Int>(0)
        let runner = runner(temporary.path, isCancelled: { count.load(ordering: .relaxed) > 0 }) { _, _, _ in
            count.add(1, ordering: .relaxed)
            return Self.results
        }
        #expect(try runner.run(try plan()) == ComparisonRunner.Summary(completed: 1, wasInterrupted: true))
    }
}
