import Foundation
import GossamerDatasets
import GossamerExecution
import GossamerImages
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// Trains one network on one set of images.
///
/// Its state after any number of steps follows from the network, the images and the settings alone: not from the
/// number of threads, and not from interruptions.
public struct Trainer: ~Copyable {
    /// As it is now, where connections come and go.
    public internal(set) var network: Network
    /// What connections come and go in; nil where they stay.
    package internal(set) var subnetwork: Subnetwork?
    public let settings: TrainingSettings
    public let preprocessing: Preprocessing
    public internal(set) var parameters: Parameters
    public internal(set) var state: TrainingState
    public let stepsPerEpoch: Int
    /// What tells this training from all others: a checkpoint of another one does not fit.
    let fingerprint: String
    let loader: BatchLoader
    let pool: ThreadPool
    let recomputes: Bool
    /// Nodes whose parameters are not trained.
    let frozen: Set<String>
    var plan: TrainingPlan
    package internal(set) var optimizer: OptimizerState
    /// Of a step, summed over its batches.
    var gradients: AlignedBuffer<Float>
    /// Of one batch of several; empty where a step has one.
    var batchGradients: AlignedBuffer<Float>
    /// What is evaluated and saved instead of the parameters, if asked for.
    var average: WeightAverage?
    let imageCount: Int
    /// The convolutions that are pruned and the number of connections that they begin with.
    let prunedLayers: [(name: String, connections: Int)]
    /// Of all convolutions, when training begins.
    let initialConnections: Int
    let logits: UnsafeMutableBufferPointer<Float>
    /// Of the main output and of each auxiliary one, one after another.
    let logitGradients: UnsafeMutableBufferPointer<Float>

