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

    /// Those of the label; where it was not measured, those of the kernel's nearest size of images, then of the kernel.
    private func rates(for work: WorkTerms) -> [Double] {
        for distance in 0 ... Self.largestSize {
            for size in [work.size - distance, work.size + distance] {
                if let rates = rates["\(work.kernel) / \(work.window) / \(size)"] { return rates }
            }
        }
        // A kernel that was never measured, such as the plain reference, is slow.
        return rates[work.kernel] ?? work.counts.map { _ in 1 }
    }

    private static let largestSize = 5
}

extension CostModel {
    /// What was measured of a piece of work.
    package struct Sample {
        let counts: [Double]
        let nanoseconds: Double

        package init(counts: [Double], nanoseconds: Double) {
            self.counts = counts
            self.nanoseconds = nanoseconds
        }
    }

    /// The rates that explain measured times best, none below 0: least squares of relative errors, where half as long
    /// is as wrong as twice as long.
    ///
    /// - Parameter prior: rates of more samples than these. What these cannot tell apart keeps its proportions there.
    package static func fit(_ samples: [Sample], near prior: [Double]? = nil) -> [Double] {
        let terms = samples[0].counts.indices
        let units = prior ?? terms.map { term in
            // What would explain the sample that has most of it.
            samples.filter { $0.counts[term] > 0 }.map { $0.nanoseconds / $0.counts[term] }.min() ?? 0
        }
        // Of each sample, the share of its time that a factor of 1 explains.
        let shares = samples.map { sample in terms.map { sample.counts[$0] * units[$0] / sample.nanoseconds } }
        var factors = [Double](repeating: prior == nil ? 0 : 1, count: terms.count)
        var weights = [Double](repeating: 1, count: samples.count)
        for _ in 0 ..< 5 {
            descend(&factors, shares, weights, pull: prior == nil ? 0 : 0.03)
            weights = shares.map { 1 / max(0.01, zip($0, factors).reduce(0) { $0 + $1.0 * $1.1 }) }
        }
        return zip(units, factors).map(*)
    }

    /// Coordinate descent: each factor in turn takes the value that is best for it.
    ///
    /// - Parameter pull: how much a factor is drawn to 1.
    private static func descend(_ factors: inout [Double], _ shares: [[Double]], _ weights: [Double], pull: Double) {
        var errors = shares.map { 1 - zip($0, factors).reduce(0) { $0 + $1.0 * $1.1 } }
        for _ in 0 ..< 300 {
            for term in factors.indices {
                var dot = pull * (1 - factors[term]), square = pull + 1e-12
                for index in shares.indices {
                    dot += weights[index] * shares[index][term] * errors[index]
                    square += weights[index] * shares[index][term] * shares[index][term]
                }
                let change = max(-factors[term], dot / square)
                factors[term] += change
                for index in errors.indices { errors[index] -= change * shares[index][term] }
            }
        }
    }
}
