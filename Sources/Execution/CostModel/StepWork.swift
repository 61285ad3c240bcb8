import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// What one step of a plan has to do, for each pass.
struct StepWork {
    var forward: [WorkTerms] = []
    var backward: [WorkTerms] = []
}

extension Lowering {
    /// What a convolution reads to add it, at the rate of an addition's values.
    func addendWork(of step: Step, images: Int) -> WorkTerms {
        let layout = ActivationLayout(shape: layout(step.output).shape, lanes: lanes)
        return WorkTerms(
            kernel: "\(Layer.addition.kind) inference, \(lanes) lanes", values: layout.count(images: images))
    }

    /// The work of a step that is not a convolution, on `images` images; inference has no backward pass.
    func elementWork(of step: Step, images: Int) -> StepWork {
        func count(_ value: Int) -> Int {
            ActivationLayout(shape: layout(value).shape, lanes: lanes).count(images: images)
        }
        let input = count(step.inputs[0]), output = count(step.output)
        var window = "values", size = 0, values = input + output, operations = 0
        switch step.node.layer {
        case .maxPooling(let layer), .averagePooling(let layer, _):
            let shape = layout(step.output).shape
            window = "\(layer.kernel.height)x\(layer.kernel.width) stride \(layer.stride.height)"
            size = WorkTerms.size(height: shape.height, width: shape.width, lanes: lanes)
            operations = output * layer.kernel.height * layer.kernel.width
        case .addition: values = step.inputs.reduce(output) { $0 + count($1) }
        case .concatenation:
            values = zip(parts(of: step), step.inputs).reduce(0) { $0 + ($1.0.isInPlace ? 0 : 2 * count($1.1)) }
            if values == 0 { return StepWork() }
        default: break
        }
        func work(_ pass: String) -> WorkTerms {
            WorkTerms(
                kernel: "\(step.node.layer.kind) \(pass), \(lanes) lanes", window: window, size: size,
                values: values, operations: operations)
        }
        return list.isTraining
            ? StepWork(forward: [work("forward")], backward: [work("backward")])
            : StepWork(forward: [work("inference")])
    }
}

extension TrainingLowering {
    /// The work of each operation on `images` images.
    func work(images: Int) -> [StepWork] {
        zip(lowering.list.steps, operations).map { step, operation in
            guard let convolution = operation as? ConvolutionOperation else {
                return lowering.elementWork(of: step, images: images)
            }
            return convolution.work(images: images, lanes: lowering.lanes)
        }
    }
}

extension ConvolutionOperation {
    fileprivate func work(images: Int, lanes: Int) -> StepWork {
        let shape = descriptor.pointer.pointee
        let blocks = (images + lanes - 1) / lanes
        let rows = [kernels.weightGradient, kernels.inputGradient].compactMap { $0?.name }
        var work = StepWork(
            forward: [WorkTerms(kernel: kernels.forward.name, shape, blocks: blocks)],
            backward: [WorkTerms(kernel: rows.joined(separator: " and "), shape, blocks: blocks)])
        if bounds.apply || biasEntry != nil {
            let values = ActivationLayout(shape: outputLayout.shape, lanes: lanes).count(images: images)
            work.backward.append(WorkTerms(kernel: "epilogue backward, \(lanes) lanes", values: 2 * values))
        }
        return work
    }
}
