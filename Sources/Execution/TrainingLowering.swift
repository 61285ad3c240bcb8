import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// The operations of a network in training, in order, and the layouts of their values.
struct TrainingLowering {
    private(set) var operations: [any DifferentiableOperation] = []
    private(set) var lowering: Lowering
    /// Whether a parameter lies upstream of each value, so that its gradient is wanted.
    private(set) var needsGradient: [Bool]
    private let parameters: ParameterLayout

    init(
        _ network: Network, parameters: ParameterLayout, lanes: Int, capacity: Int, differentiatesInput: Bool
    ) throws(ExecutionError) {
        self.parameters = parameters
        needsGradient = [differentiatesInput]
        lowering = try Lowering(network, lanes: lanes, capacity: capacity)
        for node in network.nodes where lowering.values[node.name] == nil {
            let operation = try operation(for: node)
            operations.append(operation)
            needsGradient.append(operation.needs.hasParameters || operation.inputs.contains { needsGradient[$0] })
        }
    }

    private mutating func operation(for node: Node) throws(ExecutionError) -> any DifferentiableOperation {
        if let shared = try lowering.sharedOperation(for: node, isTraining: true) { return shared }
        let input = lowering.inputs(of: node)[0]
        let output = lowering.makeValue(for: node)
        switch node.layer {
        case .batchNormalization(let layer): return normalization(node, layer, input: input, output: output)
        case .dropout(let rate):
            return DropoutOperation(
                name: node.name, inputs: [input], output: output, layout: lowering.layouts[output], rate: rate)
        default: return convolution(node, input: input, output: output)
        }
    }

    private mutating func convolution(_ node: Node, input: Int, output: Int) -> ConvolutionOperation {
        let descriptor = lowering.descriptor(
            for: node, input: input, output: output, transposes: needsGradient[input])
        return ConvolutionOperation(
            name: node.name, inputs: [input], output: output, descriptor: descriptor,
            outputLayout: lowering.layouts[output], kernelEntry: parameters.entry(node.name, .kernel)!,
            biasEntry: parameters.entry(node.name, .bias), appliesReLU: lowering.takeReLU(after: node, value: output),
            kernels: .init(
                forward: descriptor.kernel(GSM_CONVOLUTION_FORWARD),
                inputGradient: needsGradient[input] ? descriptor.kernel(GSM_CONVOLUTION_INPUT_GRADIENT) : nil,
                weightGradient: descriptor.kernel(GSM_CONVOLUTION_WEIGHT_GRADIENT)))
    }

    private mutating func normalization(
        _ node: Node, _ layer: BatchNormalization, input: Int, output: Int
    ) -> BatchNormalizationOperation {
        func entry(_ role: ParameterLayout.Role) -> ParameterLayout.Entry { parameters.entry(node.name, role)! }
        return BatchNormalizationOperation(
            name: node.name, inputs: [input], output: output, layout: lowering.layouts[output], layer: layer,
            entries: .init(
                scale: entry(.scale), shift: entry(.shift), mean: entry(.runningMean),
                variance: entry(.runningVariance)),
            appliesReLU: lowering.takeReLU(after: node, value: output))
    }
}
