import CGossamerKernels
import GossamerNetworks
import GossamerTensors

extension CostModel {
    /// What a model is to predict.
    public enum Purpose: String, Sendable, CaseIterable {
        case inference, training
    }

    /// Measures the rates of this machine on a pool's threads: less than a minute.
    public static func calibrated(for purpose: Purpose, pool: ThreadPool) -> CostModel {
        var calibration = Calibration(pool: pool)
        // Inference twice, some seconds apart, for the shorter time of each: a machine may be disturbed for as long.
        for _ in 0 ..< (purpose == .inference ? 2 : 1) { calibration.measure(purpose) }
        return calibration.model
    }
}

/// Times of the work that was done, until rates are fitted to them. All memory is written before it is timed: what
/// never was is a single page of zeros.
private struct Calibration: ~Copyable {
    private let pool: ThreadPool
    private let cold: ColdRuns
    /// The shortest nanoseconds by kernel, label and counts.
    private var times: [String: [String: [[Double]: Double]]] = [:]
    private static let patience = Duration.milliseconds(3)

    init(pool: ThreadPool) {
        self.pool = pool
        cold = ColdRuns(pool: pool, largestByteCount: 1 << 26)
    }

    /// Rates of each kernel, and near them those of each label.
    var model: CostModel {
        func samples(_ times: [[Double]: Double]) -> [CostModel.Sample] {
            times.map { CostModel.Sample(counts: $0.key, nanoseconds: $0.value) }
                .sorted { $0.nanoseconds < $1.nanoseconds }
        }
        var rates: [String: [Double]] = [:]
        for (kernel, labels) in times {
            let prior = CostModel.fit(labels.sorted { $0.key < $1.key }.flatMap { samples($0.value) })
            rates[kernel] = prior
            for (label, times) in labels { rates[label] = CostModel.fit(samples(times), near: prior) }
        }
        return CostModel(rates: rates)
    }

    private mutating func add(_ work: WorkTerms, _ milliseconds: Double) {
        let nanoseconds = max(milliseconds * 1e6, 1)
        let known = times[work.kernel]?[work.label]?[work.counts] ?? .infinity
        times[work.kernel, default: [:]][work.label, default: [:]][work.counts] = min(nanoseconds, known)
    }

    mutating func measure(_ purpose: CostModel.Purpose) {
        switch purpose {
        case .inference:
            for network in CalibrationLayers.convolutions(lanes: 1) { tryForward(network) }
            for images in [1, 16] {
                for network in CalibrationLayers.elements() { timeInference(network, images: images) }
            }
        case .training:
            for network in CalibrationLayers.convolutions(lanes: 16) {
                // Weights are read once for all blocks: two counts of blocks tell their share. More images also leave
                // the caches; dense layers on large ones would take too long.
                let isShort = network.inputShape.height <= 8 || !network.connections.isEmpty
                for images in isShort ? [16, 64] : [16] { timeTraining(network, images: images) }
            }
            for network in CalibrationLayers.elements() { timeTraining(network, images: 16) }
            for count in [1 << 16, 1 << 22] { timeOptimizer(count: count) }
        }
        for count in [1 << 14, 1 << 20] { timeInput(count: count) }
    }

    /// Every kernel that takes the network's only layer, on one image.
    mutating func tryForward(_ network: Network) {
        guard let lowering = try? Lowering(network, lanes: 1, capacity: 1, isTraining: false) else { return }
        let step = lowering.list.steps[0]
        let descriptor = lowering.descriptor(for: step, transposes: false)
        let kernels = descriptor.forwardCandidates().filter { $0.declines == nil }.map(\.kernel)
        let trials = KernelTrials(.measured, images: 1, pool: pool, rounds: .findingFastest(patience: Self.patience))
        let times = try? trials.times(
            of: kernels, on: descriptor, node: step.node.name, input: lowering.layout(0), output: lowering.layout(1))
        for (kernel, time) in times ?? [:] {
            add(WorkTerms(kernel: kernel, descriptor.pointer.pointee, blocks: 1), time)
        }
    }

    /// A layer of inference that is not a convolution.
    mutating func timeInference(_ network: Network, images: Int) {
        let lanes = InferencePlan.lanes(capacity: images)
        guard let lowering = try? Lowering(network, lanes: lanes, capacity: images, isTraining: false),
            let plan = try? InferencePlan(
                network, capacity: images, pool: pool, readParameter: { $1.update(repeating: 1) })
        else { return }
        plan.memories.first?.inputs[0].update(repeating: 1, count: plan.inputLayout.count(images: images))
        for (index, step) in lowering.list.steps.enumerated() {
            let pass = plan.pass(count: images)
            let time = cold.bestMilliseconds(within: Self.patience) {
                plan.operations[index].forward(pass, plan.memories[index])
            }
            for work in lowering.elementWork(of: step, images: images).forward { add(work, time) }
        }
    }

    /// Both passes of a layer in training.
    mutating func timeTraining(_ network: Network, images: Int) {
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        parameters.trained.pointer.update(repeating: 1, count: parameters.trained.count)
        let gradients = AlignedBuffer<Float>(count: parameters.trained.count)
        let differentiatesInput = network.inputShape.channels > 4
        guard let lowered = try? TrainingLowering(
            network, parameters: parameters.layout, lanes: 16, capacity: images,
            differentiatesInput: differentiatesInput),
            var plan = try? TrainingPlan(
                network, capacity: images, pool: pool, differentiatesInput: differentiatesInput)
        else { return }
        let zeros = AlignedBuffer<Float>(count: plan.inputLayout.count(images: images))
        plan.forward(zeros.pointer, count: images, parameters: parameters, randomKey: 0)
        [Float](repeating: 0, count: images * plan.outputLayout.shape.count).withUnsafeBufferPointer {
            plan.backward(parameters: parameters, gradients: gradients, outputGradient: $0)
        }
        for (index, work) in lowered.work(images: images).enumerated() {
            let pass = plan.pass(parameters, gradients: gradients.pointer)
            let (operation, memory) = (plan.operations[index], plan.memories[index])
            // A step goes through all layers' values between one use of a layer's and the next.
            func best(_ body: () -> Void) -> Double {
                cold.bestMilliseconds(within: Self.patience, after: 2 * plan.byteCount, body)
            }
            let forward = best { operation.forward(pass, memory) }
            let backward = best { operation.backward(pass, memory) }
            if let terms = work.forward.first { add(terms, forward) }
            if let terms = work.backward.first { add(terms, backward) }
        }
    }

    mutating func timeOptimizer(count: Int) {
        let weights = AlignedBuffer<Float>(count: count), gradients = AlignedBuffer<Float>(count: count)
        let velocities = AlignedBuffer<Float>(count: count)
        let piece = 1 << 15
        let time = cold.bestMilliseconds(within: Self.patience) {
            pool.run(count / piece) { index, _ in
                let start = index * piece
                let update = gsm_update(
                    count: Int64(piece), weights: weights.pointer + start, gradients: gradients.pointer + start,
                    gradient_scale: 1, weight_decay: 0, learning_rate: 0.1)
                elements.nesterov_step(update, velocities.pointer + start, 0.9)
            }
        }
        add(WorkTerms(kernel: CostModel.optimizer, values: 5 * count), time)
    }

    mutating func timeInput(count: Int) {
        let source = AlignedBuffer<Float>(count: count), target = AlignedBuffer<Float>(count: count)
        let time = cold.bestMilliseconds(within: Self.patience) {
            target.pointer.update(from: source.pointer, count: count)
        }
        add(WorkTerms(kernel: "input", values: count), time)
    }
}
