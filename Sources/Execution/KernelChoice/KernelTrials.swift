import CGossamerKernels
import GossamerTensors

/// How inference chooses among the kernels that can run a layer.
public enum KernelChoice: Sendable {
    /// The first that takes the shape, in the kernel table's order: the same on every machine of an instruction set.
    case byRule
    /// The fastest of brief trials on the layer's real shape, when the plan is made.
    case measured
    /// Likewise, but shapes that the file knows are not tried again.
    case remembered(KernelCache)
    /// The one that a cost model predicts to be the fastest: the same wherever the same rates are used.
    case predicted(CostModel)
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

    /// Why the kernel was chosen.
    public enum Source: String, Hashable, Sendable, Codable {
        /// The first that takes the shape.
        case rule
        /// The only one that takes the shape.
        case only
        /// The fastest of trials now, or of trials that a file remembers.
        case tried, remembered
        /// The fastest in a cost model's prediction.
        case predicted
    }

    public let node: String
    public let kernel: String
    public let source: Source
    public let candidates: [Candidate]
}

/// Times kernels on the layers of one plan; layers of the same shape and number of connections share a result.
final class KernelTrials {
    struct Choice {
        let kernel: ConvolutionKernel
        let source: LayerImplementation.Source
        let candidates: [LayerImplementation.Candidate]
    }

    private let choice: KernelChoice
    private let pool: ThreadPool
    private let images: Int
    private let group: String
    private let rounds: TrialRounds
    private var results: [String: [String: Double]] = [:]

    /// - Parameter images: in a call; a trial takes no more than 64, which would only take longer.
    init(
        _ choice: KernelChoice, images: Int, pool: ThreadPool,
        rounds: TrialRounds = .findingFastest(patience: .milliseconds(10))
    ) {
        self.rounds = rounds
        self.choice = choice
        self.images = min(images, 64)
        self.pool = pool
        group = MachineFiles.group(threads: pool.threadCount)
    }

    /// - Throws: ``ExecutionError`` where the memory of the layer's trials is not to be had.
    func choose(
        for node: String, _ descriptor: ConvolutionDescriptor, input: ActivationLayout, output: ActivationLayout
    ) throws(ExecutionError) -> Choice {
        let all = descriptor.forwardCandidates()
        let eligible = all.filter { $0.declines == nil }.map(\.kernel)
        func choice(
            of kernel: ConvolutionKernel, _ source: LayerImplementation.Source, _ times: [String: Double]
        ) -> Choice {
            Choice(
                kernel: kernel, source: source,
                candidates: all.map {
                    .init(kernel: $0.kernel.name, milliseconds: times[$0.kernel.name], declines: $0.declines)
                })
        }
        if eligible.count == 1 { return choice(of: eligible[0], .only, [:]) }
        if case .byRule = self.choice { return choice(of: descriptor.kernel(GSM_CONVOLUTION_FORWARD), .rule, [:]) }
        func fastest(_ times: [String: Double], _ source: LayerImplementation.Source) -> Choice {
            choice(of: eligible.min { times[$0.name]! < times[$1.name]! }!, source, times)
        }
        if case .predicted(let model) = self.choice {
            let times = model.milliseconds(of: descriptor, images: images)
            return choice(of: eligible.min { times[$0.name]! < times[$1.name]! }!, .predicted, [:])
        }
        let key = key(of: descriptor)
        if let known = results[key] { return fastest(known, .tried) }
        if case .remembered(let cache) = self.choice, let known = cache.times(of: key, in: group),
            eligible.allSatisfy({ known[$0.name] != nil }) {
            return fastest(known, .remembered)
        }
        let times = try times(of: eligible, on: descriptor, node: node, input: input, output: output)
        results[key] = times
        if case .remembered(let cache) = self.choice { cache.keep(times, of: key, in: group) }
        return fastest(times, .tried)
    }

    /// Writes what was found to the file that remembers it.
    func finish() {
        if case .remembered(let cache) = choice { cache.save() }
    }

    /// Floats from which an output is large, and how many a trial writes in turn then.
    private static let largeOutput = 1 << 18
    private static let farTargets = 1 << 22

