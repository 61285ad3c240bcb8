import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// The operations of a network in training, in order.
struct TrainingLowering {
    private(set) var operations: [any DifferentiableOperation] = []
    let lowering: Lowering
    /// Whether a parameter lies upstream of each value, so that its gradient is wanted.
    private(set) var needsGradient: [Bool]
    private let parameters: ParameterLayout
    private let frozen: Set<String>

    /// - Parameter frozen: nodes whose parameters are not trained.
    init(
        _ network: Network, parameters: ParameterLayout, lanes: Int, capacity: Int, differentiatesInput: Bool,
        frozen: Set<String> = []
    ) throws(ExecutionError) {
        self.parameters = parameters
        self.frozen = frozen
        needsGradient = [differentiatesInput]
        lowering = try Lowering(network, lanes: lanes, capacity: capacity, isTraining: true)
        for step in lowering.list.steps {
            let operation = try operation(for: step)
            operations.append(operation)
            needsGradient.append(operation.needs.hasParameters || operation.inputs.contains { needsGradient[$0] })
        }
    }

    private func operation(for step: Step) throws(ExecutionError) -> any DifferentiableOperation {
        if let shared = try lowering.sharedOperation(for: step) { return shared }
        switch step.node.layer {
        case .batchNormalization(let layer):
            return frozen.contains(step.node.name) ? fixedNormalization(step, layer) : normalization(step, layer)
        case .dropout(let rate):
            return DropoutOperation(
                name: step.node.name, inputs: step.inputs, output: step.output,
                inputLayout: lowering.layout(step.inputs[0]), outputLayout: lowering.layout(step.output), rate: rate)
        default: return convolution(step)
        }
    }

    private func convolution(_ step: Step) -> ConvolutionOperation {
        let wantsInputGradient = needsGradient[step.inputs[0]]
        let descriptor = lowering.descriptor(for: step, transposes: wantsInputGradient)
        return ConvolutionOperation(
            name: step.node.name, inputs: step.inputs, output: step.output, descriptor: descriptor,
            outputLayout: lowering.layout(step.output), kernelEntry: parameters.entry(step.node.name, .kernel)!,
            biasEntry: parameters.entry(step.node.name, .bias), bounds: step.bounds,
            kernels: .init(
                forward: descriptor.kernel(GSM_CONVOLUTION_FORWARD),
                inputGradient: wantsInputGradient ? descriptor.kernel(GSM_CONVOLUTION_INPUT_GRADIENT) : nil,
                weightGradient: frozen.contains(step.node.name)
                    ? nil : descriptor.kernel(GSM_CONVOLUTION_WEIGHT_GRADIENT)))
    }

    private func fixedNormalization(_ step: Step, _ layer: BatchNormalization) -> FixedNormalizationOperation {
        FixedNormalizationOperation(
            name: step.node.name, inputs: step.inputs, output: step.output,
            inputLayout: lowering.layout(step.inputs[0]), outputLayout: lowering.layout(step.output), layer: layer,
            entries: entries(of: step.node), bounds: step.bounds,
            passesGradient: needsGradient[step.inputs[0]])
    }

    private func entries(of node: Node) -> BatchNormalizationOperation.Entries {
        func entry(_ role: ParameterLayout.Role) -> ParameterLayout.Entry { parameters.entry(node.name, role)! }
        return .init(
            scale: entry(.scale), shift: entry(.shift), mean: entry(.runningMean), variance: entry(.runningVariance))
    }

    private func normalization(_ step: Step, _ layer: BatchNormalization) -> BatchNormalizationOperation {
        BatchNormalizationOperation(
            name: step.node.name, inputs: step.inputs, output: step.output,
            inputLayout: lowering.layout(step.inputs[0]), outputLayout: lowering.layout(step.output), layer: layer,
            entries: entries(of: step.node), bounds: step.bounds)
    }
}
