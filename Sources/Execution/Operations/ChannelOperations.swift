import CGossamerKernels
import GossamerTensors

/// Puts the channels of its inputs one after another.
struct ConcatenationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayouts: [ActivationLayout]
    let outputLayout: ActivationLayout

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        var first = 0
        for (layout, input) in zip(inputLayouts, memory.inputs) {
            let start = first
            pass.forEachChannelRange(layout) { block, channels in
                elements.copy(
                    layout.extent(channels: channels.count),
                    layout.view(input, block: block, channel: channels.lowerBound),
                    outputLayout.view(memory.output, block: block, channel: start + channels.lowerBound))
            }
            first += layout.shape.channels
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient else { return }
        var first = 0
        for (layout, target) in zip(inputLayouts, memory.inputGradients) {
            let start = first
            first += layout.shape.channels
            guard let target else { continue }
            pass.forEachChannelRange(layout) { block, channels in
                let extent = layout.extent(channels: channels.count)
                let dy = outputLayout.view(outputGradient, block: block, channel: start + channels.lowerBound)
                let dx = layout.view(target.pointer, block: block, channel: channels.lowerBound)
                if target.accumulates { elements.accumulate(extent, dy, dx) } else { elements.copy(extent, dy, dx) }
            }
        }
    }
}

/// Keeps some channels of its input.
struct ChannelSelectionOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let channels: [Int]
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, range in
            for channel in range {
                elements.copy(
                    outputLayout.extent(channels: 1),
                    inputLayout.view(memory.inputs[0], block: block, channel: channels[channel]),
                    outputLayout.view(memory.output, block: block, channel: channel))
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        let blocks = pass.blockCount
        if !target.accumulates { target.pointer.update(repeating: 0, count: blocks * inputLayout.blockPitch) }
        pass.forEachChannelRange(outputLayout) { block, range in
            for channel in range {
                elements.accumulate(
                    outputLayout.extent(channels: 1),
                    outputLayout.view(outputGradient, block: block, channel: channel),
                    inputLayout.view(target.pointer, block: block, channel: channels[channel]))
            }
        }
    }
}
