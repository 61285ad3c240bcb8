import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// Batch normalisation of a frozen layer in training: its running statistics instead of the batch's, as at inference.
struct FixedNormalizationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let layer: BatchNormalization
    let entries: BatchNormalizationOperation.Entries
    let bounds: gsm_bounds
    /// Whether a trained parameter lies upstream.
    let passesGradient: Bool

    private var channels: Int { outputLayout.shape.channels }

    var needs: OperationNeeds {
        OperationNeeds(keepsOutput: bounds.apply && passesGradient, saved: 3 * channels)
    }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        prepare(pass, memory.saved)
        normalize(
            pass, memory.saved, from: (memory.inputs[0], inputLayout), to: (memory.output, outputLayout),
            bounds: bounds)
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        if bounds.apply {
            pass.forEachChannelRange(outputLayout) { block, range in
                let dy = outputLayout.view(outputGradient, block: block, channel: range.lowerBound)
                let y = outputLayout.view(memory.output, block: block, channel: range.lowerBound)
                elements.bound_gradient(outputLayout.extent(channels: range.count), bounds, y, dy, dy, false)
            }
        }
        // The gradient is scaled as the values were, and nothing is added to it.
        memory.saved.update(repeating: 0, count: 2 * channels)
        let scaled = target.accumulates ? (outputGradient, outputLayout) : (target.pointer, inputLayout)
        normalize(pass, memory.saved, from: (outputGradient, outputLayout), to: scaled, bounds: .none)
        guard target.accumulates else { return }
        pass.forEachChannelRange(outputLayout) { block, range in
            elements.accumulate(
                outputLayout.extent(channels: range.count),
                outputLayout.view(outputGradient, block: block, channel: range.lowerBound),
                inputLayout.view(target.pointer, block: block, channel: range.lowerBound))
        }
    }

    /// Writes mean, shift and factor of each channel.
    private func prepare(_ pass: borrowing Pass, _ saved: UnsafeMutablePointer<Float>) {
        for channel in 0 ..< channels {
            let variance = Double(pass.statistics[entries.variance.offset + channel])
            let scale = Double(pass.parameters[entries.scale.offset + channel])
            saved[channel] = pass.statistics[entries.mean.offset + channel]
            saved[channels + channel] = pass.parameters[entries.shift.offset + channel]
            saved[2 * channels + channel] = Float(scale / (variance + layer.epsilon).squareRoot())
        }
    }

    /// (value - mean) * factor + shift
    private func normalize(
        _ pass: borrowing Pass, _ saved: UnsafeMutablePointer<Float>,
        from source: (data: UnsafeMutablePointer<Float>, layout: ActivationLayout),
        to target: (data: UnsafeMutablePointer<Float>, layout: ActivationLayout), bounds: gsm_bounds
    ) {
        let ones = [Float](repeating: 1, count: channels)
        let images = pass.imageCount
        ones.withUnsafeBufferPointer { ones in
            let base = gsm_normalization(
                images: Int32(images), epsilon: 0, bounds: bounds, mean: saved, variance: nil,
                inverse_deviation: saved + 2 * channels, scale: ones.baseAddress!,
                shift: UnsafePointer(saved + channels), scale_gradient: nil, shift_gradient: nil)
            pass.forEachChannelRange(outputLayout) { block, range in
                var normalization = base.shifted(by: range.lowerBound)
                normalization.images = Int32(min(outputLayout.lanes, images - block * outputLayout.lanes))
                elements.normalize(
                    outputLayout.extent(channels: range.count), &normalization,
                    source.layout.view(source.data, block: block, channel: range.lowerBound),
                    target.layout.view(target.data, block: block, channel: range.lowerBound))
            }
        }
    }
}
