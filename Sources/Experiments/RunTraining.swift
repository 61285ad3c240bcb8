import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTraining

extension PreparedRun {
    /// Trains in a folder, from its checkpoint where there is one, and measures the result.
    ///
    /// Writes `metrics.jsonl`, checkpoints and, at the end, `model.safetensors`; `run.json` is the caller's.
    ///
    /// - Parameter watchEvery: after every so many epochs the test images are evaluated too; nil for never.
    /// - Throws: `CancellationError` after a checkpoint where `isCancelled` turned true.
    public func train(
        in folder: RunFolder, watchEvery: Int? = nil, observe: (TrainingEvent) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> RunResults {
        let pool = ThreadPool(threads: configuration.threads)
        let checkpoints = CheckpointFolder(path: folder.checkpointPath)
        var trainer = try Trainer(
            base, settings: settings, images: training, preprocessing: preprocessing,
            initial: initial?.copyParameters(), pool: pool, recomputes: configuration.recomputes ?? false)
        if checkpoints.hasCheckpoint { try trainer.restore(from: checkpoints) }
        // Lines after the checkpoint belong to steps that are about to be taken again.
        try folder.replaceMetrics(with: trainer.state.lines)
        try folder.replaceEvents(with: trainer.state.history)
        var stepSeconds: [Double] = []
        var metricsError: ExperimentError?
        let outcome = try trainer.run(
            validation: validation, watched: watchEvery.map { WatchedImages(test, everyEpochs: $0) },
            checkpoints: checkpoints,
            observe: { event in
                if case .step(let progress) = event { stepSeconds.append(progress.stepSeconds) }
                if let line = TrainingState.Line(event), metricsError == nil {
                    do throws(ExperimentError) {
                        try folder.appendMetrics(line)
                        if case .epoch(let metrics) = event { try folder.appendEvents(metrics) }
                    } catch { metricsError = error }
                }
                observe(event)
            }, shouldStop: { metricsError != nil || isCancelled() })
        if let metricsError { throw metricsError }
        guard case .completed = outcome else { throw CancellationError() }
        if validation.count > 0, trainer.state.bestEpoch > 0 {
            try trainer.restoreBest(from: checkpoints)
        } else {
            trainer.takeAverage()
        }
        return try measure(trainer, folder: folder, stepSeconds: stepSeconds)
    }

    private func measure(
        _ trainer: borrowing Trainer, folder: RunFolder, stepSeconds: [Double]
    ) throws -> RunResults {
        let network = trainer.network
        try Model.save(network, parameters: trainer.parameters, labels: labels, to: folder.modelPath)
        let evaluation = try trainer.evaluate(test)
        var plan = try InferencePlan(network, parameters: trainer.parameters, pool: ThreadPool(threads: 1))
        let latency = Timing.singleImage(&plan)
        let memory = trainer.memory
        return RunResults(
            testAccuracy: evaluation.accuracy, testImages: evaluation.imageCount,
            validationAccuracy: trainer.state.best?.validationAccuracy,
            trainingSeconds: trainer.state.seconds,
            singleImageLatencyMilliseconds: latency.medianMilliseconds,
            trainingStepMilliseconds: stepSeconds.isEmpty ? nil : Timing(seconds: stepSeconds).medianMilliseconds,
            trainingMemoryBytes: memory.parameterBytes + memory.gradientBytes + memory.optimizerBytes
                + memory.activationBytes,
            modelFileBytes: try byteCount(ofFile: folder.modelPath))
    }
}

extension RunFolder {
    /// The time for one image on one thread of the network that the run ended with, measured now.
    public func measuredLatencyMilliseconds() throws -> Double {
        var plan = try ModelFile(contentsOf: modelPath).inferencePlan(pool: ThreadPool(threads: 1))
        return Timing.singleImage(&plan).medianMilliseconds
    }
}

extension Timing {
    fileprivate static func singleImage(_ plan: inout InferencePlan) -> Timing {
        inference(&plan, minimumRuns: 50, minimumSeconds: 0.3)
    }
}

/// The size of a file on disk.
package func byteCount(ofFile path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.size] as? NSNumber)?.intValue ?? 0
}
