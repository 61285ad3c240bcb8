/// max |a - b| / max |b|, or infinity where the counts differ or a value is not finite.
package func relativeError<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ actual: [A], _ expected: [B]) -> Double {
    let scale = expected.reduce(0.0) { max($0, abs(Double($1))) }
    return largestError(actual, expected) / max(scale, 1e-30)
}

/// max |a - b|, or infinity where the counts differ or a value is not finite.
package func largestError<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ actual: [A], _ expected: [B]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var largest = 0.0
    for (a, b) in zip(actual, expected) {
        let difference = abs(Double(a) - Double(b))
        largest = difference.isFinite ? max(largest, difference) : .infinity
    }
    return largest
}

extension [Float] {
    /// For comparing results bit by bit.
    package var bits: [UInt32] { map(\.bitPattern) }
}
