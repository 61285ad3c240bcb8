import CGossamerKernels
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Stochastic gradient descent with Nesterov momentum (Sutskever et al. 2013, as PyTorch writes it).
///
/// Its state is one velocity per parameter that exists, so it follows the number of connections.
public struct NesterovOptimizer: ~Copyable {
    public let momentum: Double
    /// Added to the gradient of kernels as weightDecay * weight; biases and batch normalisation do not decay.
    public let weightDecay: Double
    public let velocities: AlignedBuffer<Float>
    private let spans: [Span]

    /// Neighbouring parameters that are treated alike.
    private struct Span {
        let range: Range<Int>
        let decays: Bool
    }

    /// - Parameters:
    ///   - momentum: in [0, 1).
    ///   - weightDecay: 0 or more.
    public init(_ layout: ParameterLayout, momentum: Double, weightDecay: Double) {
        self.momentum = momentum
        self.weightDecay = weightDecay
        velocities = AlignedBuffer(count: layout.trainedCount)
        spans = layout.trained.map { entry in
            Span(range: entry.offset ..< entry.offset + entry.count, decays: entry.role.decays)
        }
    }

    /// Moves the parameters one step against the gradients.
    public func step(
        _ parameters: borrowing Parameters, gradients: borrowing AlignedBuffer<Float>, learningRate: Double,
        pool: ThreadPool
    ) {
        let weights = parameters.trained.pointer
        let gradients = gradients.pointer
        let velocities = velocities.pointer
        let update = gsm_elements().pointee.nesterov_step
        let pieceSize = 1 << 15
        let pieces = spans.flatMap { span in
            stride(from: span.range.lowerBound, to: span.range.upperBound, by: pieceSize).map {
                Span(range: $0 ..< min(span.range.upperBound, $0 + pieceSize), decays: span.decays)
            }
        }
        pool.run(pieces.count) { index, _ in
            let start = pieces[index].range.lowerBound
            update(
                Int64(pieces[index].range.count), weights + start, gradients + start, velocities + start,
                Float(learningRate), Float(momentum), pieces[index].decays ? Float(weightDecay) : 0)
        }
    }
}
