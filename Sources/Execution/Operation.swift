import GossamerTensors

/// One step of a compiled network.
///
/// An operation reads and writes values by number. It owns tables that never change; everything that a pass writes
/// lies in the plan's arena and reaches it through ``OperationMemory``.
protocol Operation: Sendable {
    /// The node that gave the operation its name.
    var name: String { get }
    var inputs: [Int] { get }
    var output: Int { get }
    var needs: OperationNeeds { get }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory)
}

/// An operation that training can go back through.
protocol DifferentiableOperation: Operation {
    /// Writes gradients of parameters and inputs from `memory.outputGradient`, which it may overwrite.
    func backward(_ pass: borrowing Pass, _ memory: OperationMemory)
}

/// What an operation wants the plan to keep for it.
struct OperationNeeds {
    /// Whether the backward pass reads the input or output activations again.
    var keepsInputs = false
    var keepsOutput = false
    /// Floats needed only during one pass.
    var forwardScratch = 0
    var backwardScratch = 0
    /// Floats kept from the forward to the backward pass.
    var saved = 0
    /// Floats per thread.
    var workspace = 0
    var hasParameters = false
}

/// Where an operation's buffers lie.
struct OperationMemory: @unchecked Sendable {
    struct InputGradient {
        let pointer: UnsafeMutablePointer<Float>
        /// Another reader of the same value has written its share already.
        let accumulates: Bool
    }

    var inputs: [UnsafeMutablePointer<Float>]
    var output: UnsafeMutablePointer<Float>
    var outputGradient: UnsafeMutablePointer<Float>?
    /// One per input, nil where no parameter lies upstream.
    var inputGradients: [InputGradient?]
    var forwardScratch: UnsafeMutablePointer<Float>
    var backwardScratch: UnsafeMutablePointer<Float>
    var saved: UnsafeMutablePointer<Float>
}

/// What all operations of one pass share.
struct Pass: ~Copyable {
    let imageCount: Int
    let lanes: Int
    let pool: ThreadPool
    let parameters: UnsafeMutablePointer<Float>
    let statistics: UnsafeMutablePointer<Float>
    let gradients: UnsafeMutablePointer<Float>?
    /// Distinguishes the random draws of one training step from those of all others.
    let randomKey: UInt64
    /// Whether a forward pass computes values again, so that running statistics have moved already.
    var isRepeated = false
    /// Gets the gradients of connections that do not exist.
    var probe: CandidateProbe?
    /// Workspace of worker 0; the others follow at `workspacePitch` floats.
    let workspace: UnsafeMutablePointer<Float>
    let workspacePitch: Int

    var blockCount: Int { (imageCount + lanes - 1) / lanes }

    /// Runs `body(block, channels)` over all blocks and channels in pieces worth a thread's attention.
    func forEachChannelRange(
        _ layout: ActivationLayout, _ body: (_ block: Int, _ channels: Range<Int>) -> Void
    ) {
        forEachRange(layout, valuesPerChannel: layout.channelPitch, blocks: blockCount, body)
    }

    /// Runs `body(channels)` over all channels, each call with all blocks: for sums over a whole batch.
    func forEachChannel(_ layout: ActivationLayout, _ body: (_ channels: Range<Int>) -> Void) {
        forEachRange(layout, valuesPerChannel: layout.channelPitch * blockCount, blocks: 1) { body($1) }
    }

    private func forEachRange(
        _ layout: ActivationLayout, valuesPerChannel: Int, blocks: Int,
        _ body: (_ block: Int, _ channels: Range<Int>) -> Void
    ) {
        let channels = layout.shape.channels
        let perUnit = max(1, min(channels, 16384 / max(1, valuesPerChannel)))
        let units = (channels + perUnit - 1) / perUnit
        pool.run(blocks * units) { unit, _ in
            let first = unit % units * perUnit
            body(unit / units, first ..< min(channels, first + perUnit))
        }
    }
}
