import Foundation
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Trains one network on one set of images.
///
/// Its state after any number of steps follows from the network, the images and the settings alone: not from the
/// number of threads, and not from interruptions.
public struct Trainer: ~Copyable {
    public let network: Network
    public let settings: TrainingSettings
    public let normalization: Normalization
    public let parameters: Parameters
    public private(set) var state = TrainingState()
    public let stepsPerEpoch: Int
    /// What tells this training from all others: a checkpoint of another one does not fit.
    let fingerprint: String
    let loader: BatchLoader
    let pool: ThreadPool
    private var plan: TrainingPlan
    private let optimizer: NesterovOptimizer
    private let gradients: AlignedBuffer<Float>
    private let logits: UnsafeMutableBufferPointer<Float>
    /// Of the main output and of each auxiliary one, one after another.
    private let logitGradients: UnsafeMutableBufferPointer<Float>

    /// - Parameters:
    ///   - images: the training images, of the network's input shape and with as many classes as it has outputs.
    ///   - loaderWorkers: threads that prepare batches ahead of the steps.
    public init(
        _ network: Network, settings: TrainingSettings, images: LabelledImages, normalization: Normalization,
        pool: ThreadPool, loaderWorkers: Int = 1
    ) throws(TrainingError) {
        try settings.validate()
        try Self.checkFit(network, images)
        let capacity = min(settings.batchSize, images.count)
        do throws(ExecutionError) {
            plan = try TrainingPlan(network, capacity: capacity, pool: pool)
        } catch {
            throw .execution(error)
        }
        self.network = network
        self.settings = settings
        self.normalization = normalization
        self.pool = pool
        parameters = Parameters(initializing: network, seed: settings.seed)
        optimizer = NesterovOptimizer(
            parameters.layout, momentum: settings.momentum, weightDecay: settings.weightDecay)
        gradients = AlignedBuffer(count: parameters.layout.trainedCount)
        let batchByteCount = plan.inputLayout.count(images: capacity) * MemoryLayout<Float>.stride
        loader = BatchLoader(
            images: images, normalization: normalization, batchSize: capacity, seed: settings.seed,
            augmentation: settings.augmentation, workers: loaderWorkers,
            prefetch: min(16, max(2, Self.prefetchByteCount / batchByteCount)))
        stepsPerEpoch = loader.stepsPerEpoch
        var fingerprint = Fingerprint()
        fingerprint.add(network)
        fingerprint.add(images)
        fingerprint.add("\(settings) \(normalization)")
        self.fingerprint = fingerprint.text
        let outputs = capacity * network.outputShape.count
        logits = .allocate(capacity: outputs)
        logitGradients = .allocate(capacity: outputs * (1 + network.auxiliaryOutputs.count))
    }

    /// Memory for batches prepared ahead of the step under way, as long as that is no less than two.
    private static let prefetchByteCount = 64 << 20

    deinit {
        logits.deallocate()
        logitGradients.deallocate()
    }

    /// Exact bytes of what training keeps.
    public var memory: TrainingMemoryReport {
        TrainingMemoryReport(
            parameterBytes: parameters.trained.byteCount + parameters.statistics.byteCount,
            gradientBytes: gradients.byteCount, optimizerBytes: optimizer.velocities.byteCount,
            activationBytes: plan.byteCount)
    }

    /// - Throws: `mismatch` where the network cannot be trained on these images.
    package static func checkFit(_ network: Network, _ images: LabelledImages) throws(TrainingError) {
        guard images.count > 0 else { throw .mismatch("data set '\(images.name)' has no images") }
        guard images.shape == network.inputShape else {
            throw .mismatch(
                "network '\(network.name)' takes images of \(network.inputShape), "
                    + "data set '\(images.name)' has \(images.shape)")
        }
        guard images.classCount == network.outputShape.count else {
            throw .mismatch(
                "network '\(network.name)' has \(network.outputShape.count) outputs, "
                    + "data set '\(images.name)' has \(images.classCount) classes")
        }
    }

    /// One step: forward, loss, backward, update. The loss that is counted is the main output's alone.
    ///
    /// - Throws: `diverged` when the loss is not finite; the parameters are then those before the step.
    mutating func step(_ batch: borrowing Batch) throws(TrainingError) {
        var generator = SeededGenerator(
            seed: settings.seed, keys: SeededGenerator.key("step"), UInt64(state.epoch), UInt64(state.step))
        plan.forward(batch.images, count: batch.count, parameters: parameters, randomKey: generator.next())
        let main = try loss(of: nil, batch)
        var heads: [UnsafeBufferPointer<Float>] = []
        for head in network.auxiliaryOutputs.indices { heads.append(try loss(of: head, batch).gradient) }
        plan.backward(
            parameters: parameters, gradients: gradients, outputGradient: main.gradient, auxiliaryGradients: heads)
        optimizer.step(parameters, gradients: gradients, learningRate: learningRate, pool: pool)
        state.step += 1
        state.lossSum += main.result.lossSum
        state.correctCount += main.result.correctCount
        state.imageCount += batch.count
    }

