import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// A convolution or fully connected layer of inference: weights folded with the batch normalisation that follows and
/// packed once.
final class FrozenConvolutionOperation: Operation, @unchecked Sendable {
    let name: String
    let inputs: [Int]
    let output: Int
    private let descriptor: ConvolutionDescriptor
    let choice: KernelTrials.Choice
    /// Packed, or as they are where the kernel packs nothing.
    private let weights: AlignedBuffer<Float>
    private let isPacked: Bool
    private let bias: AlignedBuffer<Float>
    private let bounds: gsm_bounds

    /// - Parameters:
    ///   - inputs: the layer's input, and a value of the output's layout to add before the bounds if there is one.
    ///   - folded: the final weights in the network's order; `bias`: one for each filter.
    init(
        name: String, inputs: [Int], output: Int, descriptor: ConvolutionDescriptor, bounds: gsm_bounds,
        choice: KernelTrials.Choice, folded: consuming AlignedBuffer<Float>, bias: consuming AlignedBuffer<Float>
    ) {
        self.name = name
        self.inputs = inputs
        self.output = output
        self.descriptor = descriptor
        self.bounds = bounds
        self.bias = bias
        self.choice = choice
        if let packed = choice.kernel.packed(folded.pointer, descriptor) {
            weights = packed
            isPacked = true
        } else {
            weights = folded
            isPacked = false
        }
    }

    private var kernel: ConvolutionKernel { choice.kernel }

    var needs: OperationNeeds { OperationNeeds(workspace: kernel.workspaceCount(descriptor)) }

    /// Weights, biases and connection indices that the plan keeps.
    var byteCount: Int { weights.byteCount + bias.byteCount + descriptor.indexByteCount }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.bounds = bounds
        call.input = UnsafePointer(memory.inputs[0])
        call.output = memory.output
        call.addend = memory.inputs.count > 1 ? UnsafePointer(memory.inputs[1]) : nil
        call.bias = UnsafePointer(bias.pointer)
        call.weights = isPacked ? nil : UnsafePointer(weights.pointer)
        call.packed = isPacked ? UnsafePointer(weights.pointer) : nil
        kernel.run(call, pass)
    }
}

/// Batch normalisation with its running statistics, where no convolution could take it in.
final class FrozenNormalizationOperation: Operation, @unchecked Sendable {
    let name: String
    let inputs: [Int]
    let output: Int
    private let inputLayout: ActivationLayout
    private let outputLayout: ActivationLayout
    private let bounds: gsm_bounds
    /// Scale, then shift, per channel.
    private let factors: AlignedBuffer<Float>
    private let identity: AlignedBuffer<Float>

    init(
        name: String, input: Int, output: Int, inputLayout: ActivationLayout, outputLayout: ActivationLayout,
        affine: ChannelAffine, bounds: gsm_bounds
    ) {
        self.name = name
        inputs = [input]
        self.output = output
        self.inputLayout = inputLayout
        self.outputLayout = outputLayout
        self.bounds = bounds
        let channels = outputLayout.shape.channels
        factors = AlignedBuffer(count: 2 * channels)
        identity = AlignedBuffer(count: 2 * channels)
        for channel in 0 ..< channels {
            factors[channel] = affine.scale[channel]
            factors[channels + channel] = affine.shift[channel]
            identity[channels + channel] = 1
        }
    }

    var needs: OperationNeeds { OperationNeeds() }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let channels = outputLayout.shape.channels
        let base = gsm_normalization(
            images: Int32(pass.imageCount), epsilon: 0, bounds: bounds, mean: identity.pointer, variance: nil,
            inverse_deviation: identity.pointer + channels, scale: UnsafePointer(factors.pointer),
            shift: UnsafePointer(factors.pointer + channels), scale_gradient: nil, shift_gradient: nil)
        let liveImages = pass.imageCount
        pass.forEachChannelRange(outputLayout) { block, range in
            var normalization = base.shifted(by: range.lowerBound)
            normalization.images = Int32(min(outputLayout.lanes, liveImages - block * outputLayout.lanes))
            elements.normalize(
                outputLayout.extent(channels: range.count), &normalization,
                inputLayout.view(memory.inputs[0], block: block, channel: range.lowerBound),
                outputLayout.view(memory.output, block: block, channel: range.lowerBound))
        }
    }
}

/// What batch normalisation does at inference: y = scale * x + shift, per channel.
package struct ChannelAffine {
    package let scale: [Float]
    package let shift: [Float]

    /// Computed in double, so that folding loses nothing.
    package init(_ layer: BatchNormalization, node: String, parameters: borrowing Parameters) {
        func values(_ role: ParameterLayout.Role) -> [Float] {
            parameters.values(parameters.layout.entry(node, role)!)
        }
        self.init(
            scale: values(.scale), shift: values(.shift), mean: values(.runningMean),
            variance: values(.runningVariance), epsilon: layer.epsilon)
    }

    init(scale gamma: [Float], shift beta: [Float], mean: [Float], variance: [Float], epsilon: Double) {
        let factors = zip(gamma, variance).map { Double($0) / (Double($1) + epsilon).squareRoot() }
        scale = factors.map { Float($0) }
        shift = factors.indices.map { Float(Double(beta[$0]) - Double(mean[$0]) * factors[$0]) }
    }
}
