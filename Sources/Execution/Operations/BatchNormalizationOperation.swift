import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// Batch normalisation over the live images of a batch, with the ReLU or other bounds that follow it.
struct BatchNormalizationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let layer: BatchNormalization
    let entries: Entries
    let bounds: gsm_bounds

    struct Entries: Sendable {
        let scale, shift, mean, variance: ParameterLayout.Entry
    }

    private var channels: Int { outputLayout.shape.channels }

    var needs: OperationNeeds {
        OperationNeeds(
            keepsInputs: true, forwardScratch: channels, saved: 2 * channels, hasParameters: true)
    }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let blocks = pass.blockCount
        let base = normalization(pass, memory)
        pass.forEachChannel(outputLayout) { range in
            var normalization = base.shifted(by: range.lowerBound)
            let extent = outputLayout.extent(blocks: blocks, channels: range.count)
            let x = inputLayout.view(memory.inputs[0], channel: range.lowerBound)
            let y = outputLayout.view(memory.output, channel: range.lowerBound)
            elements.normalization_statistics(extent, &normalization, x)
            elements.normalize(extent, &normalization, x, y)
        }
        if !pass.isRepeated { updateRunningStatistics(pass, memory) }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let gradients = pass.gradients else { return }
        let blocks = pass.blockCount
        var base = normalization(pass, memory)
        base.scale_gradient = gradients + entries.scale.offset
        base.shift_gradient = gradients + entries.shift.offset
        pass.forEachChannel(outputLayout) { range in
            var normalization = base.shifted(by: range.lowerBound)
            let extent = outputLayout.extent(blocks: blocks, channels: range.count)
            let x = inputLayout.view(memory.inputs[0], channel: range.lowerBound)
            let dy = outputLayout.view(outputGradient, channel: range.lowerBound)
            elements.normalization_parameter_gradients(extent, &normalization, x, dy)
            guard let target = memory.inputGradients[0] else { return }
            let dx = inputLayout.view(target.pointer, channel: range.lowerBound)
            elements.normalization_input_gradient(extent, &normalization, x, dy, dx, target.accumulates)
        }
    }

    /// Mean and inverse deviation are kept for the backward pass; the variance is only needed for the running one.
    private func normalization(_ pass: borrowing Pass, _ memory: OperationMemory) -> gsm_normalization {
        gsm_normalization(
            images: Int32(pass.imageCount), epsilon: Float(layer.epsilon), bounds: bounds, mean: memory.saved,
            variance: memory.forwardScratch, inverse_deviation: memory.saved + channels,
            scale: UnsafePointer(pass.parameters + entries.scale.offset),
            shift: UnsafePointer(pass.parameters + entries.shift.offset), scale_gradient: nil, shift_gradient: nil)
    }

    private func updateRunningStatistics(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let mean = pass.statistics + entries.mean.offset
        let variance = pass.statistics + entries.variance.offset
        let momentum = Float(layer.momentum)
        let count = Float(pass.imageCount * outputLayout.shape.height * outputLayout.shape.width)
        // The running variance estimates that of all images, hence the divisor n - 1, as in PyTorch.
        let unbiased = count > 1 ? count / (count - 1) : 1
        for channel in 0 ..< channels {
            mean[channel] += momentum * (memory.saved[channel] - mean[channel])
            variance[channel] += momentum * (memory.forwardScratch[channel] * unbiased - variance[channel])
        }
    }
}

extension gsm_normalization {
    func shifted(by channels: Int) -> gsm_normalization {
        var result = self
        result.mean = mean + channels
        result.variance = variance.map { $0 + channels }
        result.inverse_deviation = inverse_deviation + channels
        result.scale = scale.map { $0 + channels }
        result.shift = shift.map { $0 + channels }
        result.scale_gradient = scale_gradient.map { $0 + channels }
        result.shift_gradient = shift_gradient.map { $0 + channels }
        return result
    }
}