    /// The loss of the main output, or of an auxiliary one with its weight, and its gradient.
    private func loss(
        of head: Int?, _ batch: borrowing Batch
    ) throws(TrainingError) -> (result: SoftmaxCrossEntropy.Result, gradient: UnsafeBufferPointer<Float>) {
        let used = batch.count * network.outputShape.count
        let start = (head.map { $0 + 1 } ?? 0) * used
        let gradient = UnsafeMutableBufferPointer(rebasing: logitGradients[start ..< start + used])
        let weight = head.map { network.auxiliaryOutputs[$0].weight } ?? 1
        plan.readOutputs(into: logits, auxiliary: head)
        let result = SoftmaxCrossEntropy(labelSmoothing: settings.labelSmoothing, weight: weight).evaluate(
            logits: UnsafeBufferPointer(rebasing: logits[..<used]), labels: batch.labels, gradient: gradient)
        guard result.lossSum.isFinite else {
            throw .diverged(epoch: state.epoch, step: state.step, what: "the loss")
        }
        return (result, UnsafeBufferPointer(gradient))
    }

    /// Times steps, without the wait for their batches.
    mutating func timeSteps(minimumRuns: Int, minimumSeconds: Double) throws(TrainingError) -> Timing {
        var seconds: [Double] = []
        let warmUp = 3
        let whole = Stopwatch()
        var epoch = 0
        while seconds.count < minimumRuns + warmUp || whole.seconds < minimumSeconds {
            loader.startEpoch(epoch)
            while let batch = loader.nextBatch() {
                let clock = Stopwatch()
                try step(batch)
                seconds.append(clock.seconds)
            }
            epoch += 1
        }
        return Timing(seconds: Array(seconds.dropFirst(warmUp)))
    }

    /// The rate of the next step.
    public var learningRate: Double { learningRate(step: state.step) }

    private func learningRate(step: Int) -> Double {
        let epoch = Double(state.epoch) + Double(step) / Double(stepsPerEpoch)
        return settings.learningRate
            * settings.schedule.factor(epoch: epoch, of: Double(settings.epochs), stepsPerEpoch: stepsPerEpoch)
    }

    /// Closes the epoch under way.
    mutating func finishEpoch(validation: Evaluation?, seconds: Double) -> EpochMetrics {
        let metrics = EpochMetrics(
            epoch: state.epoch + 1, learningRate: learningRate(step: stepsPerEpoch - 1),
            trainingLoss: state.lossSum / Double(max(1, state.imageCount)),
            trainingAccuracy: Double(state.correctCount) / Double(max(1, state.imageCount)),
            validationLoss: validation?.loss, validationAccuracy: validation?.accuracy, seconds: seconds)
        let previous = state
        state = TrainingState()
        state.epoch = previous.epoch + 1
        state.history = previous.history + [metrics]
        state.bestEpoch = previous.best.map { metrics.isBetter(than: $0) } ?? true ? metrics.epoch : previous.bestEpoch
        return metrics
    }

    mutating func setEpochSeconds(_ seconds: Double) { state.epochSeconds = seconds }

    /// - Throws: `diverged` when a parameter is not finite, so that nothing good is overwritten.
    func requireFiniteParameters() throws(TrainingError) {
        guard parameters.areFinite else {
            throw .diverged(epoch: state.epoch, step: max(0, state.step - 1), what: "a parameter")
        }
    }

    func save(to folder: CheckpointFolder) throws(TrainingError) {
        try requireFiniteParameters()
        try folder.saveLast(
            state, fingerprint: fingerprint, parameters: parameters, velocities: optimizer.velocities)
    }

    func saveBest(to folder: CheckpointFolder) throws(TrainingError) {
        try folder.saveBest(parameters, fingerprint: fingerprint)
    }

    /// Takes the parameters of the best epoch; the state stays where it is.
    ///
    /// - Throws: `wrongCheckpoint` for one of another network, data set or setting.
    public mutating func restoreBest(from folder: CheckpointFolder) throws(TrainingError) {
        try folder.loadBest(fingerprint: fingerprint, into: parameters)
    }

    /// Goes back to the last checkpoint of this very training.
    ///
    /// - Throws: `wrongCheckpoint` for one of another network, data set or setting; `file` for a damaged one.
    public mutating func restore(from folder: CheckpointFolder) throws(TrainingError) {
        let limits = TrainingState.Limits(
            epochs: settings.epochs, stepsPerEpoch: stepsPerEpoch, batchSize: loader.batchSize)
        state = try folder.loadLast(
            fingerprint: fingerprint, limits: limits, parameters: parameters, velocities: optimizer.velocities)
    }
}

/// Bytes that a training holds, by what for.
public struct TrainingMemoryReport: Hashable, Sendable, Codable {
    public let parameterBytes: Int
    public let gradientBytes: Int
    public let optimizerBytes: Int
    /// Activations, their gradients and workspaces.
    public let activationBytes: Int
}

extension Parameters {
    /// Whether no value is infinite or not a number.
    var areFinite: Bool {
        func finite(_ buffer: borrowing AlignedBuffer<Float>) -> Bool {
            // An exponent of all ones means infinite or not a number. Without an early exit the loop vectorises.
            var largest: UInt32 = 0
            for index in 0 ..< buffer.count { largest = max(largest, buffer.pointer[index].bitPattern & 0x7fff_ffff) }
            return largest < 0x7f80_0000
        }
        return finite(trained) && finite(statistics)
    }
}
