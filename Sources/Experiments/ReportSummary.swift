import Foundation

/// One way of making a network smaller: one line in a plot.
public struct Series: Hashable, Sendable {
    public let method: RunConfiguration.Method
    /// The pattern without its density, and how its connections are shared out, grown and moved, such as
    /// `random,block=4`; empty for the depth multiplier and the dense network.
    public let pattern: String

    init(_ configuration: RunConfiguration) {
        method = configuration.method
        let text = PatternText(configuration.pattern)
        let isSparse = method == .sparse || method == .hybrid
        let parts = [
            text.name, text.options, configuration.distribution?.rawValue, configuration.growth.map { _ in "grown" },
            configuration.exploration,
        ]
        pattern = isSparse ? parts.compactMap { $0 }.joined(separator: ",") : ""
    }

    /// As in a legend: `sparse random`.
    public var name: String {
        let parts = pattern.split(separator: ",", maxSplits: 1).map(String.init)
        let options = parts.count > 1 ? " (\(parts[1]))" : ""
        let kind = parts.first ?? ""
        return switch method {
        case .dense: "dense"
        case .multiplier: "depth multiplier"
        // Only at first, where it grows.
        case .sparse where kind == "dense": kind + options
        case .sparse: (kind == "random" ? "sparse random" : "sparse " + kind) + options
        case .hybrid: "hybrid" + (kind == "random" ? "" : " " + kind) + options
        }
    }

    /// Dense first, then the sparse ones, the depth multiplier and the hybrids.
    static func precedes(_ first: Series, _ second: Series) -> Bool {
        func rank(_ series: Series) -> Int {
            switch series.method {
            case .dense: 0
            case .sparse: 1
            case .multiplier: 2
            case .hybrid: 3
            }
        }
        return (rank(first), first.pattern) < (rank(second), second.pattern)
    }
}

/// What one point of a comparison came to, over its seeds.
public struct PointSummary: Hashable, Sendable {
    public let series: Series
    /// Of the first seed.
    public let configuration: RunConfiguration
    /// Completed runs, in the order of their seeds.
    public let runs: [RunRecord]
    /// Fractions of the test set.
    public let accuracy: Sample
    /// The fewest that a run was tested on; nil where one does not say.
    public let testImages: Int?
    public let parameters: Double
    public let parametersWithoutClassifier: Double
    public let convolutionParameters: Double
    public let multiplyAdds: Double
    public let latencyMilliseconds: Sample?
    public let stepMilliseconds: Sample?
    public let trainingSeconds: Sample
    public let modelFileBytes: Sample?

    /// - Parameter runs: completed runs of one point; nil if there are none.
    init?(_ runs: [RunRecord]) {
        let done = runs.compactMap { run in
            run.results.flatMap { results in run.cost.map { (run: run, results: results, cost: $0) } }
        }
        guard let first = done.first, let accuracy = Sample(done.map(\.results.testAccuracy)),
            let trainingSeconds = Sample(done.map(\.results.trainingSeconds))
        else { return nil }
        func mean(_ count: (RunCost) -> Int) -> Double {
            done.reduce(0) { $0 + Double(count($1.cost)) } / Double(done.count)
        }
        series = Series(first.run.configuration)
        configuration = first.run.configuration
        self.runs = done.map(\.run)
        self.accuracy = accuracy
        let imageCounts = done.compactMap(\.results.testImages)
        testImages = imageCounts.count == done.count ? imageCounts.min() : nil
        self.trainingSeconds = trainingSeconds
        parameters = mean(\.parameters)
        parametersWithoutClassifier = mean(\.parametersWithoutClassifier)
        convolutionParameters = mean(\.convolutionParameters)
        multiplyAdds = mean(\.multiplyAdds)
        latencyMilliseconds = Sample(done.compactMap(\.results.singleImageLatencyMilliseconds))
        stepMilliseconds = Sample(done.compactMap(\.results.trainingStepMilliseconds))
        modelFileBytes = Sample(done.compactMap { $0.results.modelFileBytes.map(Double.init) })
    }

    /// Next to its mark in a plot: `10 %`, `×0.316`, `×0.5, 1 %`.
    public var label: String {
        let share = (configuration.density.map(Format.share) ?? configuration.pattern)
            + (configuration.growth == nil ? "" : " grown")
        return switch series.method {
        case .dense: "dense"
        case .multiplier: Format.multiplier(configuration.depthMultiplier)
        case .sparse: share
        case .hybrid: Format.multiplier(configuration.depthMultiplier) + ", " + share
        }
    }
}

/// The means, spreads and verdicts of a comparison: what the page, the plots, the CSV and the terminal's table show.
public struct ReportSummary: Sendable {
    public let network: String
    public let data: String
    /// By series, then by convolution parameters, the largest first.
    public let points: [PointSummary]
    /// Runs that failed, and those that are not finished.
    public let failures: [RunRecord]
    public let unfinished: [RunRecord]
    public let records: [RunRecord]

    /// - Throws: `option` if there are no runs, or runs of more than one network or data set, or of other contents.
    public init(_ records: [RunRecord]) throws(ExperimentError) {
        guard let first = records.first?.configuration else {
            throw .option(name: "runs", expected: "at least one")
        }
        for configuration in records.map(\.configuration)
        where configuration.network != first.network || configuration.data != first.data {
            throw .option(
                name: "runs",
                expected: "one network and one data set, found \(first.network) on \(first.data)"
                    + " and \(configuration.network) on \(configuration.data)")
        }
        let inputs = records.compactMap(\.configuration.inputs)
        if let other = inputs.first(where: { $0 != inputs[0] }) {
            throw .option(
                name: "runs", expected: "\(first.network) on \(first.data) as one of the runs found them, but the"
                    + " \(other.network != inputs[0].network ? "network" : "data") differs between runs")
        }
        network = first.network
        data = first.data
        let sorted = records.sorted { ($0.configuration.seed, $0.started) < ($1.configuration.seed, $1.started) }
        self.records = sorted
        failures = sorted.filter { $0.status == .failed }
        unfinished = sorted.filter { $0.status == .running || $0.status == .interrupted }
        points = Dictionary(grouping: sorted.filter { $0.status == .completed }, by: \.configuration.point)
            .values.compactMap(PointSummary.init)
            .sorted {
                if $0.series != $1.series { return Series.precedes($0.series, $1.series) }
                return $0.convolutionParameters > $1.convolutionParameters
            }
    }

    /// In the order of `points`.
    public var series: [Series] {
        points.map(\.series).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    public func points(of series: Series) -> [PointSummary] { points.filter { $0.series == series } }

    /// The network with all its connections and channels.
    public var dense: PointSummary? { points.first { $0.series.method == .dense } }

    /// The machines that measured, each once.
    public var machines: [Machine] {
        records.map(\.machine).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
