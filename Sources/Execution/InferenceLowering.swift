import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// Reads the values of one parameter of a trained network to where they are needed.
public typealias ParameterReader =
    (_ entry: ParameterLayout.Entry, _ values: UnsafeMutableBufferPointer<Float>) throws(ExecutionError) -> Void

/// The operations of a trained network, with batch normalisation folded into the convolutions before it.
struct InferenceLowering {
    private(set) var operations: [any Operation] = []
    let lowering: Lowering
    private let parameters: ParameterLayout

    /// - Parameter read: called for one layer after another, so that the parameters need never be in memory together.
    init(
        _ network: Network, lanes: Int, capacity: Int, trials: KernelTrials, read: ParameterReader
    ) throws(ExecutionError) {
        lowering = try Lowering(network, lanes: lanes, capacity: capacity, isTraining: false)
        parameters = ParameterLayout(network)
        // Trials take memory of their own: all are over before the first layer's weights are kept.
        var kernels: [(descriptor: ConvolutionDescriptor, choice: KernelTrials.Choice)?] = []
        for step in lowering.list.steps { kernels.append(try kernel(for: step, trials)) }
        trials.finish()
        for (step, kernel) in zip(lowering.list.steps, kernels) {
            operations.append(try operation(for: step, kernel, read))
        }
    }

    private func kernel(
        for step: Step, _ trials: KernelTrials
    ) throws(ExecutionError) -> (descriptor: ConvolutionDescriptor, choice: KernelTrials.Choice)? {
        guard step.isConvolution else { return nil }
        let descriptor = lowering.descriptor(for: step, transposes: false)
        let choice = try trials.choose(
            for: step.node.name, descriptor, input: lowering.layout(step.inputs[0]),
            output: lowering.layout(step.output))
        return (descriptor, choice)
    }

    private func operation(
        for step: Step, _ kernel: (descriptor: ConvolutionDescriptor, choice: KernelTrials.Choice)?,
        _ read: ParameterReader
    ) throws(ExecutionError) -> any Operation {
        if let shared = try lowering.sharedOperation(for: step) { return shared }
        if let kernel { return try convolution(step, kernel.descriptor, kernel.choice, read) }
        guard case .batchNormalization(let layer) = step.node.layer else {
            preconditionFailure("\(step.node.layer.kind) has no operation")
        }
        return FrozenNormalizationOperation(
            name: step.node.name, input: step.inputs[0], output: step.output,
            inputLayout: lowering.layout(step.inputs[0]), outputLayout: lowering.layout(step.output),
            affine: try affine(layer, of: step.node, read), bounds: step.bounds)
    }

    private func convolution(
        _ step: Step, _ descriptor: ConvolutionDescriptor, _ choice: KernelTrials.Choice, _ read: ParameterReader
    ) throws(ExecutionError) -> FrozenConvolutionOperation {
        let entry = parameters.entry(step.node.name, .kernel)!
        let stored = AlignedBuffer<Float>(count: entry.count)
        let bias = AlignedBuffer<Float>(count: lowering.layout(step.output).shape.channels)
        try read(entry, UnsafeMutableBufferPointer(start: stored.pointer, count: stored.count))
        let weights = descriptor.widened(stored)
        if let entry = parameters.entry(step.node.name, .bias) {
            try read(entry, UnsafeMutableBufferPointer(start: bias.pointer, count: bias.count))
        }
        if let node = step.normalization, case .batchNormalization(let layer) = node.layer {
            descriptor.fold(try affine(layer, of: node, read), into: weights.pointer, bias.pointer)
        }
        return FrozenConvolutionOperation(
            name: step.node.name, inputs: step.reads, output: step.output, descriptor: descriptor,
            bounds: step.bounds, choice: choice, folded: weights, bias: bias)
    }

    private func affine(
        _ layer: BatchNormalization, of node: Node, _ read: ParameterReader
    ) throws(ExecutionError) -> ChannelAffine {
        func values(_ role: ParameterLayout.Role) throws(ExecutionError) -> [Float] {
            let entry = parameters.entry(node.name, role)!
            var values = [Float](repeating: 0, count: entry.count)
            var failure: ExecutionError?
            values.withUnsafeMutableBufferPointer { buffer in
                do throws(ExecutionError) { try read(entry, buffer) } catch { failure = error }
            }
            if let failure { throw failure }
            return values
        }
        return try ChannelAffine(
            scale: values(.scale), shift: values(.shift), mean: values(.runningMean),
            variance: values(.runningVariance), epsilon: layer.epsilon)
    }
}

extension ConvolutionDescriptor {
    /// Multiplies each filter by its channel's scale and moves its bias along: normalising after the convolution is
    /// the same as convolving with these.
    fileprivate func fold(
        _ affine: ChannelAffine, into weights: UnsafeMutablePointer<Float>, _ bias: UnsafeMutablePointer<Float>
    ) {
        let area = Int(pointer.pointee.kernel_height * pointer.pointee.kernel_width)
        for filter in 0 ..< Int(pointer.pointee.output_channels) {
            let scale = affine.scale[filter]
            let start = Int(pointer.pointee.row_starts[filter]) * area
            let end = Int(pointer.pointee.row_starts[filter + 1]) * area
            for index in start ..< end { weights[index] *= scale }
            bias[filter] = bias[filter] * scale + affine.shift[filter]
        }
    }
}
