import CGossamerKernels
import GossamerTensors

/// A ReLU that no other operation could take along.
struct ReLUOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let layout: ActivationLayout

    var needs: OperationNeeds { OperationNeeds(keepsOutput: true) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(layout) { block, channels in
            elements.relu(
                layout.extent(channels: channels.count),
                layout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                layout.view(memory.output, block: block, channel: channels.lowerBound))
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(layout) { block, channels in
            elements.relu_gradient(
                layout.extent(channels: channels.count),
                layout.view(memory.output, block: block, channel: channels.lowerBound),
                layout.view(outputGradient, block: block, channel: channels.lowerBound),
                layout.view(target.pointer, block: block, channel: channels.lowerBound), target.accumulates)
        }
    }
}

/// Dropout (Srivastava et al. 2014): zeroes values at random in training and scales the others up. The mask is drawn
/// anew in the backward pass from the same key, so nothing is stored.
struct DropoutOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let layout: ActivationLayout
    let rate: Double

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        apply(pass, from: memory.inputs[0], to: memory.output, accumulates: false)
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        apply(pass, from: outputGradient, to: target.pointer, accumulates: target.accumulates)
    }

    private func apply(
        _ pass: borrowing Pass, from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>,
        accumulates: Bool
    ) {
        var generator = SeededGenerator(seed: pass.randomKey, keys: SeededGenerator.key(name))
        let seed = generator.next()
        pass.forEachChannelRange(layout) { block, channels in
            let dropout = gsm_dropout(
                seed: seed, first_image: UInt64(block * layout.lanes), first_channel: Int32(channels.lowerBound),
                keep_probability: Float(1 - rate))
            elements.dropout(
                layout.extent(channels: channels.count), dropout,
                layout.view(source, block: block, channel: channels.lowerBound),
                layout.view(target, block: block, channel: channels.lowerBound), accumulates)
        }
    }
}

/// The sum of two or more inputs.
struct AdditionOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let layout: ActivationLayout
    let appliesReLU: Bool

    var needs: OperationNeeds { OperationNeeds(keepsOutput: appliesReLU) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let last = memory.inputs.count - 1
        pass.forEachChannelRange(layout) { block, channels in
            func view(_ data: UnsafeMutablePointer<Float>) -> gsm_view {
                layout.view(data, block: block, channel: channels.lowerBound)
            }
            let extent = layout.extent(channels: channels.count)
            var sum = view(memory.inputs[0])
            for index in 1 ... last {
                let epilogue = appliesReLU && index == last ? GSM_EPILOGUE_RELU : GSM_EPILOGUE_NONE
                elements.add(extent, sum, view(memory.inputs[index]), view(memory.output), epilogue)
                sum = view(memory.output)
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient else { return }
        pass.forEachChannelRange(layout) { block, channels in
            let extent = layout.extent(channels: channels.count)
            let dy = layout.view(outputGradient, block: block, channel: channels.lowerBound)
            if appliesReLU {
                let y = layout.view(memory.output, block: block, channel: channels.lowerBound)
                elements.relu_gradient(extent, y, dy, dy, false)
            }
            for target in memory.inputGradients {
                guard let target else { continue }
                let dx = layout.view(target.pointer, block: block, channel: channels.lowerBound)
                if target.accumulates { elements.accumulate(extent, dy, dx) } else { elements.copy(extent, dy, dx) }
            }
        }
    }
}
