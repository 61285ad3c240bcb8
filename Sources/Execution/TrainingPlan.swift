import GossamerNetworks
import GossamerTensors

/// A network compiled for training: forward and backward passes over batches of up to `capacity` images.
///
/// All memory is taken when the plan is made; a step allocates nothing of size. Which kernel runs each layer follows
/// from shapes and density alone, so that the same seed gives the same bits on any number of threads.
public struct TrainingPlan: ~Copyable, @unchecked Sendable {
    public let network: Network
    public let capacity: Int
    public let inputLayout: ActivationLayout
    public let outputLayout: ActivationLayout
    public let pool: ThreadPool
    let operations: [any DifferentiableOperation]
    /// Of the backward pass, and of what it computes again.
    let memories: [OperationMemory]
    private let firstMemories: [OperationMemory]
    private let schedule: TrainingSchedule
    private let arena: AlignedBuffer<Float>
    private let workspace: AlignedBuffer<Float>
    private let workspacePitch: Int
    private let input: UnsafeMutablePointer<Float>
    /// The main output, then those of auxiliary heads.
    private let outputs: [Output]
    private let inputGradient: UnsafeMutablePointer<Float>?
    private var imageCount = 0
    private struct Output: @unchecked Sendable {
        let layout: ActivationLayout
        let values: UnsafeMutablePointer<Float>
        let gradient: UnsafeMutablePointer<Float>
    }
    private var randomKey: UInt64 = 0

    /// - Parameters:
    ///   - capacity: the largest batch.
    ///   - pool: the threads that every pass runs on.
    ///   - frozen: nodes whose parameters are not trained: they get no gradients, and neither does what only they need.
    ///     Batch normalisation among them uses its running statistics.
    ///   - recomputes: whether to keep few activations for the backward pass and to compute the others again, to the
    ///     same bits.
    /// - Throws: ``ExecutionError`` naming the node that cannot be compiled.
    public init(
        _ network: Network, capacity: Int, pool: ThreadPool, frozen: Set<String> = [], recomputes: Bool = false
    ) throws(ExecutionError) {
        try self.init(
            network, capacity: capacity, pool: pool, frozen: frozen, recomputes: recomputes,
            differentiatesInput: false)
    }

    /// - Parameters:
    ///   - cuts: before which operations to cut the forward pass into parts that are computed again.
    ///   - differentiatesInput: whether to compute the gradient of the images too.
    package init(
        _ network: Network, capacity: Int, pool: ThreadPool, frozen: Set<String> = [], recomputes: Bool = false,
        cuts: [Int]? = nil, differentiatesInput: Bool
    ) throws(ExecutionError) {
        guard capacity > 0 else { throw ExecutionError("a batch needs at least one image") }
        let lowered = try TrainingLowering(
            network, parameters: ParameterLayout(network), lanes: 16, capacity: capacity,
            differentiatesInput: differentiatesInput, frozen: frozen)
        let outputValues = lowered.lowering.list.outputValues
        guard outputValues.allSatisfy({ lowered.needsGradient[$0] }) else {
            throw ExecutionError("network '\(network.name)' has no parameters to train")
        }
        let memory = recomputes
            ? TrainingMemory.recomputing(lowered, capacity: capacity)
            : TrainingMemory(lowered, capacity: capacity, cuts: cuts ?? [])
        // Parameters, their gradients and the optimizer's state are the caller's, but as sure to come.
        let floats = memory.count + memory.workspacePitch * pool.threadCount + 3 * ParameterLayout(network).trainedCount
        try requireMemory(
            byteCount: floats * MemoryLayout<Float>.stride, for: "training '\(network.name)' on \(capacity) images")
        self.network = network
        self.capacity = capacity
        self.pool = pool
        operations = lowered.operations
        arena = AlignedBuffer(count: memory.count)
        workspacePitch = memory.workspacePitch
        workspace = AlignedBuffer(count: memory.workspacePitch * pool.threadCount)
        schedule = memory.schedule
        memories = memory.resolve(base: arena.pointer)
        firstMemories = memory.resolveFirst(base: arena.pointer, memories)
        inputLayout = lowered.lowering.layout(0)
        let base = arena.pointer
        outputs = outputValues.map {
            Output(
                layout: lowered.lowering.layout($0), values: memory.value($0, base: base),
                gradient: memory.gradient($0, base: base)!)
        }
        outputLayout = outputs[0].layout
        input = memory.value(0, base: base)
        inputGradient = memory.gradient(0, base: arena.pointer)
    }

    /// Layers, where those that another takes along do not count.
    package var operationCount: Int { operations.count }

    /// Bytes of activations, their gradients and workspaces, without parameters.
    public var byteCount: Int { arena.byteCount + workspace.byteCount }

