/// What accuracy is paid with.
public enum CostAxis: String, Hashable, Sendable, CaseIterable {
    case convolutionParameters = "parameters"
    case multiplyAdds = "multiply-adds"
    case latency
    case trainingTime = "training-time"

    /// Within a sentence: "at equal ...".
    public var name: String {
        switch self {
        case .convolutionParameters: "convolution parameters"
        case .multiplyAdds: "multiply-adds"
        case .latency: "single-image latency"
        case .trainingTime: "training time"
        }
    }

    /// Of the axis in a plot.
    var label: String {
        switch self {
        case .convolutionParameters: "convolution parameters (log scale)"
        case .multiplyAdds: "multiply-adds per image (log scale)"
        case .latency: "measured latency of one image, one thread (log scale)"
        case .trainingTime: "measured training time (log scale)"
        }
    }

    /// Nil where it was not measured. Above 0.
    func value(of point: PointSummary) -> Double? { sample(of: point).flatMap { $0.mean > 0 ? $0.mean : nil } }

    func sample(of point: PointSummary) -> Sample? {
        switch self {
        case .convolutionParameters: Sample([point.convolutionParameters])
        case .multiplyAdds: Sample([point.multiplyAdds])
        case .latency: point.latencyMilliseconds
        case .trainingTime: point.trainingSeconds
        }
    }

    func text(_ value: Double) -> String {
        switch self {
        case .convolutionParameters, .multiplyAdds: Format.count(value)
        case .latency: Format.milliseconds(value)
        case .trainingTime: Format.seconds(value)
        }
    }
}
