import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

extension Trainer {
    /// One batch: forward, loss, backward, and after the last batch of a step the update. The loss that is counted is
    /// the main output's alone.
    ///
    /// - Throws: `diverged` when the loss is not finite; the parameters are then those before the step.
    mutating func step(_ batch: borrowing Batch) throws(TrainingError) {
        let isFirst = state.step == group.lowerBound
        let result = try differentiate(
            batch, keys: [UInt64(state.epoch), UInt64(state.step)], share: share(ofBatchWith: batch.count),
            isFirst: isFirst)
        if !isFirst { addBatchGradients() }
        let isLast = state.step == group.upperBound - 1
        if isLast { try update() }
        state.step += 1
        if isLast { state.updates += 1 }
        state.lossSum += result.lossSum
        state.correctCount += result.correctCount
        state.imageCount += batch.count
    }

    /// Forward, loss and backward. Gradients of a step's first batch lie in `gradients`, others in `batchGradients`.
    ///
    /// - Parameters:
    ///   - keys: of this pass's dropout.
    ///   - share: what the loss is multiplied with.
    ///   - probe: gets the gradients of connections that do not exist.
    mutating func differentiate(
        _ batch: borrowing Batch, keys: [UInt64], share: Double = 1, isFirst: Bool = true,
        probe: CandidateProbe? = nil
    ) throws(TrainingError) -> SoftmaxCrossEntropy.Result {
        var generator = SeededGenerator(seed: settings.seed, keys: [SeededGenerator.key("step")] + keys)
        plan.forward(batch.images, count: batch.count, parameters: parameters, randomKey: generator.next())
        let main = try loss(of: nil, batch, share: share)
        var heads: [UnsafeBufferPointer<Float>] = []
        for head in network.auxiliaryOutputs.indices { heads.append(try loss(of: head, batch, share: share).gradient) }
        if isFirst {
            plan.backward(
                parameters: parameters, gradients: gradients, outputGradient: main.gradient,
                auxiliaryGradients: heads, probe: probe)
        } else {
            plan.backward(
                parameters: parameters, gradients: batchGradients, outputGradient: main.gradient,
                auxiliaryGradients: heads)
        }
        return main.result
    }

    /// The batches of the step under way, by their places in the epoch.
    private var group: Range<Int> {
        let start = state.step / settings.accumulatedBatches * settings.accumulatedBatches
        return start ..< min(stepsPerEpoch, start + settings.accumulatedBatches)
    }

    /// Whether all batches so far have become steps, so that gradients need not be kept.
    var isBetweenSteps: Bool { state.step == stepsPerEpoch || state.step == group.lowerBound }

    private mutating func update() throws(TrainingError) {
        var scale = 1.0
        if let limit = settings.gradientNormLimit {
            let norm = optimizer.norm(of: gradients, pool: pool)
            guard norm.isFinite else {
                throw .diverged(epoch: state.epoch, step: state.step, what: "a gradient")
            }
            scale = min(1, limit / max(norm, .leastNormalMagnitude))
        }
        optimizer.step(
            parameters, gradients: gradients, learningRate: learningRate(step: group.lowerBound), step: state.updates,
            gradientScale: scale, pool: pool)
        average?.add(parameters, step: state.updates, pool: pool)
    }

    private func addBatchGradients() {
        let (from, to) = (batchGradients.pointer, gradients.pointer)
        let pieceSize = 1 << 15
        pool.run((gradients.count + pieceSize - 1) / pieceSize) { piece, _ in
            let start = piece * pieceSize
            for index in start ..< min(gradients.count, start + pieceSize) { to[index] += from[index] }
        }
    }

    /// The loss of the main output, or of an auxiliary one with its weight, and its gradient.
    private func loss(
        of head: Int?, _ batch: borrowing Batch, share: Double
    ) throws(TrainingError) -> (result: SoftmaxCrossEntropy.Result, gradient: UnsafeBufferPointer<Float>) {
        let used = batch.count * network.outputShape.count
        let start = (head.map { $0 + 1 } ?? 0) * used
        let gradient = UnsafeMutableBufferPointer(rebasing: logitGradients[start ..< start + used])
        let weight = head.map { network.auxiliaryOutputs[$0].weight } ?? 1
        plan.readOutputs(into: logits, auxiliary: head)
        let loss = SoftmaxCrossEntropy(
            labelSmoothing: settings.labelSmoothing, weight: weight * share)
        let result = loss.evaluate(
            logits: UnsafeBufferPointer(rebasing: logits[..<used]), labels: batch.labels, gradient: gradient)
        guard result.lossSum.isFinite else {
            throw .diverged(epoch: state.epoch, step: state.step, what: "the loss")
        }
        return (result, UnsafeBufferPointer(gradient))
    }

    /// The part of the images of its step that a batch has.
    private func share(ofBatchWith count: Int) -> Double {
        let images = min(imageCount, group.upperBound * loader.batchSize) - group.lowerBound * loader.batchSize
        return Double(count) / Double(images)
    }

    /// The rate of the next step.
    public var learningRate: Double { learningRate(step: group.lowerBound) }

    /// - Parameter step: a batch of the epoch; those of one step have one rate.
    func learningRate(step: Int) -> Double {
        let group = settings.accumulatedBatches
        let updates = (stepsPerEpoch + group - 1) / group
        let epoch = Double(state.epoch) + Double(step / group) / Double(updates)
        return settings.learningRate
            * settings.schedule.factor(epoch: epoch, of: Double(settings.epochs), stepsPerEpoch: updates)
    }
}
