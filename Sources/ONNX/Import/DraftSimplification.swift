import GossamerNetworks
import GossamerTensors

/// Makes fewer and better layers of what exporters write: each pass replaces a node in place, and what nothing reads
/// any more is left out of the network.
struct DraftSimplification {
    private var draft: Draft
    private let output: Int

    static func apply(to draft: Draft, output: Int) -> Draft {
        var simplification = DraftSimplification(draft: draft, output: output)
        simplification.joinScalings()
        simplification.recogniseActivations()
        simplification.foldPadding()
        simplification.foldScalingsBackward()
        simplification.foldScalingsForward()
        return simplification.draft
    }

    /// Whether a node is read once, by whoever asks.
    private func isReadOnce(_ counts: [Int], _ index: Int) -> Bool { counts[index] == 1 }

    // MARK: - Activations

    /// Activations that are written as arithmetic.
    private mutating func recogniseActivations() {
        for index in draft.nodes.indices {
            if let input = hardSigmoidInput(index) {
                draft.nodes[index].operation = .layer(.activation(.hardSigmoid))
                draft.nodes[index].inputs = [input]
            } else if let (input, activation) = gatedInput(index) {
                draft.nodes[index].operation = .layer(.activation(activation))
                draft.nodes[index].inputs = [input]
            }
        }
    }

    /// clip(x + 3, 0, 6) / 6.
    private func hardSigmoidInput(_ index: Int) -> Int? {
        guard let (clipped, scale, shift) = uniformScaling(index), abs(scale - 1 / 6) < 1e-6, shift == 0 else {
            return nil
        }
        return shiftedClipInput(clipped)
    }

    /// The x of clip(x + 3, 0, 6).
    private func shiftedClipInput(_ index: Int) -> Int? {
        guard case .layer(.activation(.relu6)) = draft.nodes[index].operation,
            let (input, scale, shift) = uniformScaling(draft.nodes[index].inputs[0]), scale == 1, shift == 3
        else { return nil }
        return input
    }

    /// x * sigmoid(x), x * hardSigmoid(x) and x * clip(x + 3, 0, 6) / 6.
    private func gatedInput(_ index: Int) -> (Int, Activation)? {
        if let (product, scale, shift) = uniformScaling(index), abs(scale - 1 / 6) < 1e-6, shift == 0,
            let (input, gate) = factors(product), shiftedClipInput(gate) == input {
            return (input, .hardSwish)
        }
        guard let (input, gate) = factors(index), draft.nodes[gate].inputs == [input],
            case .layer(.activation(let activation)) = draft.nodes[gate].operation
        else { return nil }
        switch activation {
        case .sigmoid: return (input, .swish)
        case .hardSigmoid: return (input, .hardSwish)
        default: return nil
        }
    }

    /// The factors of a product, the one that is an activation as the second.
    private func factors(_ index: Int) -> (Int, Int)? {
        guard case .layer(.multiplication) = draft.nodes[index].operation else { return nil }
        let inputs = draft.nodes[index].inputs
        guard draft.nodes[inputs[0]].shape == draft.nodes[inputs[1]].shape else { return nil }
        if case .layer(.activation) = draft.nodes[inputs[1]].operation { return (inputs[0], inputs[1]) }
        return (inputs[1], inputs[0])
    }

    /// The input of a scaling that is the same for all channels.
    private func uniformScaling(_ index: Int) -> (input: Int, scale: Float, shift: Float)? {
        guard case .affine(let scaling) = draft.nodes[index].operation,
            scaling.scale.allSatisfy({ $0 == scaling.scale[0] }),
            scaling.shift.allSatisfy({ $0 == scaling.shift[0] })
        else { return nil }
        return (draft.nodes[index].inputs[0], scaling.scale[0], scaling.shift[0])
    }

    // MARK: - Padding

    /// Zeros around the input of a convolution, or of an average that counts them, become the layer's own; so does what
    /// no maximum takes.
    private mutating func foldPadding() {
        for index in draft.nodes.indices {
            while let first = draft.nodes[index].inputs.first,
                case .padding(let edges, let value) = draft.nodes[first].operation,
                let operation = padded(draft.nodes[index].operation, by: edges, value: value) {
                draft.nodes[index].operation = operation
                draft.nodes[index].inputs[0] = draft.nodes[first].inputs[0]
            }
        }
    }

