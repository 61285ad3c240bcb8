import Foundation
import GossamerDatasets
import GossamerExperiments
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Synchronization
import Testing

/// Whole runs of a small network on few images.
@Suite struct RunSessionTests {
    private static func images(_ count: Int, seed: UInt64) -> LabelledImages {
        var generator = SeededGenerator(seed: seed)
        let shape = Shape(channels: 1, height: 12, width: 12)
        return LabelledImages(
            name: "noise", shape: shape,
            pixels: (0 ..< count * shape.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) },
            labels: (0 ..< count).map { Int32($0 % 10) }, classNames: (0 ..< 10).map(String.init))
    }

    private func prepared(
        testSeed: UInt64 = 2, _ change: (inout RunConfiguration) -> Void = { _ in }
    ) throws -> PreparedRun {
        var configuration = RunConfiguration(
            network: "mnist", data: "noise", pattern: "random:0.1", epochs: 4, batchSize: 8, learningRate: 0.01,
            schedule: "cosine", threads: 1)
        change(&configuration)
        let dataset = Dataset(train: Self.images(24, seed: 1), test: Self.images(10, seed: testSeed))
        return try PreparedRun(configuration, dataset: dataset)
    }

    private func session(_ prepared: PreparedRun, at path: String, resume: Bool = false) throws -> RunSession {
        try RunSession(prepared, folder: RunFolder(path: path), context: .sample, resume: resume)
    }

    @Test func aCompletedRunIsLeftAsItIs() throws {
        let temporary = TemporaryFolder()
        let first = try session(try prepared(), at: temporary.path)
        #expect(first.completed == nil)
        let record = try first.run()
        #expect(record.status == .completed && record.results?.testImages == 10)
        #expect(record.results?.trainingStepMilliseconds != nil)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: first.folder.recordPath))
        let again = try session(try prepared { $0.threads = 2 }, at: temporary.path, resume: true)
        #expect(again.completed != nil)
        let repeated = try again.run(observe: { _ in Issue.record("nothing is left to train") })
        #expect(repeated.results == record.results)
        #expect(try Data(contentsOf: URL(fileURLWithPath: first.folder.recordPath)) == bytes)
    }

    @Test func aModelThatIsGoneIsMadeAgain() throws {
        let temporary = TemporaryFolder()
        let record = try session(try prepared(), at: temporary.path).run()
        let folder = RunFolder(path: temporary.path)
        let model = try Data(contentsOf: URL(fileURLWithPath: folder.modelPath))
        try FileManager.default.removeItem(atPath: folder.modelPath)
        let again = try session(try prepared(), at: temporary.path, resume: true).run()
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.modelPath)) == model)
        #expect(again.results?.testAccuracy == record.results?.testAccuracy)
    }

    /// Each setting by itself, and how the refusal names it.
    private static let changes: [(String, @Sendable (inout RunConfiguration) -> Void)] = [
        ("pattern random:0.1, not random:0.2", { $0.pattern = "random:0.2" }),
        ("depth multiplier 1, not 0.5", { $0.depthMultiplier = 0.5 }),
        ("seed 1, not 2", { $0.seed = 2 }),
        ("data noise, not other", { $0.data = "other" }),
        ("epochs 4, not 5", { $0.epochs = 5 }),
        ("batch size 8, not 4", { $0.batchSize = 4 }),
        ("learning rate 0.01, not 0.02", { $0.learningRate = 0.02 }),
        ("schedule cosine, not constant", { $0.schedule = "constant" }),
        ("momentum 0.9, not 0.8", { $0.momentum = 0.8 }),
        ("optimizer sgd, not adam", { $0.optimizer = "adam" }),
        ("accumulated batches 1, not 2", { $0.accumulatedBatches = 2 }),
        ("gradient norm limit none, not 1", { $0.gradientNormLimit = 1 }),
        ("average decay none, not 0.9", { $0.averageDecay = 0.9 }),
        ("weight decay 0, not 0.1", { $0.weightDecay = 0.1 }),
        ("label smoothing 0, not 0.1", { $0.labelSmoothing = 0.1 }),
        ("augmentation none, not flip", { $0.augmentation = "flip" }),
        ("validation fraction 0, not 0.5", { $0.validationFraction = 0.5 }),
    ]

    @Test func theDifferingSettingIsNamed() throws {
        let temporary = TemporaryFolder()
        let record = RunRecord.sample(try prepared().configuration)
        try RunFolder(path: temporary.path).save(record)
        for (words, change) in Self.changes {
            let other = try prepared(change)
            let error = try #require(throws: ExperimentError.self) {
                try session(other, at: temporary.path, resume: true)
            }
            #expect(error.description.contains("holds a run with \(words);"), "\(error)")
        }
        let other = try prepared(testSeed: 3)
        let error = try #require(throws: ExperimentError.self) { try session(other, at: temporary.path, resume: true) }
        #expect(error.description.contains("data noise of other contents"), "\(error)")
        _ = try session(try prepared { $0.threads = 3 }, at: temporary.path, resume: true)
    }

    /// What a run reads tells it apart by every pixel, those at the end too, and every label.
    @Test func digestsFollowTheContents() throws {
        let run = try prepared()
        #expect(try prepared().configuration.inputs == run.configuration.inputs)
        let images = Self.images(3, seed: 5)
        func digest(_ images: LabelledImages) -> String {
            var fingerprint = Fingerprint()
            fingerprint.add(images)
            return fingerprint.text
        }
        for index in [0, 200, images.pixels.count - 1] {
            var pixels = images.pixels
            pixels[index] ^= 1
            let other = LabelledImages(
                name: images.name, shape: images.shape!, pixels: pixels, labels: images.labels,
                classNames: images.classNames)
            #expect(digest(other) != digest(images), "pixel \(index)")
        }
        // Bytes that no word of eight holds.
        let odd = Shape(channels: 1, height: 1, width: 3)
        func small(_ last: UInt8) -> LabelledImages {
            LabelledImages(name: "odd", shape: odd, pixels: [1, 2, last], labels: [0], classNames: ["a"])
        }
        #expect(digest(small(3)) != digest(small(4)))
    }

    @Test func aFailureToWriteMetricsStopsTheTrainingAtOnce() throws {
        let temporary = TemporaryFolder()
        let session = try session(try prepared { $0.epochs = 40 }, at: temporary.path)
        let epochs = Mutex(0)
        let error = #expect(throws: ExperimentError.self) {
            try session.run { event in
                guard case .epoch = event else { return }
                epochs.withLock { $0 += 1 }
                let path = session.folder.metricsPath
                try? FileManager.default.removeItem(atPath: path)
                try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
        }
        #expect(error?.description.contains("metrics.jsonl: cannot be written") == true)
        #expect(epochs.withLock { $0 } == 2)
        #expect(try session.folder.load().status == .failed)
    }
}
