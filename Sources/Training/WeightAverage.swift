import CGossamerKernels
import GossamerExecution
import GossamerTensors

/// An exponential moving average of all parameters and running statistics over the steps of a training.
///
/// The average of n steps so far weighs the next one with 1 - min(decay, (1 + n) / (10 + n)), as TensorFlow does, so
/// that it does not cling to the initial weights.
final class WeightAverage: Sendable {
    let parameters: Parameters
    private let decay: Double

    /// - Parameter parameters: where the average starts.
    init(_ parameters: borrowing Parameters, decay: Double) {
        self.decay = decay
        self.parameters = parameters.copy()
    }

    /// - Parameter step: steps taken before this one.
    func add(_ newest: borrowing Parameters, step: Int, pool: ThreadPool) {
        let share = Float(1 - min(decay, Double(1 + step) / Double(10 + step)))
        let kernel = gsm_elements().pointee.average_step
        func add(_ values: borrowing AlignedBuffer<Float>, to averages: borrowing AlignedBuffer<Float>) {
            let count = values.count
            let (from, to) = (values.pointer, averages.pointer)
            let pieceSize = 1 << 15
            pool.run((count + pieceSize - 1) / pieceSize) { index, _ in
                let start = index * pieceSize
                kernel(Int64(min(pieceSize, count - start)), to + start, from + start, share)
            }
        }
        add(newest.trained, to: parameters.trained)
        add(newest.statistics, to: parameters.statistics)
    }
}
