import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// A convolution or fully connected layer with its bias and, where they follow, a ReLU or other bounds.
struct ConvolutionOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let descriptor: ConvolutionDescriptor
    let outputLayout: ActivationLayout
    let kernelEntry: ParameterLayout.Entry
    let biasEntry: ParameterLayout.Entry?
    let bounds: gsm_bounds
    let kernels: TrainingKernels

    /// The rows that the fixed rule chose. The input gradient is nil where no trained parameter lies upstream, the
    /// weight gradient where the layer is frozen.
    struct TrainingKernels: Sendable {
        let forward: ConvolutionKernel
        let inputGradient: ConvolutionKernel?
        let weightGradient: ConvolutionKernel?
    }

    var needs: OperationNeeds {
        let all = [kernels.forward, kernels.weightGradient, kernels.inputGradient].compactMap { $0 }
        return OperationNeeds(
            keepsInputs: kernels.weightGradient != nil, keepsOutput: bounds.apply && all.count > 1,
            forwardScratch: widenedCount + kernels.forward.packedCount(descriptor),
            backwardScratch: 2 * widenedCount + (kernels.inputGradient?.packedCount(descriptor) ?? 0),
            workspace: all.map { $0.workspaceCount(descriptor) }.max() ?? 0,
            hasParameters: kernels.weightGradient != nil)
    }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        let weights = widened(pass, memory.forwardScratch)
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.bounds = bounds
        call.input = UnsafePointer(memory.inputs[0])
        call.output = memory.output
        call.bias = biasEntry.map { UnsafePointer(pass.parameters + $0.offset) }
        call.weights = weights
        call.packed = packed(kernels.forward, weights, memory.forwardScratch + widenedCount)
        kernels.forward.run(call, pass)
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let gradients = pass.gradients else { return }
        backwardEpilogue(pass, memory, outputGradient, gradients)
        if kernels.weightGradient != nil, let layer = pass.probe?.layers[name] {
            pass.probe?.visitCandidates(of: self, layer, pass, memory, outputGradient)
        }
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.input = UnsafePointer(memory.inputs[0])
        call.output_gradient = UnsafePointer(outputGradient)
        let gradient = gradients + kernelEntry.offset
        call.weight_gradient = descriptor.dilation == nil ? gradient : memory.backwardScratch
        defer {
            if kernels.weightGradient != nil { descriptor.dilation?.narrow(memory.backwardScratch, to: gradient) }
        }
        guard let kernel = kernels.inputGradient, let target = memory.inputGradients[0] else {
            kernels.weightGradient?.run(call, pass)
            return
        }
        let scratch = memory.backwardScratch + widenedCount
        let weights = widened(pass, scratch)
        var packed: UnsafePointer<Float>?
        let pack = { packed = self.packed(kernel, weights, scratch + widenedCount) }
        if let weightGradient = kernels.weightGradient {
            weightGradient.run(call, pass, aside: pack)
        } else {
            pack()
        }
        call.weights = weights
        call.packed = packed
        call.input_gradient = target.pointer
        call.accumulate = target.accumulates
        kernel.run(call, pass)
    }

    /// Masks the gradient where the bounds cut the output, and sums it into the gradient of the bias.
    private func backwardEpilogue(
        _ pass: borrowing Pass, _ memory: OperationMemory, _ outputGradient: UnsafeMutablePointer<Float>,
        _ gradients: UnsafeMutablePointer<Float>
    ) {
        let biasEntry = kernels.weightGradient == nil ? nil : biasEntry
        guard bounds.apply || biasEntry != nil else { return }
        let blocks = pass.blockCount
        pass.forEachChannel(outputLayout) { channels in
            let extent = outputLayout.extent(blocks: blocks, channels: channels.count)
            let y = outputLayout.view(memory.output, channel: channels.lowerBound)
            let dy = outputLayout.view(outputGradient, channel: channels.lowerBound)
            guard let biasEntry else { return elements.bound_gradient(extent, bounds, y, dy, dy, false) }
            let sums = gradients + biasEntry.offset + channels.lowerBound
            if bounds.apply {
                elements.bound_bias_gradient(extent, bounds, y, dy, sums)
            } else {
                elements.bias_gradient(extent, dy, sums)
            }
        }
    }

    /// Room for the kernels with zeros between their taps; 0 where there is nothing between.
    private var widenedCount: Int { descriptor.dilation == nil ? 0 : (descriptor.weightCount + 15) / 16 * 16 }

    /// The layer's weights; those of a dilated convolution are widened into `scratch`.
    private func widened(
        _ pass: borrowing Pass, _ scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let weights = UnsafePointer(pass.parameters + kernelEntry.offset)
        guard let dilation = descriptor.dilation else { return weights }
        dilation.widen(weights, to: scratch)
        return UnsafePointer(scratch)
    }

    /// The weights as the kernel wants them, nil for kernels that read them as they are.
    private func packed(
        _ kernel: ConvolutionKernel, _ weights: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float>? {
        guard kernel.packedCount(descriptor) > 0 else { return nil }
        kernel.row.pointee.pack(descriptor.pointer, weights, scratch)
        return UnsafePointer(scratch)
    }
}
