/// `fraction * count` rounded up, at least 1: the fan-in of a filter, or the filters that a depth multiplier keeps.
///
/// A product such as 0.7 * 10 lies a rounding error above its whole number; it counts as that number.
public func roundedUp(_ fraction: Double, of count: Int) -> Int {
    max(1, Int((fraction * Double(count) - 1e-9).rounded(.up)))
}
