import Foundation
import GossamerDatasets
import GossamerTensors

/// What the observer of a training hears.
public enum TrainingEvent: Sendable {
    /// After every step; `trainingLoss` and accuracy are those of the epoch so far.
    case step(StepProgress)
    case epoch(EpochMetrics)
    case checkpoint
    case changed(ConnectionEvent)
}

public struct StepProgress: Sendable {
    /// Counted from 0.
    public let epoch: Int
    public let epochCount: Int
    /// Steps taken in this epoch.
    public let step: Int
    public let stepCount: Int
    public let trainingLoss: Double
    public let trainingAccuracy: Double
    /// Of this step alone, without the wait for its batch.
    public let stepSeconds: Double
    public let imagesPerSecond: Double
    /// Until the last epoch's end, at the speed so far.
    public let secondsLeft: Double
}

/// Images that a training is evaluated on now and then.
public struct WatchedImages: Sendable {
    public let images: LabelledImages
    /// At least 1.
    public let everyEpochs: Int

    public init(_ images: LabelledImages, everyEpochs: Int) {
        self.images = images
        self.everyEpochs = everyEpochs
    }
}

public enum TrainingOutcome: Sendable {
    case completed
    /// Stopped on request; a checkpoint holds the state.
    case interrupted
}

extension Trainer {
    /// Trains to the last epoch, or until `shouldStop` says so between two steps.
    ///
    /// - Parameters:
    ///   - validation: images held back, evaluated after each epoch; nil without.
    ///   - watched: other images that are evaluated after some epochs, and decide nothing; nil without.
    ///   - checkpoints: where to save after every epoch, every `checkpointSeconds` and on a stop; nil to save nothing.
    ///   - observe: called on this thread.
    @discardableResult
    public mutating func run(
        validation: LabelledImages? = nil, watched: WatchedImages? = nil, checkpoints: CheckpointFolder? = nil,
        checkpointSeconds: Double = 60, observe: (TrainingEvent) -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws(TrainingError) -> TrainingOutcome {
        checkpoints?.removeRemains()
        var lastSave = Stopwatch()
        let whole = Stopwatch()
        let stepsBefore = state.epoch * stepsPerEpoch + state.step
        if let event = try pruneIfDue() { observe(.changed(event)) }
        while state.epoch < settings.epochs {
            let clock = Stopwatch(elapsed: state.epochSeconds)
            loader.startEpoch(state.epoch, fromStep: state.step)
            while true {
                if isBetweenSteps, let event = try pruneIfDue() { observe(.changed(event)) }
                guard let batch = try nextBatch() else { break }
                if isBetweenSteps { for event in try growAndExploreIfDue(batch) { observe(.changed(event)) } }
                let stepClock = Stopwatch()
                try step(batch)
                observe(.step(progress(stepsBefore, seconds: whole.seconds, stepSeconds: stepClock.seconds)))
                guard isBetweenSteps else { continue }
                let stops = shouldStop()
                guard stops || lastSave.seconds > checkpointSeconds, let checkpoints else {
                    if stops { return .interrupted }
                    continue
                }
                setEpochSeconds(clock.seconds)
                try save(to: checkpoints)
                observe(.checkpoint)
                if stops { return .interrupted }
                lastSave = Stopwatch()
            }
            try requireFiniteParameters()
            let heldBack = validation.flatMap { $0.count > 0 ? $0 : nil }
            let evaluation = try heldBack.map { (images) throws(TrainingError) in try evaluate(images) }
            let seconds = clock.seconds
            let isWatched = watched.map { (state.epoch + 1).isMultiple(of: $0.everyEpochs) } ?? false
            let test = isWatched ? try evaluate(watched!.images) : nil
            let metrics = finishEpoch(validation: evaluation, test: test, seconds: seconds)
            if let checkpoints {
                // The best first: if the process dies in between, the last checkpoint leads here again.
                if state.bestEpoch == metrics.epoch { try saveBest(to: checkpoints) }
                try save(to: checkpoints)
            }
            lastSave = Stopwatch()
            observe(.epoch(metrics))
        }
        return .completed
    }

    private func progress(_ stepsBefore: Int, seconds: Double, stepSeconds: Double) -> StepProgress {
        let done = state.epoch * stepsPerEpoch + state.step
        let perStep = seconds / Double(max(1, done - stepsBefore))
        return StepProgress(
            epoch: state.epoch, epochCount: settings.epochs, step: state.step, stepCount: stepsPerEpoch,
            trainingLoss: state.lossSum / Double(max(1, state.imageCount)),
            trainingAccuracy: Double(state.correctCount) / Double(max(1, state.imageCount)),
            stepSeconds: stepSeconds, imagesPerSecond: Double(loader.batchSize) / max(perStep, 1e-9),
            secondsLeft: perStep * Double(settings.epochs * stepsPerEpoch - done))
    }
}

/// Seconds since it was made, on a clock that never jumps.
public struct Stopwatch: Sendable {
    private let start = ContinuousClock.now
    private let before: Double

    public init(elapsed: Double = 0) { before = elapsed }

    public var seconds: Double {
        let duration = ContinuousClock.now - start
        return before + Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
