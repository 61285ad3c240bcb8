import Foundation
import GossamerDatasets
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Checkpoints that do not fit, are damaged, or cannot be written.
@Suite struct CheckpointTests {
    @Test func aCheckpointOfAnotherTrainingIsRefused() throws {
        let exercise = try Exercise()
        let folder = try trained(exercise, steps: 7)
        var others: [(String, Exercise)] = []
        func change(_ what: String, _ edit: (inout Exercise) throws -> Void) rethrows {
            var other = exercise
            try edit(&other)
            others.append((what, other))
        }
        try change("connections") { $0.network = try quadrantNetwork(seed: 4) }
        try change("layers") { $0.network = try quadrantNetwork(dropout: 0.3) }
        change("seed") { $0.settings.seed += 1 }
        change("learning rate") { $0.settings.learningRate *= 2 }
        change("optimizer") { $0.settings.optimizer = .adam(.init()) }
        change("accumulation") { $0.settings.accumulatedBatches = 2 }
        change("limit") { $0.settings.gradientNormLimit = 1 }
        change("average") { $0.settings.averageDecay = 0.9 }
        change("pruning") { $0.settings.pruning = Pruning(density: 0.5) }
        change("epochs") { $0.settings.epochs += 1 }
        change("batch size") { $0.settings.batchSize -= 1 }
        change("schedule") { $0.settings.schedule.warmupEpochs = 1 }
        change("augmentation") { $0.settings.augmentation = .none }
        change("a label") { $0.images = $0.images.changed(label: true) }
        change("a pixel") { $0.images = $0.images.changed(label: false) }
        change("normalization") { $0.preprocessing.normalization = Normalization(mean: [0], standardDeviation: [1]) }
        change("resizing") { $0.preprocessing.resizing = .stretch }
        for (what, other) in others {
            var trainer = try other.trainer()
            let untouched = trainer.parameters.values(trainer.parameters.layout.trained[0])
            let error = #expect(throws: TrainingError.self, "\(what)") { try trainer.restore(from: folder.checkpoints) }
            guard case .wrongCheckpoint(folder.checkpoints.lastPath, _) = error else {
                Issue.record("\(what): \(String(describing: error))")
                continue
            }
            #expect(!error!.description.contains("\n") && error!.description.hasPrefix(folder.checkpoints.lastPath))
            #expect(trainer.parameters.values(trainer.parameters.layout.trained[0]) == untouched)
            #expect(trainer.state == TrainingState())
        }
        var same = try exercise.trainer()
        try same.restore(from: folder.checkpoints)
        #expect(same.state.epoch == 1 && same.state.step == 2)
    }

    /// Another version of the program wrote it.
    @Test func aCheckpointOfAnotherFormatIsRefused() throws {
        let exercise = try Exercise()
        let folder = try trained(exercise, steps: 7)
        let old = try SafetensorsFile(contentsOf: folder.checkpoints.lastPath)
        var metadata = old.metadata
        metadata["gossamer.checkpoint"] = nil
        var writer = SafetensorsWriter(metadata: metadata)
        for name in old.names {
            let (shape, values) = try old.floats(name)
            writer.add(name, shape: shape, values: values)
        }
        try writer.write(to: folder.checkpoints.lastPath)
        var trainer = try exercise.trainer()
        let error = #expect(throws: TrainingError.self) { try trainer.restore(from: folder.checkpoints) }
        #expect(error!.description.contains("another version"), "\(error!)")
    }

    @Test func aMissingCheckpointIsATypedError() throws {
        var trainer = try Exercise().trainer()
        let folder = TemporaryFolder()
        #expect(!folder.checkpoints.hasCheckpoint)
        expectFileError { () throws(TrainingError) in try trainer.restore(from: folder.checkpoints) }
        expectFileError { () throws(TrainingError) in try trainer.restoreBest(from: folder.checkpoints) }
    }

    @Test func aTruncatedCheckpointIsATypedError() throws {
        let exercise = try Exercise()
        let folder = try trained(exercise, steps: 7)
        let whole = try bytes(ofFile: folder.checkpoints.lastPath)
        var trainer = try exercise.trainer()
        try forEachCase("aTruncatedCheckpointIsATypedError", count: 40) { generator, _ in
            try write(whole.prefix(generator.index(below: whole.count)), to: folder.checkpoints.lastPath)
            expectFileError { () throws(TrainingError) in try trainer.restore(from: folder.checkpoints) }
        }
    }

    /// Whatever bytes change, the checkpoint is refused or training goes on with it; nothing crashes.
    @Test(arguments: [nil, Pruning(density: 0.5)]) func aDamagedCheckpointNeverCrashes(pruning: Pruning?) throws {
        var exercise = try Exercise()
        exercise.settings.pruning = pruning
        let folder = try trained(exercise, steps: 7)
        let whole = try bytes(ofFile: folder.checkpoints.lastPath)
        let headerCount = Int(whole[0]) + Int(whole[1]) << 8 + Int(whole[2]) << 16
        let digits = (8 ..< 8 + headerCount).filter { (48 ... 57).contains(whole[$0]) }
        try forEachCase("aDamagedCheckpointNeverCrashes", count: 400) { generator, replay in
            var damaged = whole
            if generator.index(below: 2) == 0 {
                damaged[digits[generator.index(below: digits.count)]] = UInt8(48 + generator.index(below: 10))
            } else {
                damaged[generator.index(below: whole.count)] = UInt8(generator.index(below: 256))
            }
            try write(damaged, to: folder.checkpoints.lastPath)
            var trainer = try exercise.trainer()
            do throws(TrainingError) {
                try trainer.restore(from: folder.checkpoints)
                _ = try exercise.run(&trainer, checkpoints: nil, stopAfter: 1)
            } catch {
                #expect(!error.description.contains("\n"), "\(replay)")
            }
        }
    }

