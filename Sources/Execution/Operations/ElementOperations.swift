import CGossamerKernels
import GossamerTensors

/// Dropout (Srivastava et al. 2014): zeroes values at random in training and scales the others up. The mask is drawn
/// anew in the backward pass from the same key, so nothing is stored.
struct DropoutOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let rate: Double

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        apply(pass, from: (memory.inputs[0], inputLayout), to: (memory.output, outputLayout), accumulates: false)
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        apply(
            pass, from: (outputGradient, outputLayout), to: (target.pointer, inputLayout),
            accumulates: target.accumulates)
    }

    private func apply(
        _ pass: borrowing Pass, from source: (data: UnsafeMutablePointer<Float>, layout: ActivationLayout),
        to target: (data: UnsafeMutablePointer<Float>, layout: ActivationLayout), accumulates: Bool
    ) {
        var generator = SeededGenerator(seed: pass.randomKey, keys: SeededGenerator.key(name))
        let seed = generator.next()
        pass.forEachChannelRange(inputLayout) { block, channels in
            let dropout = gsm_dropout(
                seed: seed, first_image: UInt64(block * inputLayout.lanes), first_channel: Int32(channels.lowerBound),
                keep_probability: Float(1 - rate))
            elements.dropout(
                inputLayout.extent(channels: channels.count), dropout,
                source.layout.view(source.data, block: block, channel: channels.lowerBound),
                target.layout.view(target.data, block: block, channel: channels.lowerBound), accumulates)
        }
    }
}

/// The sum of two or more inputs.
struct AdditionOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    /// One for each input.
    let inputLayouts: [ActivationLayout]
    let outputLayout: ActivationLayout
    let bounds: gsm_bounds

    var needs: OperationNeeds { OperationNeeds(keepsOutput: bounds.apply) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let last = memory.inputs.count - 1
        pass.forEachChannelRange(outputLayout) { block, channels in
            func input(_ index: Int) -> gsm_view {
                inputLayouts[index].view(memory.inputs[index], block: block, channel: channels.lowerBound)
            }
            let extent = outputLayout.extent(channels: channels.count)
            let output = outputLayout.view(memory.output, block: block, channel: channels.lowerBound)
            var sum = input(0)
            for index in 1 ... last {
                elements.add(extent, sum, input(index), output, index == last ? bounds : .none)
                sum = output
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            let extent = outputLayout.extent(channels: channels.count)
            let dy = outputLayout.view(outputGradient, block: block, channel: channels.lowerBound)
            if bounds.apply {
                let y = outputLayout.view(memory.output, block: block, channel: channels.lowerBound)
                elements.bound_gradient(extent, bounds, y, dy, dy, false)
            }
            for (layout, target) in zip(inputLayouts, memory.inputGradients) {
                guard let target else { continue }
                let dx = layout.view(target.pointer, block: block, channel: channels.lowerBound)
                if target.accumulates { elements.accumulate(extent, dy, dx) } else { elements.copy(extent, dy, dx) }
            }
        }
    }
}
