import Foundation

extension ReportPage {
    /// A row a sparse point, a column a cost: who wins, and by how much.
    var verdicts: String {
        let all = summary.verdicts
        let points = summary.points.filter { point in all.contains { $0.point == point } }
        guard !points.isEmpty else { return "" }
        let axes = CostAxis.allCases.filter { axis in all.contains { $0.axis == axis } }
        let rows = points.map { point in
            [name(point)] + axes.map { axis in
                all.first { $0.point == point && $0.axis == axis }.map(cell) ?? "<span class=\"note\">no pair</span>"
            }
        }
        let note = """
            Each cell sets the accuracy of a sparse network against that of the depth multiplier at the same cost: of \
            a network within \(Format.share(Verdict.costTolerance)) of it, else (marked ~) read off the line between \
            the two nearest networks, the dense one included, over the logarithm of the cost. A difference within the \
            combined standard deviation of both over their seeds, or within the combined sampling error \
            √(p(1 − p)/n) of accuracies p on n test images, is a tie.
            """
        let headings = ["at equal"] + axes.map { HTML.escaped($0.name) }
        let sentences = all.filter { $0.axis == .convolutionParameters }.map(\.sentence)
        return HTML.table(headings, rows: rows, textColumns: 1)
            + "\n<p class=\"note\">\(note)</p>\n" + HTML.list(sentences)
    }

    private func cell(_ verdict: Verdict) -> String {
        let isRead = if case .interpolated = verdict.baseline { true } else { false }
        let (kind, text): (String, String) = switch verdict.outcome {
        case .ties: ("tie", "tie")
        case .wins: (colour(of: verdict.point.series), verdict.differenceText)
        case .loses: ("vermilion", verdict.differenceText)
        }
        let values = "\(Format.percent(verdict.point.accuracy.mean)) : \(isRead ? "~" : "")"
            + Format.percent(verdict.baselineAccuracy)
        return "<span class=\"pill\" style=\"--accent: var(--\(kind == "tie" ? "muted" : kind))\""
            + " title=\"\(HTML.escaped(verdict.sentence))\">\(HTML.escaped(text))</span>"
            + "<br><span class=\"note\">\(HTML.escaped(values))</span>"
    }

    var pointsTable: String {
        let dense = summary.dense
        let rows = summary.points.map { point in
            [
                name(point), "\(point.accuracy.count)", HTML.escaped(Format.percent(point.accuracy)),
                counted(point.convolutionParameters, dense?.convolutionParameters),
                counted(point.parameters, dense?.parameters),
                counted(point.parametersWithoutClassifier, dense?.parametersWithoutClassifier),
                counted(point.multiplyAdds, dense?.multiplyAdds),
                measured(point.latencyMilliseconds, dense?.latencyMilliseconds, Format.milliseconds),
                measured(point.stepMilliseconds, dense?.stepMilliseconds, Format.milliseconds),
                measured(point.trainingSeconds, dense?.trainingSeconds, Format.seconds),
                measured(point.modelFileBytes, dense?.modelFileBytes, Format.bytes),
            ]
        }
        let table = HTML.table(
            [
                "network", "seeds", "test accuracy", "convolution parameters", "parameters", "without classifier",
                "multiply-adds", "one image, one thread", "training step", "training", "model file",
            ], rows: rows, textColumns: 1)
        let note = "Means over the seeds, ± one standard deviation."
            + (dense == nil ? "" : " With ×: the ratio to the dense network.")
        return table + "\n<p class=\"note\">\(note)</p>"
    }

    private func name(_ point: PointSummary) -> String {
        let label = point.series.method == .dense ? "" : " <b>\(HTML.escaped(point.label))</b>"
        return "\(mark(of: point.series)) \(HTML.escaped(point.series.name))\(label)"
    }

    private func counted(_ value: Double, _ dense: Double?) -> String { figure(Format.count(value), value, dense) }

    private func measured(_ sample: Sample?, _ dense: Sample?, _ format: (Double) -> String) -> String {
        guard let sample else { return "<span class=\"note\">not measured</span>" }
        // A spread far below the digits shown is none.
        let spread = sample.deviation.flatMap { $0 > 5e-4 * sample.mean ? "± " + format($0) : nil } ?? ""
        return figure(format(sample.mean), sample.mean, dense?.mean, spread: spread)
    }

    private func figure(_ text: String, _ value: Double, _ dense: Double?, spread: String = "") -> String {
        let ratio = dense.flatMap { $0 > 0 ? Format.ratio(value / $0) + "×" : nil }
        let notes = [spread, ratio ?? ""].filter { !$0.isEmpty }.joined(separator: " · ")
        return HTML.escaped(text) + (notes.isEmpty ? "" : "<br><span class=\"note\">\(HTML.escaped(notes))</span>")
    }

    var runsTable: String {
        let rows = summary.points.flatMap { point in point.runs.compactMap { row($0, of: point) } }
        guard !rows.isEmpty else { return "" }
        let table = HTML.table(
            [
                "network", "seed", "test accuracy", "validation", "convolution parameters", "multiply-adds",
                "connections", "removed channels", "one image", "training", "training memory",
            ], rows: rows, textColumns: 1)
        return "<details><summary>\(rows.count) runs, by seed</summary>\n\(table)\n</details>"
    }

    private func row(_ run: RunRecord, of point: PointSummary) -> [String]? {
        guard let results = run.results, let cost = run.cost else { return nil }
        let counts = [cost.convolutionParameters, cost.multiplyAdds, cost.connections, cost.removedChannels]
        var row = [name(point), "\(run.configuration.seed)", Format.percent(results.testAccuracy)]
        row.append(results.validationAccuracy.map { Format.percent($0) } ?? "")
        row += counts.map(Format.exact)
        row.append(results.singleImageLatencyMilliseconds.map(Format.milliseconds) ?? "")
        row.append(Format.seconds(results.trainingSeconds))
        row.append(results.trainingMemoryBytes.map { Format.bytes(Double($0)) } ?? "")
        return row
    }

    var failures: String {
        let failed = summary.failures.map { record in
            "\(describe(record)) failed: \(record.message ?? "no reason was recorded")"
        }
        let unfinished = summary.unfinished.map { "\(describe($0)) is not finished (\($0.status.rawValue))" }
        return HTML.list(failed + unfinished + options.notes)
    }

    private func describe(_ record: RunRecord) -> String {
        let configuration = record.configuration
        let multiplier = configuration.depthMultiplier == 1
            ? "" : ", depth multiplier \(Format.significant(configuration.depthMultiplier, 3))"
        return "\(configuration.pattern)\(multiplier), seed \(configuration.seed)"
    }
}
