import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// The operations of a trained network, with batch normalisation folded into the convolutions before it.
struct InferenceLowering {
    private(set) var operations: [any Operation] = []
    private(set) var lowering: Lowering
    private let trials: KernelTrials

    init(
        _ network: Network, parameters: borrowing Parameters, lanes: Int, capacity: Int, trials: KernelTrials
    ) throws(ExecutionError) {
        self.trials = trials
        lowering = try Lowering(network, lanes: lanes, capacity: capacity)
        for node in network.nodes where lowering.values[node.name] == nil {
            if case .dropout = node.layer {
                lowering.alias(node, to: lowering.inputs(of: node)[0])
            } else {
                operations.append(try operation(for: node, parameters))
            }
        }
    }

    private mutating func operation(
        for node: Node, _ parameters: borrowing Parameters
    ) throws(ExecutionError) -> any Operation {
        if let shared = try lowering.sharedOperation(for: node, isTraining: false) { return shared }
        let input = lowering.inputs(of: node)[0]
        let output = lowering.makeValue(for: node)
        guard case .batchNormalization(let layer) = node.layer else {
            return try convolution(node, input: input, output: output, parameters)
        }
        let relu = lowering.takeReLU(after: node, value: output)
        return FrozenNormalizationOperation(
            name: node.name, input: input, output: output, layout: lowering.layouts[output],
            affine: ChannelAffine(layer, node: node.name, parameters: parameters), appliesReLU: relu)
    }

    /// Lets a convolution add what the addition that alone reads `node` would add, where that is computed already.
    private mutating func takeAddition(after node: Node, value: Int) -> (node: Node, value: Int)? {
        guard let sum = lowering.onlyConsumer(of: node, where: { $0 == .addition }), sum.inputs.count == 2,
            let other = sum.inputs.first(where: { $0 != node.name }), let addend = lowering.values[other]
        else { return nil }
        lowering.alias(sum, to: value)
        return (sum, addend)
    }

    private mutating func convolution(
        _ node: Node, input: Int, output: Int, _ parameters: borrowing Parameters
    ) throws(ExecutionError) -> FrozenConvolutionOperation {
        var last = node
        var affine: ChannelAffine?
        if let next = lowering.onlyConsumer(of: node, where: { $0.kind == "batch-normalization" }),
            case .batchNormalization(let layer) = next.layer {
            affine = ChannelAffine(layer, node: next.name, parameters: parameters)
            lowering.alias(next, to: output)
            last = next
        }
        let addend = takeAddition(after: last, value: output)
        if let addend { last = addend.node }
        let relu = lowering.takeReLU(after: last, value: output)
        let descriptor = lowering.descriptor(for: node, input: input, output: output, transposes: false)
        let weights = AlignedBuffer<Float>(count: descriptor.weightCount)
        let bias = AlignedBuffer<Float>(count: lowering.layouts[output].shape.channels)
        descriptor.fold(
            parameters.values(parameters.layout.entry(node.name, .kernel)!),
            parameters.layout.entry(node.name, .bias).map { parameters.values($0) }, affine, into: weights.pointer,
            bias.pointer)
        let choice = try trials.choose(
            for: node.name, descriptor, weights: weights.pointer, input: lowering.layouts[input],
            output: lowering.layouts[output])
        return FrozenConvolutionOperation(
            name: node.name, inputs: [input] + (addend.map { [$0.value] } ?? []), output: output,
            descriptor: descriptor, appliesReLU: relu, choice: choice, folded: weights, bias: bias)
    }
}

extension ConvolutionDescriptor {
    /// Multiplies each filter by its channel's scale and moves its bias along: normalising after the convolution is
    /// the same as convolving with these.
    fileprivate func fold(
        _ weights: [Float], _ bias: [Float]?, _ affine: ChannelAffine?,
        into foldedWeights: UnsafeMutablePointer<Float>, _ foldedBias: UnsafeMutablePointer<Float>
    ) {
        let area = Int(pointer.pointee.kernel_height * pointer.pointee.kernel_width)
        for filter in 0 ..< Int(pointer.pointee.output_channels) {
            let scale = affine?.scale[filter] ?? 1
            let start = Int(pointer.pointee.row_starts[filter]) * area
            let end = Int(pointer.pointee.row_starts[filter + 1]) * area
            for index in start ..< end { foldedWeights[index] = weights[index] * scale }
            foldedBias[filter] = (bias?[filter] ?? 0) * scale + (affine?.shift[filter] ?? 0)
        }
    }
}
