/// Finds the depth multiplier whose network costs as much as another network.
///
/// With widths ceil(multiplier * n) the cost is a step function of the multiplier: most targets are met by no
/// multiplier exactly, and the nearest cost that is not above the target is taken.
public enum DepthMultiplierSolver {
    public struct Solution: Hashable, Sendable {
        /// In (0, 1].
        public let multiplier: Double
        /// The cost reached, at most the target.
        public let cost: Int
    }

    /// - Parameters:
    ///   - target: the cost to reach.
    ///   - cost: of the network at a multiplier in (0, 1]; never falls as the multiplier grows.
    /// - Returns: nil if even the narrowest network, one filter everywhere, costs more than the target.
    public static func solve<Failure: Error>(
        target: Int, cost: (Double) throws(Failure) -> Int
    ) throws(Failure) -> Solution? {
        let full = try cost(1)
        if full <= target { return Solution(multiplier: 1, cost: full) }
        var low = 1e-6
        var best = try cost(low)
        guard best <= target else { return nil }
        var high = 1.0
        // Far closer than two steps ever are, but not so close that the rounding of ceil's argument shows.
        while high - low > 1e-12 {
            let middle = (low + high) / 2
            let value = try cost(middle)
            if value <= target { (low, best) = (middle, value) } else { high = middle }
        }
        return Solution(multiplier: try shortest(near: low, with: best, cost: cost), cost: best)
    }

    /// The multiplier with the fewest digits on the same step.
    private static func shortest<Failure: Error>(
        near multiplier: Double, with target: Int, cost: (Double) throws(Failure) -> Int
    ) throws(Failure) -> Double {
        var scale = 10.0
        while scale < 1e12 {
            let rounded = (multiplier * scale).rounded(.down) / scale
            if rounded > 0, try cost(rounded) == target { return rounded }
            scale *= 10
        }
        return multiplier
    }
}
