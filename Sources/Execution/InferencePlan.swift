import GossamerNetworks
import GossamerTensors

/// A trained network compiled for inference: batch normalisation folded, weights packed, memory planned.
///
/// One image runs in a single lane, its pixels side by side in the vector registers; larger batches hold 16 images in
/// the lanes.
public struct InferencePlan: ~Copyable, @unchecked Sendable {
    public let network: Network
    /// The most images in a call.
    public let capacity: Int
    public let inputLayout: ActivationLayout
    public let outputLayout: ActivationLayout
    public let pool: ThreadPool
    let operations: [any Operation]
    let memories: [OperationMemory]
    private let arena: AlignedBuffer<Float>
    private let workspace: AlignedBuffer<Float>
    private let workspacePitch: Int
    private let input: UnsafeMutablePointer<Float>
    private let output: UnsafeMutablePointer<Float>

    /// - Parameters:
    ///   - network: its auxiliary heads, if any, are left out.
    ///   - parameters: read while the plan is made and not kept.
    ///   - capacity: the largest batch.
    ///   - pool: the threads that every pass runs on.
    ///   - choice: how each layer's kernel is chosen. Kernels round differently: only ``KernelChoice/byRule`` gives the
    ///     same bits in every process.
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public init(
        _ network: Network, parameters: borrowing Parameters, capacity: Int = 1, pool: ThreadPool,
        choice: KernelChoice = .byRule
    ) throws(ExecutionError) {
        let trained = parameters.trained.pointer, statistics = parameters.statistics.pointer
        // The parameters may be those of a network with heads, whose own lie in between.
        let layout = parameters.layout
        try self.init(network, capacity: capacity, pool: pool, choice: choice) { entry, values in
            let own = layout.entry(entry.node, entry.role)!
            let base = own.role.isTrained ? trained : statistics
            values.baseAddress!.update(from: base + own.offset, count: own.count)
        }
    }

    /// Makes a plan of parameters that are never in memory together.
    ///
    /// - Parameter readParameter: called once for every parameter, in the order of the network's nodes.
    public init(
        _ network: Network, capacity: Int = 1, pool: ThreadPool, choice: KernelChoice = .byRule,
        readParameter: ParameterReader
    ) throws(ExecutionError) {
        guard capacity > 0 else { throw ExecutionError("a batch needs at least one image") }
        let network = network.withoutAuxiliaryHeads
        let lanes = Self.lanes(capacity: capacity)
        let lowered = try InferenceLowering(
            network, lanes: lanes, capacity: capacity, trials: KernelTrials(choice, images: capacity, pool: pool),
            read: readParameter)
        let placements = lowered.lowering.placements
        let memory = InferenceMemory(lowered.lowering, capacity: capacity)
        try requireMemory(
            byteCount: memory.count * MemoryLayout<Float>.stride,
            for: "inference of '\(network.name)' on \(capacity) images")
        let outputValue = lowered.lowering.list.outputValue
        let arena = AlignedBuffer<Float>(count: memory.count)
        let base = arena.pointer
        let addresses = placements.indices.map { base + memory.offset(of: $0) }
        self.network = network
        self.capacity = capacity
        self.pool = pool
        operations = lowered.operations
        memories = lowered.operations.map { operation in
            OperationMemory(
                inputs: operation.inputs.map { addresses[$0] }, output: addresses[operation.output],
                outputGradient: nil, inputGradients: [], forwardScratch: base, backwardScratch: base, saved: base)
        }
        workspacePitch = ((lowered.operations.map(\.needs.workspace).max() ?? 0) + 15) / 16 * 16
        workspace = AlignedBuffer(count: workspacePitch * pool.threadCount)
        self.arena = arena
        inputLayout = placements[0].layout
        outputLayout = placements[outputValue].layout
        input = addresses[0]
        output = addresses[outputValue]
    }

    static func lanes(capacity: Int) -> Int { capacity < smallestFullBatch ? 1 : 16 }

    /// Below this capacity, images one after another in single lanes beat blocks with idle lanes.
    static let smallestFullBatch = 8

    /// Bytes of activations, workspaces, packed weights and connection indices.
    public var byteCount: Int {
        arena.byteCount + workspace.byteCount
            + operations.reduce(0) { $0 + (($1 as? FrozenConvolutionOperation)?.byteCount ?? 0) }
    }

    /// What runs each convolution and fully connected layer, in order.
    public var implementations: [LayerImplementation] {
        operations.compactMap { $0 as? FrozenConvolutionOperation }.map {
            LayerImplementation(
                node: $0.name, kernel: $0.choice.kernel.name, source: $0.choice.source,
                candidates: $0.choice.candidates)
        }
    }

    /// Computes the outputs of a batch that is already laid out in blocks.
    ///
    /// - Parameters:
    ///   - images: `inputLayout.count(images: count)` floats with zeros in idle lanes.
    ///   - outputs: [image][value], `count * outputLayout.shape.count` values.
    public mutating func run(
        _ images: UnsafePointer<Float>, count: Int, outputs: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(count >= 1 && count <= capacity, "batch of \(count) images, capacity \(capacity)")
        input.update(from: images, count: inputLayout.count(images: count))
        forward(count: count)
        outputLayout.gather(UnsafePointer(output), images: count, into: outputs)
    }

    /// Outputs of images given as [image][channel][row][column], as [image][value].
    public mutating func callAsFunction(_ images: [Float]) -> [Float] {
        let count = images.count / inputLayout.shape.count
        precondition(count * inputLayout.shape.count == images.count, "whole images of \(inputLayout.shape)")
        precondition(count >= 1 && count <= capacity, "batch of \(count) images, capacity \(capacity)")
        images.withUnsafeBufferPointer { inputLayout.scatter($0, images: count, into: input) }
        forward(count: count)
        return [Float](unsafeUninitializedCapacity: count * outputLayout.shape.count) { values, initialized in
            outputLayout.gather(UnsafePointer(output), images: count, into: values)
            initialized = count * outputLayout.shape.count
        }
    }

    private func forward(count: Int) {
        let pass = pass(count: count)
        for (operation, memory) in zip(operations, memories) { operation.forward(pass, memory) }
    }

    /// The nodes whose operations run, in order. A node's operation may take along what follows: batch normalisation,
    /// an addition, bounds.
    public var operationNames: [String] { operations.map(\.name) }

    /// Computes the outputs of a batch as ``run(_:count:outputs:)`` does, and drops them.
    ///
    /// - Returns: what each operation took, in the order of ``operationNames``.
    public mutating func timeOperations(_ images: UnsafePointer<Float>, count: Int) -> [Duration] {
        precondition(count >= 1 && count <= capacity, "batch of \(count) images, capacity \(capacity)")
        input.update(from: images, count: inputLayout.count(images: count))
        let pass = pass(count: count)
        var last = ContinuousClock.now
        return zip(operations, memories).map { operation, memory in
            operation.forward(pass, memory)
            let now = ContinuousClock.now
            defer { last = now }
            return now - last
        }
    }

    /// Inference operations read no parameters through the pass: theirs are packed. The arena stands in for both.
    func pass(count: Int) -> Pass {
        Pass(
            imageCount: count, lanes: inputLayout.lanes, pool: pool, parameters: arena.pointer,
            statistics: arena.pointer, gradients: nil, randomKey: 0, workspace: workspace.pointer,
            workspacePitch: workspacePitch)
    }
}
