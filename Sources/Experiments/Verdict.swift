import Foundation

/// How a sparse or hybrid point compares with the depth multiplier at the same cost.
public struct Verdict: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        case wins, ties, loses
    }

    /// What the depth multiplier reaches at the cost of the point.
    public enum Baseline: Hashable, Sendable {
        /// A network of about the same cost.
        case measured(PointSummary)
        /// On the straight line, over the logarithm of the cost, between two networks.
        case interpolated(PointSummary, PointSummary)
    }

    /// Costs that differ by no more than this count as the same.
    static let costTolerance = 0.1

    public let point: PointSummary
    public let axis: CostAxis
    public let baseline: Baseline
    /// A fraction.
    public let baselineAccuracy: Double
    /// The point's accuracy less the baseline's, as a fraction.
    public let difference: Double
    /// The root of the sum of both variances over the seeds; nil where either has a single seed.
    public let seedSpread: Double?
    /// How far two accuracies lie apart by the chance that chose the test images, which all seeds share: the root of
    /// the sum of p(1 - p)/n over both; nil where the number of images is not known.
    public let samplingError: Double?

    /// The larger of both; nil where neither is known.
    public var spread: Double? { [seedSpread, samplingError].compactMap { $0 }.max() }

    /// Differences within the spread are ties.
    public var outcome: Outcome {
        if abs(difference) <= max(spread ?? 0, 1e-9) { return .ties }
        return difference > 0 ? .wins : .loses
    }

    /// Nil where the cost was not measured, or no two depth multipliers lie around it.
    init?(of point: PointSummary, against multipliers: [PointSummary], axis: CostAxis) {
        guard let cost = axis.value(of: point) else { return nil }
        let line = multipliers.compactMap { other in axis.value(of: other).map { (cost: $0, point: other) } }
            .sorted { $0.cost < $1.cost }
        func distance(_ other: Double) -> Double { abs(log(other / cost)) }
        let nearest = line.min { distance($0.cost) < distance($1.cost) }
        let variance: Double?
        if let nearest, distance(nearest.cost) <= log(1 + Self.costTolerance) {
            baseline = .measured(nearest.point)
            baselineAccuracy = nearest.point.accuracy.mean
            variance = nearest.point.accuracy.deviation.map { $0 * $0 }
        } else if let above = line.firstIndex(where: { $0.cost > cost }), above > 0 {
            let (low, high) = (line[above - 1], line[above])
            let share = log(cost / low.cost) / log(high.cost / low.cost)
            baseline = .interpolated(low.point, high.point)
            baselineAccuracy = low.point.accuracy.mean * (1 - share) + high.point.accuracy.mean * share
            if let first = low.point.accuracy.deviation, let second = high.point.accuracy.deviation {
                variance = pow(first * (1 - share), 2) + pow(second * share, 2)
            } else {
                variance = nil
            }
        } else {
            return nil
        }
        self.point = point
        self.axis = axis
        difference = point.accuracy.mean - baselineAccuracy
        seedSpread = point.accuracy.deviation.flatMap { own in variance.map { (own * own + $0).squareRoot() } }
        let sampling = [point.accuracy.mean, baselineAccuracy].reduce(0) { $0 + $1 * (1 - $1) }
        samplingError = point.testImages.map { (sampling / Double($0)).squareRoot() }
    }

    /// As in a table: `+2.10 points`.
    var differenceText: String {
        let text = Format.fixed(abs(difference) * 100, 2)
        return (difference < 0 ? "−" : "+") + text + " points"
    }

    /// The whole verdict in one sentence.
    public var sentence: String {
        let cost = axis.text(axis.value(of: point) ?? 0)
        return "At \(point.budget) (\(cost) \(axis == .convolutionParameters ? "convolution parameters" : axis.name)),"
            + " \(point.series.name) reaches \(Format.percent(point.accuracy)) where \(baselineText): \(outcomeText)."
    }

    private var baselineText: String {
        switch baseline {
        case .measured(let other):
            let multiplier = Format.significant(other.configuration.depthMultiplier, 3)
            let name = other.series.method == .dense ? "the dense network" : "the depth multiplier \(multiplier)"
            return "\(name) (\(axis.text(axis.value(of: other) ?? 0))) reaches \(Format.percent(other.accuracy))"
        case .interpolated(let low, let high):
            let bounds = [low, high].map { Format.significant($0.configuration.depthMultiplier, 3) }
            return "the depth multiplier, read between \(bounds[0]) and \(bounds[1]), reaches"
                + " \(Format.percent(baselineAccuracy))"
        }
    }

    private var outcomeText: String {
        let points = Format.fixed(abs(difference) * 100, 2) + " points"
        return switch outcome {
        case .wins: "\(point.series.name) wins by \(points)"
        case .loses: "the depth multiplier wins by \(points)"
        case .ties: "a tie, \(points) apart and within the spread"
        }
    }
}

extension PointSummary {
    /// Within a sentence, after "at": `3 % of the connections`.
    var budget: String {
        let share = configuration.density.map { Format.share($0) + " of the connections" } ?? configuration.pattern
        return series.method == .hybrid
            ? "depth multiplier \(Format.significant(configuration.depthMultiplier, 3)) and \(share)" : share
    }
}
