import CGossamerKernels
import GossamerTensors

/// How inference chooses among the kernels that can run a layer.
public enum KernelChoice: Hashable, Sendable {
    /// The first that takes the shape, in the kernel table's order: the same on every machine of an instruction set.
    case byRule
    /// The fastest of brief trials on the layer's real shape, when the plan is made.
    case measured
}

/// What runs a convolution or fully connected layer of a plan, and what else could or could not.
public struct LayerImplementation: Hashable, Sendable, Codable {
    public struct Candidate: Hashable, Sendable, Codable {
        public let kernel: String
        /// Of the fastest trial; nil where it was not tried.
        public let milliseconds: Double?
        /// Why the kernel cannot run the layer; nil where it can.
        public let declines: String?
    }

    public let node: String
    public let kernel: String
    public let candidates: [Candidate]
}

/// Times kernels on the layers of one plan; layers of the same shape and number of connections share a result.
final class KernelTrials {
    struct Choice {
        let kernel: ConvolutionKernel
        let candidates: [LayerImplementation.Candidate]
    }

    private struct Key: Hashable {
        let geometry: [Int64]
        let connections: Int
        let sharedOutputs: Int32
    }

    private let choice: KernelChoice
    private let pool: ThreadPool
    private let images: Int
    private var results: [Key: Choice] = [:]

    /// - Parameter images: in a call; a trial takes no more than 64, which would only take longer.
    init(_ choice: KernelChoice, images: Int, pool: ThreadPool) {
        self.choice = choice
        self.images = min(images, 64)
        self.pool = pool
    }

    /// - Parameter weights: in the network's order, folded.
    /// - Throws: ``ExecutionError`` where the memory of the layer's trials is not to be had.
    func choose(
        for node: String, _ descriptor: ConvolutionDescriptor, weights: UnsafePointer<Float>, input: ActivationLayout,
        output: ActivationLayout
    ) throws(ExecutionError) -> Choice {
        let all = descriptor.forwardCandidates()
        let eligible = all.filter { $0.declines == nil }.map(\.kernel)
        func choice(of kernel: ConvolutionKernel, _ times: [String: Double]) -> Choice {
            Choice(
                kernel: kernel,
                candidates: all.map {
                    .init(kernel: $0.kernel.name, milliseconds: times[$0.kernel.name], declines: $0.declines)
                })
        }
        guard self.choice == .measured, eligible.count > 1 else {
            return choice(of: descriptor.kernel(GSM_CONVOLUTION_FORWARD), [:])
        }
        let key = key(of: descriptor)
        if let known = results[key] { return known }
        let counts = [input, output].map { $0.count(images: images) }
        try requireMemory(byteCount: 4 * (counts[0] + counts[1]), for: "trying the kernels of '\(node)'")
        let source = AlignedBuffer<Float>(count: counts[0]), target = AlignedBuffer<Float>(count: counts[1])
        for index in 0 ..< source.count { source[index] = Float(index % 13) - 6 }
        var times: [String: Double] = [:]
        for kernel in eligible {
            times[kernel.name] = time(kernel, descriptor, weights, from: source.pointer, to: target.pointer)
        }
        let result = choice(of: eligible.min { times[$0.name]! < times[$1.name]! }!, times)
        results[key] = result
        return result
    }

    /// Milliseconds of the fastest of a few calls.
    private func time(
        _ kernel: ConvolutionKernel, _ descriptor: ConvolutionDescriptor, _ weights: UnsafePointer<Float>,
        from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>
    ) -> Double {
        let packed = kernel.packed(weights, descriptor) ?? AlignedBuffer(count: 0)
        let pitch = (kernel.workspaceCount(descriptor) + 15) / 16 * 16
        let workspace = AlignedBuffer<Float>(count: pitch * pool.threadCount)
        let pass = Pass(
            imageCount: images, lanes: Int(descriptor.pointer.pointee.lanes), pool: pool, parameters: source,
            statistics: source, gradients: nil, randomKey: 0, workspace: workspace.pointer, workspacePitch: pitch)
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.input = UnsafePointer(source)
        call.output = target
        call.weights = weights
        call.packed = UnsafePointer(packed.pointer)
        kernel.run(call, pass)
        var best = Duration.seconds(1_000_000), spent = Duration.zero
        for run in 0 ..< 20 where run < 3 || spent < .milliseconds(10) {
            let begin = ContinuousClock.now
            kernel.run(call, pass)
            let duration = ContinuousClock.now - begin
            best = min(best, duration)
            spent += duration
        }
        return best / .milliseconds(1)
    }

    private func key(of descriptor: ConvolutionDescriptor) -> Key {
        let s = descriptor.pointer.pointee
        let sizes = [
            s.kernel_height, s.kernel_width, s.stride_height, s.stride_width, s.padding_top, s.padding_left,
            s.input_height, s.input_width, s.input_channels, s.output_height, s.output_width, s.output_channels,
        ]
        return Key(
            geometry: sizes.map { Int64($0) } + [s.input_channel_pitch, s.output_channel_pitch],
            connections: Int(s.row_starts[Int(s.output_channels)]), sharedOutputs: s.shared_outputs)
    }
}