    /// Computes the outputs of a batch and keeps what ``backward(parameters:gradients:outputGradient:)`` needs.
    ///
    /// - Parameters:
    ///   - images: `inputLayout.count(images: count)` floats with zeros in idle lanes.
    ///   - randomKey: distinguishes this step's dropout masks from those of all other steps.
    public mutating func forward(
        _ images: UnsafePointer<Float>, count: Int, parameters: borrowing Parameters, randomKey: UInt64
    ) {
        precondition(count >= 1 && count <= capacity, "batch of \(count) images, capacity \(capacity)")
        input.update(from: images, count: inputLayout.count(images: count))
        imageCount = count
        self.randomKey = randomKey
        let pass = pass(parameters, gradients: nil)
        for (operation, memory) in zip(operations, firstMemories) { operation.forward(pass, memory) }
    }

    /// Writes the gradients of all trained parameters for the last batch.
    ///
    /// - Parameters:
    ///   - gradients: `parameters.layout.trainedCount` floats in the parameters' layout; overwritten.
    ///   - outputGradient: the loss's gradient, [image][value] with `outputLayout.shape.count` values an image.
    ///   - auxiliaryGradients: the same of each auxiliary output, weighted.
    ///   - probe: gets the gradients of connections that do not exist.
    public mutating func backward(
        parameters: borrowing Parameters, gradients: borrowing AlignedBuffer<Float>,
        outputGradient: UnsafeBufferPointer<Float>, auxiliaryGradients: [UnsafeBufferPointer<Float>] = [],
        probe: CandidateProbe? = nil
    ) {
        precondition(imageCount > 0, "backward needs a forward pass")
        let given = [outputGradient] + auxiliaryGradients
        precondition(given.count == outputs.count, "a gradient for each output")
        precondition(gradients.count == parameters.layout.trainedCount, "gradients share the parameters' layout")
        for (output, values) in zip(outputs, given) {
            precondition(values.count == imageCount * output.layout.shape.count, "one gradient per value")
            output.layout.scatter(values, images: imageCount, into: output.gradient)
        }
        let pass = pass(parameters, gradients: gradients.pointer, probe: probe)
        let again = self.pass(parameters, gradients: nil, isRepeated: true)
        for entry in schedule.backward {
            switch entry {
            case .forwardAgain(let index): operations[index].forward(again, memories[index])
            case .backward(let index): operations[index].backward(pass, memories[index])
            }
        }
    }

    /// Copies the outputs of the last batch, [image][value].
    ///
    /// - Parameter auxiliary: which auxiliary output to take instead of the main one.
    public func readOutputs(into values: UnsafeMutableBufferPointer<Float>, auxiliary: Int? = nil) {
        let output = outputs[auxiliary.map { $0 + 1 } ?? 0]
        output.layout.gather(UnsafePointer(output.values), images: imageCount, into: values)
    }

    /// Copies the gradient of the last batch's images, [image][value], after the backward pass of a plan that
    /// differentiates its input.
    package func readInputGradient(into values: UnsafeMutableBufferPointer<Float>) {
        guard let inputGradient else { preconditionFailure("the plan does not differentiate its input") }
        inputLayout.gather(UnsafePointer(inputGradient), images: imageCount, into: values)
    }

    func pass(
        _ parameters: borrowing Parameters, gradients: UnsafeMutablePointer<Float>?, isRepeated: Bool = false,
        probe: CandidateProbe? = nil
    ) -> Pass {
        Pass(
            imageCount: imageCount, lanes: inputLayout.lanes, pool: pool, parameters: parameters.trained.pointer,
            statistics: parameters.statistics.pointer, gradients: gradients, randomKey: randomKey,
            isRepeated: isRepeated, probe: probe,
            workspace: workspace.pointer, workspacePitch: workspacePitch)
    }
}

extension ActivationLayout {
    /// Copies [image][value] into blocks; idle lanes become zero.
    func scatter(_ values: UnsafeBufferPointer<Float>, images: Int, into blocks: UnsafeMutablePointer<Float>) {
        blocks.update(repeating: 0, count: count(images: images))
        forEachValue(images: images) { blocks[$1] = values[$0] }
    }

    /// Copies blocks into [image][value].
    func gather(_ blocks: UnsafePointer<Float>, images: Int, into values: UnsafeMutableBufferPointer<Float>) {
        precondition(values.count >= images * shape.count, "room for every output")
        forEachValue(images: images) { values[$0] = blocks[$1] }
    }

    private func forEachValue(images: Int, _ body: (_ planar: Int, _ blocked: Int) -> Void) {
        var planar = 0
        for image in 0 ..< images {
            for channel in 0 ..< shape.channels {
                for row in 0 ..< shape.height {
                    var blocked = offset(image: image, channel: channel, row: row, column: 0)
                    for _ in 0 ..< shape.width {
                        body(planar, blocked)
                        planar += 1
                        blocked += lanes
                    }
                }
            }
        }
    }
}
