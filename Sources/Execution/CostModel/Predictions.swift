import CGossamerKernels
import GossamerNetworks
import GossamerTensors

extension CostModel {
    /// The time of a call of inference, with the fastest kernel of each layer.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public func inferenceMilliseconds(_ network: Network, images: Int = 1) throws(ExecutionError) -> Double {
        let lowering = try Self.lowering(network, images: images)
        let input = milliseconds(WorkTerms(kernel: "input", values: lowering.layout(0).count(images: images)))
        return lowering.list.steps.reduce(input) { $0 + milliseconds(of: $1, lowering, images: images) }
    }

    /// What each operation of inference takes with its fastest kernel, by the node that gave it its name.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public func layerMilliseconds(
        _ network: Network, images: Int = 1
    ) throws(ExecutionError) -> [String: Double] {
        let lowering = try Self.lowering(network, images: images)
        return Dictionary(uniqueKeysWithValues: lowering.list.steps.map {
            ($0.node.name, milliseconds(of: $0, lowering, images: images))
        })
    }

    private func milliseconds(of step: Step, _ lowering: Lowering, images: Int) -> Double {
        guard step.isConvolution else {
            return lowering.elementWork(of: step, images: images).forward.reduce(0) { $0 + milliseconds($1) }
        }
        let candidates = milliseconds(of: lowering.descriptor(for: step, transposes: false), images: images)
        // Kernels are tried without the value that they add.
        let addend = step.addend == nil ? 0 : milliseconds(lowering.addendWork(of: step, images: images))
        return candidates.values.min()! + addend
    }

    private static func lowering(_ network: Network, images: Int) throws(ExecutionError) -> Lowering {
        try Lowering(
            network.withoutAuxiliaryHeads, lanes: InferencePlan.lanes(capacity: images), capacity: images,
            isTraining: false)
    }

    /// What each kernel that takes a convolution or fully connected layer would need, by node and kernel.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public func kernelMilliseconds(
        _ network: Network, images: Int = 1
    ) throws(ExecutionError) -> [String: [String: Double]] {
        let lowering = try Self.lowering(network, images: images)
        var result: [String: [String: Double]] = [:]
        for step in lowering.list.steps where step.isConvolution {
            result[step.node.name] = milliseconds(of: lowering.descriptor(for: step, transposes: false), images: images)
        }
        return result
    }

    /// What each kernel that takes a layer would need.
    func milliseconds(of layer: ConvolutionDescriptor, images: Int) -> [String: Double] {
        let shape = layer.pointer.pointee
        let blocks = (images + Int(shape.lanes) - 1) / Int(shape.lanes)
        let eligible = layer.forwardCandidates().filter { $0.declines == nil }.map(\.kernel.name)
        return Dictionary(uniqueKeysWithValues: eligible.map {
            ($0, milliseconds(WorkTerms(kernel: $0, shape, blocks: blocks)))
        })
    }

    /// The time of a training step: forward, backward and the optimizer's update.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public func trainingStepMilliseconds(_ network: Network, batch: Int) throws(ExecutionError) -> Double {
        let parameters = ParameterLayout(network)
        let lowered = try TrainingLowering(
            network, parameters: parameters, lanes: 16, capacity: batch, differentiatesInput: false)
        var sum = milliseconds(WorkTerms(kernel: "input", values: lowered.lowering.layout(0).count(images: batch)))
        sum += milliseconds(WorkTerms(kernel: Self.optimizer, values: 5 * parameters.trainedCount))
        for work in lowered.work(images: batch) {
            for terms in work.forward + work.backward { sum += milliseconds(terms) }
        }
        return sum
    }

    static let optimizer = "optimizer"
}

extension TrainingPlan {
    /// Bytes of activations, their gradients and workspaces of a plan, before it is made: exactly its `byteCount`.
    ///
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public static func byteCount(
        of network: Network, capacity: Int, threads: Int, frozen: Set<String> = [], recomputes: Bool = false
    ) throws(ExecutionError) -> Int {
        let lowered = try TrainingLowering(
            network, parameters: ParameterLayout(network), lanes: 16, capacity: capacity, differentiatesInput: false,
            frozen: frozen)
        let memory = recomputes
            ? TrainingMemory.recomputing(lowered, capacity: capacity) : TrainingMemory(lowered, capacity: capacity)
        return (memory.count + memory.workspacePitch * threads) * MemoryLayout<Float>.stride
    }
}
