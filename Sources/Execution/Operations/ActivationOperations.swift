import CGossamerKernels
import GossamerTensors

/// A ReLU or another bound that no other operation could take along.
struct BoundOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let bounds: gsm_bounds

    var needs: OperationNeeds { OperationNeeds(keepsOutput: true) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, channels in
            elements.bound(
                outputLayout.extent(channels: channels.count), bounds,
                inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                outputLayout.view(memory.output, block: block, channel: channels.lowerBound))
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            elements.bound_gradient(
                outputLayout.extent(channels: channels.count), bounds,
                outputLayout.view(memory.output, block: block, channel: channels.lowerBound),
                outputLayout.view(outputGradient, block: block, channel: channels.lowerBound),
                inputLayout.view(target.pointer, block: block, channel: channels.lowerBound), target.accumulates)
        }
    }
}

/// An activation that is not linear between bounds.
struct ActivationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let function: gsm_activation

    var needs: OperationNeeds { OperationNeeds(keepsInputs: true) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, channels in
            elements.activate(
                outputLayout.extent(channels: channels.count), function,
                inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                outputLayout.view(memory.output, block: block, channel: channels.lowerBound))
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            elements.activation_gradient(
                outputLayout.extent(channels: channels.count), function,
                inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                outputLayout.view(outputGradient, block: block, channel: channels.lowerBound),
                inputLayout.view(target.pointer, block: block, channel: channels.lowerBound), target.accumulates)
        }
    }
}

/// The product of two inputs, of which the second may have one pixel for all of the first.
struct MultiplicationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let layouts: (first: ActivationLayout, second: ActivationLayout)
    let outputLayout: ActivationLayout

    private var hasOnePixel: Bool { layouts.second.shape != layouts.first.shape }

    var needs: OperationNeeds { OperationNeeds(keepsInputs: true) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, channels in
            elements.multiply(
                outputLayout.extent(channels: channels.count),
                layouts.first.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                layouts.second.view(memory.inputs[1], block: block, channel: channels.lowerBound),
                outputLayout.view(memory.output, block: block, channel: channels.lowerBound), hasOnePixel, false)
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            let extent = outputLayout.extent(channels: channels.count)
            let dy = outputLayout.view(outputGradient, block: block, channel: channels.lowerBound)
            let a = layouts.first.view(memory.inputs[0], block: block, channel: channels.lowerBound)
            let b = layouts.second.view(memory.inputs[1], block: block, channel: channels.lowerBound)
            if let target = memory.inputGradients[0] {
                let da = layouts.first.view(target.pointer, block: block, channel: channels.lowerBound)
                elements.multiply(extent, dy, b, da, hasOnePixel, target.accumulates)
            }
            if let target = memory.inputGradients[1] {
                let db = layouts.second.view(target.pointer, block: block, channel: channels.lowerBound)
                if hasOnePixel {
                    elements.sum_products(extent, dy, a, db, target.accumulates)
                } else {
                    elements.multiply(extent, dy, a, db, false, target.accumulates)
                }
            }
        }
    }
}

/// An image with zeros around it.
struct PaddingOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let top: Int
    let left: Int

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, channels in
            let start = block * outputLayout.blockPitch + channels.lowerBound * outputLayout.channelPitch
            (memory.output + start).update(repeating: 0, count: channels.count * outputLayout.channelPitch)
            elements.copy(
                inputLayout.extent(channels: channels.count),
                inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                interior(memory.output, block, channels.lowerBound))
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            let extent = inputLayout.extent(channels: channels.count)
            let dy = interior(outputGradient, block, channels.lowerBound)
            let dx = inputLayout.view(target.pointer, block: block, channel: channels.lowerBound)
            if target.accumulates { elements.accumulate(extent, dy, dx) } else { elements.copy(extent, dy, dx) }
        }
    }

    /// The image within the padded one.
    private func interior(_ data: UnsafeMutablePointer<Float>, _ block: Int, _ channel: Int) -> gsm_view {
        outputLayout.view(
            data + top * outputLayout.rowPitch + left * outputLayout.lanes, block: block, channel: channel)
    }
}
