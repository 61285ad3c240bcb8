import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// The maximum of each window. Training keeps which tap won, one byte per output.
struct MaxPoolingOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let pooling: gsm_pooling
    /// Of the winning taps, in bytes.
    private let tapLayout: ActivationLayout
    /// Bytes of winning taps; 0 in inference.
    private let tapCount: Int

    init(
        name: String, input: Int, output: Int, inputLayout: ActivationLayout, outputLayout: ActivationLayout,
        geometry: WindowGeometry, imageCapacity: Int, isTraining: Bool
    ) {
        self.name = name
        inputs = [input]
        self.output = output
        self.inputLayout = inputLayout
        self.outputLayout = outputLayout
        pooling = gsm_pooling(geometry, countsPadding: false)
        tapLayout = ActivationLayout(shape: outputLayout.shape, lanes: outputLayout.lanes)
        tapCount = isTraining ? tapLayout.count(images: imageCapacity) : 0
    }

    var needs: OperationNeeds { OperationNeeds(saved: (tapCount + 3) / 4) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(outputLayout) { block, channels in
            withUnsafePointer(to: pooling) {
                elements.max_pool(
                    outputLayout.extent(channels: channels.count), $0,
                    inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                    outputLayout.view(memory.output, block: block, channel: channels.lowerBound),
                    taps(memory, block: block, channel: channels.lowerBound))
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(outputLayout) { block, channels in
            withUnsafePointer(to: pooling) {
                elements.max_pool_gradient(
                    outputLayout.extent(channels: channels.count), $0,
                    taps(memory, block: block, channel: channels.lowerBound),
                    outputLayout.view(outputGradient, block: block, channel: channels.lowerBound),
                    inputLayout.view(target.pointer, block: block, channel: channels.lowerBound),
                    target.accumulates)
            }
        }
    }

    private func taps(_ memory: OperationMemory, block: Int, channel: Int) -> gsm_tap_view {
        let offset = block * tapLayout.blockPitch + channel * tapLayout.channelPitch
        let base = UnsafeMutableRawPointer(memory.saved).assumingMemoryBound(to: UInt8.self)
        return gsm_tap_view(
            data: tapCount > 0 ? base + offset : nil, row_pitch: Int64(tapLayout.rowPitch),
            channel_pitch: Int64(tapLayout.channelPitch), block_pitch: Int64(tapLayout.blockPitch))
    }
}

/// The mean of each window; the global average is a window as large as the image.
struct AveragePoolingOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let pooling: gsm_pooling

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachChannelRange(inputLayout) { block, channels in
            withUnsafePointer(to: pooling) {
                elements.average_pool(
                    outputLayout.extent(channels: channels.count), $0,
                    inputLayout.view(memory.inputs[0], block: block, channel: channels.lowerBound),
                    outputLayout.view(memory.output, block: block, channel: channels.lowerBound))
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachChannelRange(inputLayout) { block, channels in
            withUnsafePointer(to: pooling) {
                elements.average_pool_gradient(
                    outputLayout.extent(channels: channels.count), $0,
                    outputLayout.view(outputGradient, block: block, channel: channels.lowerBound),
                    inputLayout.view(target.pointer, block: block, channel: channels.lowerBound),
                    target.accumulates)
            }
        }
    }
}
