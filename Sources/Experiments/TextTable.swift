/// A table with aligned columns for a terminal.
public struct TextTable: Sendable {
    private let headings: [String]
    private let rows: [[String]]
    private let textColumns: Int

    /// - Parameter textColumns: how many columns at the left are aligned left; the others are aligned right.
    public init(_ headings: [String], rows: [[String]], textColumns: Int) {
        self.headings = headings
        self.rows = rows
        self.textColumns = textColumns
    }

    public var text: String {
        let cells = ([headings] + rows).map { $0.map { oneLine($0, limit: 60) } }
        let widths = headings.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        var lines = cells.map { row in
            let padded = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column < textColumns ? cell + space : space + cell
            }.joined(separator: "  ")
            return String(padded.reversed().drop { $0 == " " }.reversed())
        }
        lines.insert(String(repeating: "─", count: widths.reduce(0, +) + 2 * (widths.count - 1)), at: 1)
        return lines.joined(separator: "\n") + "\n"
    }
}

extension ReportSummary {
    /// The points and their verdict at equal convolution parameters, for a terminal.
    public var textTable: String {
        let verdicts = verdicts.filter { $0.axis == .convolutionParameters }
        let rows = points.map { point in
            [
                point.series.name, point.series.method == .dense ? "" : point.label, "\(point.accuracy.count)",
                Format.percent(point.accuracy), Format.count(point.convolutionParameters),
                Format.count(point.multiplyAdds), point.latencyMilliseconds.map { Format.milliseconds($0.mean) } ?? "",
                point.stepMilliseconds.map { Format.milliseconds($0.mean) } ?? "",
                Format.seconds(point.trainingSeconds.mean),
                point.modelFileBytes.map { Format.bytes($0.mean) } ?? "",
                verdicts.first { $0.point == point }.map { verdict in
                    verdict.outcome == .ties ? "tie" : verdict.differenceText
                } ?? "",
            ]
        }
        return TextTable(
            [
                "method", "point", "seeds", "test accuracy", "conv. parameters", "MAdds", "one image",
                "training step", "training", "file", "against depth multiplier",
            ], rows: rows, textColumns: 2
        ).text
    }
}
