import CGossamerKernels
import Foundation
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
    private struct Key: Hashable {
        let geometry: [Int64]
        let connections: Int
        let groupsOfFour: Bool
    }

    private let choice: KernelChoice
    private let pool: ThreadPool
    /// In a trial: more would only take longer.
    let images: Int
    private var results: [Key: (kernel: ConvolutionKernel, candidates: [LayerImplementation.Candidate])] = [:]

    /// - Parameter images: in a call.
    init(_ choice: KernelChoice, images: Int, pool: ThreadPool) {
        self.choice = choice
        self.images = min(images, 64)
        self.pool = pool
    }

    /// - Throws: ``ExecutionError`` where the memory of the layer's trials is not to be had.
    func requireBuffers(of node: String, floats: Int) throws(ExecutionError) {
        guard choice == .measured else { return }
        try requireMemory(byteCount: 4 * floats, for: "trying the kernels of '\(node)'")
    }

    /// - Parameter weights: in the network's order, folded.
    func kernel(
        for descriptor: ConvolutionDescriptor, weights: UnsafePointer<Float>, inputCount: Int, outputCount: Int
    ) -> (kernel: ConvolutionKernel, candidates: [LayerImplementation.Candidate]) {
        let all = descriptor.forwardCandidates()
        let eligible = all.filter { $0.declines == nil }.map(\.kernel)
        func list(_ times: [String: Double]) -> [LayerImplementation.Candidate] {
            all.map { .init(kernel: $0.kernel.name, milliseconds: times[$0.kernel.name], declines: $0.declines) }
        }
        guard choice == .measured, eligible.count > 1 else {
            return (descriptor.kernel(GSM_CONVOLUTION_FORWARD), list([:]))
        }
        let key = key(of: descriptor)
        if let known = results[key] { return known }
        let input = AlignedBuffer<Float>(count: inputCount)
        for index in 0 ..< inputCount { input[index] = Float(index % 13) - 6 }
        let output = AlignedBuffer<Float>(count: outputCount)
        var times: [String: Double] = [:]
        for kernel in eligible {
            times[kernel.name] = time(kernel, descriptor, weights, input: input.pointer, output: output.pointer)
        }
        let fastest = eligible.min { times[$0.name]! < times[$1.name]! }!
        let result = (fastest, list(times))
        results[key] = result
        return result
    }

    /// Milliseconds of the fastest of a few calls.
    private func time(
        _ kernel: ConvolutionKernel, _ descriptor: ConvolutionDescriptor, _ weights: UnsafePointer<Float>,
        input: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
    ) -> Double {
        let packed = AlignedBuffer<Float>(count: kernel.packedCount(descriptor))
        kernel.row.pointee.pack(descriptor.pointer, weights, packed.pointer)
        let pitch = (kernel.workspaceCount(descriptor) + 15) / 16 * 16
        let workspace = AlignedBuffer<Float>(count: pitch * pool.threadCount)
        let pass = Pass(
            imageCount: images, lanes: Int(descriptor.pointer.pointee.lanes), pool: pool, parameters: input,
            statistics: input, gradients: nil, randomKey: 0, workspace: workspace.pointer, workspacePitch: pitch)
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.input = UnsafePointer(input)
        call.output = output
        call.weights = weights
        call.packed = UnsafePointer(packed.pointer)
        kernel.run(call, pass)
        var best = Double.infinity
        var spent = 0.0
        for run in 0 ..< 20 where run < 3 || spent < 0.01 {
            let begin = DispatchTime.now().uptimeNanoseconds
            kernel.run(call, pass)
            let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) * 1e-9
            best = min(best, seconds)
            spent += seconds
        }
        return best * 1000
    }

    private func key(of descriptor: ConvolutionDescriptor) -> Key {
        let s = descriptor.pointer.pointee
        let sizes = [
            s.kernel_height, s.kernel_width, s.stride_height, s.stride_width, s.padding_top, s.padding_left,
            s.input_height, s.input_width, s.input_channels, s.output_height, s.output_width, s.output_channels,
        ]
        return Key(
            geometry: sizes.map { Int64($0) } + [s.input_channel_pitch, s.output_channel_pitch],
            connections: Int(s.row_starts[Int(s.output_channels)]), groupsOfFour: readsAlike(s))
    }

    /// Whether the second output reads what the first does, as in dense and blocked tables.
    private func readsAlike(_ s: gsm_convolution) -> Bool {
        guard s.output_channels > 1, s.row_starts[2] - s.row_starts[1] == s.row_starts[1] else { return false }
        let count = Int(s.row_starts[1])
        return (0 ..< count).allSatisfy { s.inputs[$0] == s.inputs[count + $0] }
    }
}