    private func padded(_ operation: Draft.Operation, by edges: Draft.Edges, value: Float) -> Draft.Operation? {
        switch operation {
        case .convolution(var convolution) where value == 0:
            convolution.layer.padding = convolution.layer.padding.widened(by: edges)
            return .convolution(convolution)
        case .layer(.averagePooling(var pooling, let countsPadding))
            where value == 0 && (countsPadding || pooling.padding == .valid):
            pooling.padding = pooling.padding.widened(by: edges)
            return .layer(.averagePooling(pooling, countsPadding: true))
        case .layer(.maxPooling(var pooling))
            where value <= -Float.greatestFiniteMagnitude && pooling.padding == .valid:
            pooling.padding = pooling.padding.widened(by: edges)
            return .layer(.maxPooling(pooling))
        default: return nil
        }
    }

    // MARK: - Scalings

    /// Scalings that follow each other become one. The pieces of activations stay apart for as long as they have other
    /// readers.
    private mutating func joinScalings() {
        let counts = draft.readerCounts(output: output)
        for index in draft.nodes.indices {
            guard case .affine(let scaling) = draft.nodes[index].operation,
                case let input = draft.nodes[index].inputs[0], isReadOnce(counts, input),
                case .affine(let earlier) = draft.nodes[input].operation
            else { continue }
            draft.nodes[index].operation = .affine(earlier.then(scaling))
            draft.nodes[index].inputs = draft.nodes[input].inputs
        }
    }

    /// A scaling becomes part of the layer whose output it alone reads.
    private mutating func foldScalingsBackward() {
        let counts = draft.readerCounts(output: output)
        for index in draft.nodes.indices {
            guard case .affine(let scaling) = draft.nodes[index].operation,
                case let input = draft.nodes[index].inputs[0], isReadOnce(counts, input),
                let operation = followed(draft.nodes[input].operation, by: scaling)
            else { continue }
            draft.nodes[index].operation = operation
            draft.nodes[index].inputs = draft.nodes[input].inputs
            let name = draft.nodes[index].name
            draft.nodes[index].name = draft.nodes[input].name
            draft.nodes[input].name = name
        }
    }

    private func followed(_ operation: Draft.Operation, by scaling: ChannelScaling) -> Draft.Operation? {
        switch operation {
        case .convolution(let layer): return .convolution(layer.followed(by: scaling))
        case .fullyConnected(let layer): return .fullyConnected(layer.followed(by: scaling))
        case .normalization(let layer, var statistics):
            statistics.scale = zip(statistics.scale, scaling.scale).map(*)
            statistics.shift = statistics.shift.indices.map {
                statistics.shift[$0] * scaling.scale[$0] + scaling.shift[$0]
            }
            return .normalization(layer, statistics: statistics)
        default: return nil
        }
    }

    /// A scaling without shift becomes part of the convolution that alone reads it.
    private mutating func foldScalingsForward() {
        let counts = draft.readerCounts(output: output)
        for index in draft.nodes.indices {
            guard case .convolution(var convolution) = draft.nodes[index].operation,
                case let input = draft.nodes[index].inputs[0], isReadOnce(counts, input),
                case .affine(let scaling) = draft.nodes[input].operation,
                scaling.shift.allSatisfy({ $0 == 0 }), convolution.channelScale == nil
            else { continue }
            convolution.channelScale = convolution.channels.map { $0.map { scaling.scale[$0] } } ?? scaling.scale
            draft.nodes[index].operation = .convolution(convolution)
            draft.nodes[index].inputs = draft.nodes[input].inputs
        }
    }
}

extension Padding {
    fileprivate func widened(by edges: Draft.Edges) -> Padding {
        guard case .explicit(let top, let left, let bottom, let right) = self else { return edges.padding }
        return .explicit(
            top: top + edges.top, left: left + edges.left, bottom: bottom + edges.bottom, right: right + edges.right)
    }
}
