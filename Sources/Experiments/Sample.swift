/// The values of one quantity over the seeds of a point.
public struct Sample: Hashable, Sendable {
    public let values: [Double]
    public let mean: Double
    /// The sample standard deviation (n - 1); nil for one value, whose spread is not known.
    public let deviation: Double?

    public var count: Int { values.count }

    /// Nil if there are no values.
    public init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        self.values = values
        let mean = values.reduce(0, +) / Double(values.count)
        self.mean = mean
        deviation = values.count < 2
            ? nil
            : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
}
