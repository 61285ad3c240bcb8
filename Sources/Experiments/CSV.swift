/// Comma-separated values after RFC 4180, one header line.
struct CSV {
    private(set) var text: String
    private let columnCount: Int

    init(_ headings: [String]) {
        columnCount = headings.count
        text = ""
        append(headings)
    }

    mutating func append(_ row: [String]) {
        precondition(row.count == columnCount)
        text += row.map(Self.field).joined(separator: ",") + "\r\n"
    }

    /// Words that a spreadsheet would take for a formula get an apostrophe; numbers keep their sign.
    private static func field(_ value: String) -> String {
        var value = oneLine(value)
        if let first = value.first, "=+-@".contains(first), Double(value) == nil { value = "'" + value }
        guard value.contains(where: { ",\"'".contains($0) || $0.isNewline }) else { return value }
        return "\"" + value.replacing("\"", with: "\"\"") + "\""
    }
}

extension ReportSummary {
    /// One line a point: means, standard deviations and counts.
    var pointsCSV: String {
        var csv = CSV([
            "series", "pattern", "density", "depth_multiplier", "seeds", "test_accuracy_mean",
            "test_accuracy_deviation", "convolution_parameters", "parameters", "parameters_without_classifier",
            "multiply_adds", "latency_ms_mean", "latency_ms_deviation", "training_step_ms_mean",
            "training_seconds_mean", "training_seconds_deviation", "model_file_bytes",
        ])
        for point in points {
            let configuration = point.configuration
            csv.append([
                point.series.name, configuration.pattern, Self.number(configuration.density),
                plain(configuration.depthMultiplier), "\(point.accuracy.count)", plain(point.accuracy.mean),
                Self.number(point.accuracy.deviation), plain(point.convolutionParameters), plain(point.parameters),
                plain(point.parametersWithoutClassifier), plain(point.multiplyAdds),
                Self.number(point.latencyMilliseconds?.mean), Self.number(point.latencyMilliseconds?.deviation),
                Self.number(point.stepMilliseconds?.mean), plain(point.trainingSeconds.mean),
                Self.number(point.trainingSeconds.deviation), Self.number(point.modelFileBytes?.mean),
            ])
        }
        return csv.text
    }

    /// One line a run, whatever came of it.
    var runsCSV: String {
        var csv = CSV([
            "network", "data", "pattern", "depth_multiplier", "seed", "threads", "status", "message", "test_accuracy",
            "test_images", "validation_accuracy", "convolution_parameters", "parameters",
            "parameters_without_classifier", "multiply_adds", "connections", "removed_channels", "latency_ms",
            "training_step_ms", "training_seconds", "training_memory_bytes", "model_file_bytes",
        ])
        for record in records {
            let (configuration, cost, results) = (record.configuration, record.cost, record.results)
            func count(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }
            csv.append([
                configuration.network, configuration.data, configuration.pattern,
                plain(configuration.depthMultiplier), "\(configuration.seed)", "\(configuration.threads)",
                record.status.rawValue, record.message ?? "", Self.number(results?.testAccuracy),
                count(results?.testImages), Self.number(results?.validationAccuracy),
                count(cost?.convolutionParameters), count(cost?.parameters),
                count(cost?.parametersWithoutClassifier), count(cost?.multiplyAdds), count(cost?.connections),
                count(cost?.removedChannels), Self.number(results?.singleImageLatencyMilliseconds),
                Self.number(results?.trainingStepMilliseconds), Self.number(results?.trainingSeconds),
                count(results?.trainingMemoryBytes), count(results?.modelFileBytes),
            ])
        }
        return csv.text
    }

    /// Empty where nothing was measured.
    private static func number(_ value: Double?) -> String { value.map(plain) ?? "" }
}