    /// Milliseconds of each kernel on a layer.
    func times(
        of kernels: [ConvolutionKernel], on descriptor: ConvolutionDescriptor, node: String, input: ActivationLayout,
        output: ActivationLayout
    ) throws(ExecutionError) -> [String: Double] {
        let counts = [input, output].map { $0.count(images: images) }
        // Where a network writes a large output, other values have been since the last image: far from the core.
        let targetCount = counts[1] < Self.largeOutput ? 1 : max(1, Self.farTargets / counts[1])
        try requireMemory(
            byteCount: 4 * (counts[0] + counts[1] * targetCount), for: "trying the kernels of '\(node)'")
        // The values do not matter to the time.
        let weights = AlignedBuffer<Float>(count: descriptor.weightCount)
        weights.pointer.update(repeating: 1, count: weights.count)
        let source = AlignedBuffer<Float>(count: counts[0])
        let targets = AlignedBuffer<Float>(count: counts[1] * targetCount)
        for index in 0 ..< source.count { source.pointer[index] = Float(index % 13) - 6 }
        // The first write takes memory from the system.
        targets.pointer.update(repeating: 0, count: targets.count)
        var run = 0
        let contestants = kernels.map { Contestant($0, descriptor, weights.pointer, threads: pool.threadCount) }
        func start(_ contestant: Contestant) {
            run += 1
            contestant.run(
                images: images, from: source.pointer, to: targets.pointer + run % targetCount * counts[1], pool)
        }
        contestants.forEach(start)
        let cold = ColdRuns(pool: pool)
        let durations = rounds.shortest(of: contestants.count) { index in
            let contestant = contestants[index]
            let warm = [
                UnsafeBufferPointer(start: source.pointer, count: source.count),
                UnsafeBufferPointer(start: targets.pointer, count: targetCount == 1 ? targets.count : 0),
                UnsafeBufferPointer(start: contestant.workspace.pointer, count: contestant.workspace.count),
            ]
            return cold.duration(warming: warm) { start(contestant) }
        }
        return Dictionary(uniqueKeysWithValues: zip(kernels, durations).map { ($0.name, $1 / .milliseconds(1)) })
    }

    /// Everything that decides how fast a kernel is, but the machine.
    private func key(of descriptor: ConvolutionDescriptor) -> String {
        let s = descriptor.pointer.pointee
        return "\(s.kernel_height)x\(s.kernel_width) stride \(s.stride_height)x\(s.stride_width) "
            + "padding \(s.padding_top),\(s.padding_left) "
            + "\(s.input_channels)@\(s.input_height)x\(s.input_width)+\(s.input_channel_pitch) to "
            + "\(s.output_channels)@\(s.output_height)x\(s.output_width)+\(s.output_channel_pitch), "
            + "\(s.row_starts[Int(s.output_channels)]) connections "
            + "shared by \(s.shared_outputs), \(images) images"
    }
}

/// A kernel that is tried on a layer, with memory of its own.
private final class Contestant {
    private let kernel: ConvolutionKernel
    private let descriptor: ConvolutionDescriptor
    private let weights: UnsafePointer<Float>
    private let packed: AlignedBuffer<Float>
    let workspace: AlignedBuffer<Float>
    private let workspacePitch: Int

    init(
        _ kernel: ConvolutionKernel, _ descriptor: ConvolutionDescriptor, _ weights: UnsafePointer<Float>, threads: Int
    ) {
        self.kernel = kernel
        self.descriptor = descriptor
        self.weights = weights
        packed = kernel.packed(weights, descriptor) ?? AlignedBuffer(count: 0)
        workspacePitch = (kernel.workspaceCount(descriptor) + 15) / 16 * 16
        workspace = AlignedBuffer(count: workspacePitch * threads)
    }

    func run(
        images: Int, from source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>,
        _ pool: ThreadPool
    ) {
        let pass = Pass(
            imageCount: images, lanes: Int(descriptor.pointer.pointee.lanes), pool: pool, parameters: source,
            statistics: source, gradients: nil, randomKey: 0, workspace: workspace.pointer,
            workspacePitch: workspacePitch)
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.input = UnsafePointer(source)
        call.output = target
        call.weights = weights
        call.packed = UnsafePointer(packed.pointer)
        kernel.run(call, pass)
    }
}