    /// - Parameters:
    ///   - network: where connections grow, with all channels and without connections of its own. A softmax at its end
    ///     is left out, as the loss takes one itself.
    ///   - images: the training images, of as many classes as the network has outputs.
    ///   - preprocessing: what makes the network's input of an image.
    ///   - initial: of the network's layout; nil draws them from the seed. Where connections grow it is nil.
    ///   - recomputes: whether to keep few activations and compute the others again: less memory, more time, the same
    ///     bits.
    ///   - loaderWorkers: threads that prepare batches ahead of the steps.
    public init(
        _ network: Network, settings: TrainingSettings, images: LabelledImages, preprocessing: Preprocessing,
        initial: consuming Parameters? = nil, pool: ThreadPool, recomputes: Bool = false, loaderWorkers: Int = 1
    ) throws(TrainingError) {
        try settings.validate()
        try Self.checkFit(network, images, preprocessing)
        let whole = network.withoutFinalSoftmax
        let capacity = min(settings.batchSize, images.count)
        let frozen = try settings.frozenNodes(of: whole)
        let layers = try settings.pruning?.layers(of: whole, frozen: frozen) ?? []
        let prunedLayers = layers.map { ($0, whole.connectionCount(of: whole.nodes[whole.index(of: $0)!])) }
        // Model files have no heads, and what changes becomes a model.
        let subnetwork = try settings.subnetwork(of: whole)
        let network = subnetwork?.network ?? whole
        do throws(ExecutionError) {
            plan = try TrainingPlan(network, capacity: capacity, pool: pool, frozen: frozen, recomputes: recomputes)
        } catch {
            throw .execution(error)
        }
        self.frozen = frozen
        self.prunedLayers = prunedLayers
        self.recomputes = recomputes
        initialConnections = NetworkCost(network).connections
        var state = TrainingState()
        state.budgets = settings.budgets(of: network)
        self.state = state
        self.network = network
        self.subnetwork = subnetwork
        self.settings = settings
        self.preprocessing = preprocessing
        self.pool = pool
        var fingerprint = Fingerprint()
        fingerprint.add(network)
        switch consume initial {
        case .some(let initial):
            precondition(initial.layout == ParameterLayout(network), "parameters of the first network")
            fingerprint.add(initial)
            parameters = initial
        case .none: parameters = Parameters(initializing: network, seed: settings.seed)
        }
        optimizer = OptimizerState(
            settings.optimizer, layout: parameters.layout, weightDecay: settings.weightDecay, frozen: frozen)
        gradients = AlignedBuffer(count: parameters.layout.trainedCount)
        batchGradients = AlignedBuffer(count: settings.accumulatedBatches > 1 ? parameters.layout.trainedCount : 0)
        average = nil
        if let decay = settings.averageDecay { average = WeightAverage(parameters, decay: decay) }
        imageCount = images.count
        let batchByteCount = plan.inputLayout.count(images: capacity) * MemoryLayout<Float>.stride
        loader = BatchLoader(
            images: images, input: network.inputShape, preprocessing: preprocessing, batchSize: capacity,
            seed: settings.seed, augmentation: settings.augmentation, workers: loaderWorkers,
            prefetch: min(16, max(2, Self.prefetchByteCount / batchByteCount)))
        stepsPerEpoch = loader.stepsPerEpoch
        fingerprint.add(images)
        fingerprint.add("\(settings) \(preprocessing)")
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
            gradientBytes: gradients.byteCount + batchGradients.byteCount,
            optimizerBytes: optimizer.values.byteCount + (average?.parameters.trained.byteCount ?? 0),
            activationBytes: plan.byteCount)
    }

    /// - Throws: `mismatch` where the network cannot be trained on these images.
    package static func checkFit(
        _ network: Network, _ images: LabelledImages, _ preprocessing: Preprocessing
    ) throws(TrainingError) {
        let input = network.inputShape
        guard images.count > 0 else { throw .mismatch("data set '\(images.name)' has no images") }
        guard images.classCount == network.outputShape.count else {
            throw .mismatch(
                "network '\(network.name)' has \(network.outputShape.count) outputs, "
                    + "data set '\(images.name)' has \(images.classCount) classes")
        }
        let trained = network.withoutFinalSoftmax
        for node in trained.nodes where node.layer == .softmax && trained.isOutput(node.name) {
            throw .mismatch(
                "network '\(network.name)': output '\(node.name)' is a softmax, expected the node that it reads, "
                    + "as the loss takes a softmax itself")
        }
        guard preprocessing.normalization.channelCount == input.channels else {
            throw .mismatch(
                "network '\(network.name)' takes images of \(input.channels) channels, "
                    + "data set '\(images.name)' has \(images.channels)")
        }
        guard let shape = images.shape else { return }
        guard preprocessing.resizedSize(of: PixelSize(shape), input: PixelSize(input)) != nil else {
            throw .mismatch(
                "network '\(network.name)' takes images of \(input), data set '\(images.name)' has \(shape), "
                    + "which resizing by '\(preprocessing.resizing)' leaves too small")
        }
    }
}

extension Trainer {
    /// The next batch of the epoch that the loader has begun.
    package func nextBatch() throws(TrainingError) -> Batch? {
        do throws(DatasetError) { return try loader.nextBatch() } catch { throw .data(error) }
    }

    /// Times steps, without the wait for their batches.
    mutating func timeSteps(minimumRuns: Int, minimumSeconds: Double) throws(TrainingError) -> Timing {
        var seconds: [Double] = []
        let warmUp = 3
        let whole = Stopwatch()
        var epoch = 0
        // Steps count from the start of an epoch.
        defer { state = TrainingState() }
        while seconds.count < minimumRuns + warmUp || whole.seconds < minimumSeconds {
            loader.startEpoch(epoch)
            state = TrainingState()
            while let batch = try nextBatch() {
                let clock = Stopwatch()
                try step(batch)
                seconds.append(clock.seconds)
            }
            epoch += 1
        }
        return Timing(seconds: Array(seconds.dropFirst(warmUp)))
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
        UnsafeMutableBufferPointer(start: trained.pointer, count: trained.count).areFinite
            && UnsafeMutableBufferPointer(start: statistics.pointer, count: statistics.count).areFinite
    }
}