    /// The state lies in the metadata as JSON, where a hand may have changed it.
    @Test(arguments: [
        #""step":99"#, #""step":-1"#, #""epoch":9"#, #""epoch":-1"#, #""bestEpoch":5"#, #""bestEpoch":-1"#, #""updates":-1"#, #""updates":99"#,
        #""imageCount":-3"#, #""history":[]"#,
    ])
    func aStateOutOfRangeIsRefused(change: String) throws {
        let exercise = try Exercise()
        let folder = try trained(exercise, steps: 7)
        let old = try SafetensorsFile(contentsOf: folder.checkpoints.lastPath)
        var metadata = old.metadata
        let key = try #require(metadata.first { $0.value.contains("\"bestEpoch\"") }?.key)
        let name = change.prefix { $0 != ":" }
        let pattern = name == "\"history\"" ? "\"history\":\\[.*?\\]" : "\(name):-?[0-9]+(?=[,}])"
        let text = metadata[key]!
        // The last, since the epochs of the history come first.
        let range = try #require(text.ranges(of: try Regex(pattern)).last)
        metadata[key] = text.replacingCharacters(in: range, with: change)
        #expect(metadata[key] != text)
        var writer = SafetensorsWriter(metadata: metadata)
        for name in old.names {
            let (shape, values) = try old.floats(name)
            writer.add(name, shape: shape, values: values)
        }
        try writer.write(to: folder.checkpoints.lastPath)
        var trainer = try exercise.trainer()
        expectFileError { () throws(TrainingError) in try trainer.restore(from: folder.checkpoints) }
    }

    /// A limit on the size of files fails a write in its middle, as a full disk does.
    @Test func aFullDiskKeepsTheOldCheckpoint() async {
        await #expect(processExitsWith: .success) {
            let exercise = try Exercise()
            let folder = try trained(exercise, steps: 7)
            let before = try bytes(ofFile: folder.checkpoints.lastPath)
            var trainer = try exercise.trainer()
            try trainer.restore(from: folder.checkpoints)
            signal(SIGXFSZ, SIG_IGN)
            #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            #else
            let resource = RLIMIT_FSIZE
            #endif
            var limit = rlimit(rlim_cur: 2048, rlim_max: 2048)
            #expect(setrlimit(resource, &limit) == 0)
            expectFileError { () throws(TrainingError) in
                _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: 1)
            }
            #expect(try bytes(ofFile: folder.checkpoints.lastPath) == before)
            #expect(folder.contents == ["best.safetensors", "last.safetensors"])
            var resumed = try exercise.trainer()
            try resumed.restore(from: folder.checkpoints)
            #expect(resumed.state.epoch == 1 && resumed.state.step == 2)
        }
    }

    /// Where a file is in the way of the folder.
    @Test func aFolderThatCannotBeMadeIsATypedError() throws {
        let folder = TemporaryFolder()
        let blocked = CheckpointFolder(path: folder.file("blocked"))
        try write([1], to: blocked.path)
        let exercise = try Exercise()
        var trainer = try exercise.trainer()
        expectFileError { () throws(TrainingError) in
            _ = try exercise.run(&trainer, checkpoints: blocked, stopAfter: 1)
        }
        #expect(try bytes(ofFile: blocked.path) == [1])
    }

    /// Weights and velocities of connections that exist, and nothing else.
    @Test func theSizeFollowsTheConnections() throws {
        let exercise = try Exercise()
        let folder = try trained(exercise, steps: 7)
        let parameters = NetworkCost(exercise.network).parameters
        let file = try SafetensorsFile(contentsOf: folder.checkpoints.lastPath)
        let values = try file.names.reduce(0) { $0 + (try file.tensor($1).count) }
        #expect(values == 2 * parameters + NetworkCost(exercise.network).runningStatistics)
    }
}

private func trained(_ exercise: Exercise, steps: Int) throws -> TemporaryFolder {
    let folder = TemporaryFolder()
    var trainer = try exercise.trainer()
    _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: steps)
    return folder
}

private func expectFileError(
    _ body: () throws(TrainingError) -> Void, sourceLocation: SourceLocation = #_sourceLocation
) {
    do throws(TrainingError) {
        try body()
        Issue.record("no error", sourceLocation: sourceLocation)
    } catch {
        guard case .file = error else {
            Issue.record("\(error)", sourceLocation: sourceLocation)
            return
        }
        #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    }
}

extension LabelledImages {
    /// The same images but for one label or one pixel.
    fileprivate func changed(label: Bool) -> LabelledImages {
        var (pixels, labels) = (pixels, labels)
        if label { labels[5] = (labels[5] + 1) % 4 } else { pixels[pixels.count - 1] ^= 1 }
        return LabelledImages(name: name, shape: shape!, pixels: pixels, labels: labels, classNames: classNames)
    }
}
