import CGossamerKernels
import GossamerTensors

/// Puts the channels of its inputs one after another, where they do not lie so already.
struct ConcatenationOperation: DifferentiableOperation {
    struct Part {
        let layout: ActivationLayout
        /// Written by its producer to where it belongs, and its gradient read from there.
        let isInPlace: Bool
    }

    let name: String
    let inputs: [Int]
    let output: Int
    /// One for each input.
    let parts: [Part]
    let outputLayout: ActivationLayout

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        var first = 0
        for (part, input) in zip(parts, memory.inputs) {
            let start = first
            first += part.layout.shape.channels
            guard !part.isInPlace else { continue }
            pass.forEachChannelRange(part.layout) { block, channels in
                elements.copy(
                    part.layout.extent(channels: channels.count),
                    part.layout.view(input, block: block, channel: channels.lowerBound),
                    outputLayout.view(memory.output, block: block, channel: start + channels.lowerBound))
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient else { return }
        var first = 0
        for (part, target) in zip(parts, memory.inputGradients) {
            let start = first
            first += part.layout.shape.channels
            guard let target, !part.isInPlace else { continue }
            pass.forEachChannelRange(part.layout) { block, channels in
                let extent = part.layout.extent(channels: channels.count)
                let dy = outputLayout.view(outputGradient, block: block, channel: start + channels.lowerBound)
                let dx = part.layout.view(target.pointer, block: block, channel: channels.lowerBound)
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
        if !target.accumulates {
            pass.forEachChannelRange(inputLayout) { block, range in
                let start = block * inputLayout.blockPitch + range.lowerBound * inputLayout.channelPitch
                (target.pointer + start).update(repeating: 0, count: range.count * inputLayout.channelPitch)
            }
        }
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
