import CGossamerKernels

/// Predicts times on one machine from rates that were measured there.
///
/// The time of a layer is a sum: multiply-adds, values read and written, and weights, each at the rate of its kernel
/// and class of shapes. Predictions depend on the rates alone: the same rates give the same predictions.
public struct CostModel: Hashable, Sendable {
    /// Nanoseconds for each count, by label.
    package let rates: [String: [Double]]

    package init(rates: [String: [Double]]) { self.rates = rates }

    /// Above 0.
    func milliseconds(_ work: WorkTerms) -> Double {
        let rates = rates(for: work)
        return max(1, zip(rates, work.counts).reduce(0) { $0 + $1.0 * $1.1 }) / 1e6
    }

    /// Those of the label; where it was not measured, those of the kernel's nearest size of images, then of any window.
    private func rates(for work: WorkTerms) -> [Double] {
        for distance in 0 ... Self.largestSize {
            for size in [work.size - distance, work.size + distance] {
                if let rates = rates["\(work.kernel) / \(work.window) / \(size)"] { return rates }
            }
        }
        let relatives = rates.keys.filter { $0.hasPrefix(work.kernel + " / ") }.sorted()
        if let relative = relatives.first { return rates[relative]! }
        // A kernel that was never measured, such as the plain reference: slow.
        return work.counts.map { _ in 1 }
    }

    private static let largestSize = 5
}

extension CostModel {
    /// The rates that explain measured times best: least squares of relative errors, no rate below 0.
    ///
    /// - Parameter samples: of one label.
    static func fit(_ samples: [(counts: [Double], nanoseconds: Double)]) -> [Double] {
        let terms = samples[0].counts.count
        // Of each sample, the share of its time that a rate of 1 explains; scaled so that all terms weigh alike.
        var shares = samples.map { sample in sample.counts.map { $0 / sample.nanoseconds } }
        let scales = (0 ..< terms).map { term in shares.reduce(0) { max($0, $1[term]) } }
        for index in shares.indices {
            for term in 0 ..< terms where scales[term] > 0 { shares[index][term] /= scales[term] }
        }
        var rates = [Double](repeating: 0, count: terms)
        var errors = [Double](repeating: 1, count: samples.count)
        // Coordinate descent: each rate in turn takes the value that is best for it, as long as that helps.
        for _ in 0 ..< 2000 {
            for term in 0 ..< terms where scales[term] > 0 {
                let (dot, square) = zip(shares, errors).reduce((0.0, 1e-12)) {
                    ($0.0 + $1.0[term] * $1.1, $0.1 + $1.0[term] * $1.0[term])
                }
                let change = max(-rates[term], dot / square)
                rates[term] += change
                for index in errors.indices { errors[index] -= change * shares[index][term] }
            }
        }
        return (0 ..< terms).map { scales[$0] > 0 ? rates[$0] / scales[$0] : 0 }
    }
}
