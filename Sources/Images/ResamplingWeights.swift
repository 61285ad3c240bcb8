import GossamerTensors

/// How a row or column of `source` pixels becomes one of `target` pixels: for each result a run of neighbours and their
/// weights, integers whose sum is 2^22.
///
/// An enlarged image interpolates; a smaller one widens the filter so that every pixel counts (antialiasing). Rounding
/// is that of Pillow, so that results agree with it.
struct ResamplingWeights: Sendable {
    static let precisionBits = 22

    /// The first neighbour of each result.
    private(set) var starts: [Int32] = []
    /// Weights for each result, zero behind the last neighbour.
    let weightsPerResult: Int
    private(set) var weights: [Int32] = []

    /// - Parameter range: the results that are wanted, of 0 ..< target.
    init(source: Int, target: Int, range: Range<Int>, interpolation: Preprocessing.Interpolation) {
        let scale = Double(source) / Double(target)
        let stretch = max(scale, 1)
        let support = interpolation.support * stretch
        weightsPerResult = min(source, Int(support.rounded(.up)) * 2 + 1)
        starts.reserveCapacity(range.count)
        weights.reserveCapacity(range.count * weightsPerResult)
        for result in range {
            let center = (Double(result) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5))
            let end = min(source, Int(center + support + 0.5))
            let values = (first ..< end).map {
                interpolation.weight((Double($0) - center + 0.5) / stretch)
            }
            let sum = values.reduce(0, +)
            starts.append(Int32(first))
            for place in 0 ..< weightsPerResult {
                let value = place < values.count ? values[place] / sum : 0
                weights.append(Int32((value * Double(1 << Self.precisionBits)).rounded(.toNearestOrAwayFromZero)))
            }
            // The run must not reach over the end, whatever its weights there are.
            let overhang = max(0, first + weightsPerResult - source)
            if overhang > 0 { shiftLast(by: overhang) }
        }
    }

    /// Lets the last run begin earlier, with weights of zero.
    private mutating func shiftLast(by count: Int) {
        starts[starts.count - 1] -= Int32(count)
        let begin = weights.count - weightsPerResult
        let kept = Array(weights[begin ..< weights.count - count])
        weights.replaceSubrange(begin..., with: [Int32](repeating: 0, count: count) + kept)
    }
}

extension Preprocessing.Interpolation {
    /// How far the filter reaches, in pixels of the larger image.
    var support: Double { self == .bilinear ? 1 : 2 }

    /// The filter at a distance. Bicubic is Keys' with a = -1/2.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .bilinear: return x < 1 ? 1 - x : 0
        case .bicubic:
            if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
            return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
        }
    }
}
