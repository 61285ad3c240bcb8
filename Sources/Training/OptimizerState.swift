import CGossamerKernels
import Foundation
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// What an optimizer keeps between steps: one or two values for each parameter that exists and is trained, so that it
/// follows the number of connections.
public struct OptimizerState: ~Copyable {
    public let optimizer: Optimizer
    /// Added to the gradient of kernels as weightDecay * weight, or with AdamW taken from the weight itself; biases and
    /// batch normalisation do not decay.
    public let weightDecay: Double
    /// The slots one after another.
    let values: AlignedBuffer<Float>
    /// One slot's floats.
    let slotCount: Int
    /// The parameters that are trained.
    let spans: [Span]
    private let pieces: [Span]

    /// Values that are treated alike: a parameter, or a piece of one.
    struct Span {
        let entry: ParameterLayout.Entry
        /// In the buffers of parameters and gradients, and in each slot.
        let offset: Int
        let stateOffset: Int
        let count: Int
    }

    /// - Parameters:
    ///   - weightDecay: 0 or more.
    ///   - frozen: nodes whose parameters stay as they are.
    public init(
        _ optimizer: Optimizer, layout: ParameterLayout, weightDecay: Double, frozen: Set<String> = []
    ) {
        self.optimizer = optimizer
        self.weightDecay = weightDecay
        var spans: [Span] = []
        var end = 0
        for entry in layout.trained where !frozen.contains(entry.node) {
            spans.append(Span(entry: entry, offset: entry.offset, stateOffset: end, count: entry.count))
            end += (entry.count + 15) / 16 * 16
        }
        self.spans = spans
        slotCount = end
        values = AlignedBuffer(count: end * optimizer.slots.count)
        pieces = spans.flatMap { span in
            stride(from: 0, to: span.count, by: Self.pieceSize).map { start in
                Span(
                    entry: span.entry, offset: span.offset + start, stateOffset: span.stateOffset + start,
                    count: min(Self.pieceSize, span.count - start))
            }
        }
    }

    /// Fixed, so that sums over pieces have the same bits on any number of threads.
    private static let pieceSize = 1 << 15

    /// The values of one slot for one parameter.
    func slot(_ index: Int, of span: Span) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: values.pointer + index * slotCount + span.stateOffset, count: span.count)
    }

    /// The values of a slot for a parameter, nil where it is not trained.
    package func values(_ slot: Int, of parameter: String) -> [Float]? {
        spans.first { $0.entry.name == parameter }.map { Array(self.slot(slot, of: $0)) }
    }

    /// The Euclidean norm of all gradients that a step uses, summed in double.
    public func norm(of gradients: borrowing AlignedBuffer<Float>, pool: ThreadPool) -> Double {
        let gradients = gradients.pointer
        let kernel = gsm_elements().pointee.sum_of_squares
        let pieces = pieces
        let sums = AlignedBuffer<Double>(count: pieces.count)
        let target = sums.pointer
        pool.run(pieces.count) { index, _ in
            target[index] = kernel(Int64(pieces[index].count), gradients + pieces[index].offset)
        }
        return (0 ..< pieces.count).reduce(0) { $0 + target[$1] }.squareRoot()
    }

    /// Moves the parameters one step against the gradients.
    ///
    /// - Parameters:
    ///   - step: steps taken before this one.
    ///   - gradientScale: what every gradient is multiplied with first.
    public func step(
        _ parameters: borrowing Parameters, gradients: borrowing AlignedBuffer<Float>, learningRate: Double,
        step: Int, gradientScale: Double = 1, pool: ThreadPool
    ) {
        let weights = parameters.trained.pointer
        let gradients = gradients.pointer
        let pieces = pieces
        let weightDecay = weightDecay
        let update = kernel(learningRate: learningRate, step: step)
        pool.run(pieces.count) { index, _ in
            let piece = pieces[index]
            let decay = piece.entry.role.decays ? weightDecay : 0
            let values = gsm_update(
                count: Int64(piece.count), weights: weights + piece.offset, gradients: gradients + piece.offset,
                gradient_scale: Float(gradientScale), weight_decay: Float(decay), learning_rate: Float(learningRate))
            update(values, piece.stateOffset, decay)
        }
    }

    /// The update of a piece from the start of its state, with the decay of its weights.
    private func kernel(
        learningRate: Double, step: Int
    ) -> (gsm_update, _ stateOffset: Int, _ weightDecay: Double) -> Void {
        let kernels = gsm_elements().pointee
        let first = values.pointer
        let second = values.pointer + slotCount
        switch optimizer {
        case .sgd(let momentum):
            return { update, offset, _ in kernels.nesterov_step(update, first + offset, Float(momentum)) }
        case .adam(let adam):
            // The averages start at zero; both corrections together turn them into means over the steps so far.
            let meanCorrection = 1 - pow(adam.beta1, Double(step + 1))
            let squareCorrection = 1 - pow(adam.beta2, Double(step + 1))
            let settings = gsm_adam(
                mean_share: Float(1 - adam.beta1), square_decay: Float(adam.beta2),
                square_share: Float(1 - adam.beta2), deviation_scale: Float(1 / squareCorrection.squareRoot()),
                epsilon: Float(adam.epsilon), kept_weight: 1)
            return { update, offset, weightDecay in
                var (update, settings) = (update, settings)
                update.learning_rate = Float(learningRate / meanCorrection)
                if adam.decouplesWeightDecay {
                    update.weight_decay = 0
                    settings.kept_weight = Float(1 - learningRate * weightDecay)
                }
                kernels.adam_step(update, first + offset, second + offset, settings)
            }
        case .rmsprop(let rmsprop):
            let settings = gsm_rmsprop(
                decay: Float(rmsprop.decay), square_share: Float(1 - rmsprop.decay),
                epsilon: Float(rmsprop.epsilon), momentum: Float(rmsprop.momentum))
            let hasMomentum = rmsprop.momentum > 0
            return { update, offset, _ in
                kernels.rmsprop_step(update, first + offset, hasMomentum ? second + offset : nil, settings)
            }
        }
    }
}
