import Foundation

/// Accuracy against one cost, all series in one plot, as a gnuplot script.
struct TradeOffPlot: Plot {
    let axis: CostAxis
    let summary: ReportSummary
    /// Whether these are short trainings of candidates, judged on images held back, instead of a comparison's points:
    /// no line then leads from one to the next.
    let isOfTrials: Bool

    /// Nil if no point has this cost.
    init?(_ summary: ReportSummary, axis: CostAxis, isOfTrials: Bool = false) {
        guard summary.points.contains(where: { axis.value(of: $0) != nil }) else { return nil }
        self.axis = axis
        self.summary = summary
        self.isOfTrials = isOfTrials
    }

    var name: String { "accuracy-" + axis.rawValue }

    var title: String { "Accuracy against \(axis.name)" }

    func script(_ form: PlotForm) -> String {
        let canvas = PlotCanvas(form, summary: summary, axis: axis)
        let lines = canvas.settings(outputName: fileName(form)) + frame(form) + canvas.axes(axis) + reference(canvas)
            + pointLabels(canvas) + dataBlocks() + ["plot " + drawings().joined(separator: ", \\\n    ")]
            + ["unset output", "reset"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func frame(_ form: PlotForm) -> [String] {
        let muted = "textcolor rgb '\(PlotStyle.muted.light)'"
        let ink = "textcolor rgb '\(PlotStyle.ink.light)'"
        let lines = [
            "set border 1 linecolor rgb '\(PlotStyle.muted.light)' linewidth 1",
            "set grid xtics ytics linetype 1 linewidth 1 linecolor rgb '\(PlotStyle.grid.light)'",
            "set xtics nomirror scale 0 \(muted)",
            "set ytics nomirror scale 0 \(muted) format '%g %%'",
            "set xlabel \(Gnuplot.quoted(axis.label)) \(muted)",
            "set ylabel '\(isOfTrials ? "validation" : "test") accuracy' \(muted)",
            "set bars 0.6",
        ]
        guard form != .inline else { return lines + ["unset key"] }
        let heading = "\(title): \(summary.network) on \(summary.data)"
        return lines + [
            "set key at screen 0.5, screen 0.05 center center horizontal Left reverse samplen 2 \(ink)",
            "set label 1 \(Gnuplot.quoted(heading)) at screen 0.025, screen 0.945"
                + " font ',\(form == .png ? 27 : 18)' \(ink)",
            "set label 2 \(Gnuplot.quoted(summary.spreadText)) at screen 0.025, screen 0.895 \(muted)",
        ]
    }

    private static let referenceLabelWidth = 116.0

    /// The dense network as a line to measure the others by.
    private func reference(_ canvas: PlotCanvas) -> [String] {
        guard let dense = summary.dense else { return [] }
        let accuracy = dense.accuracy.mean * 100
        let colour = "rgb '\(PlotStyle.muted.light)'"
        return [
            "set arrow 1 from graph 0, first \(accuracy) to graph 1, first \(accuracy) nohead dashtype (8,6)"
                + " linewidth 1.2 linecolor \(colour) back",
            "set label 3 \(Gnuplot.quoted("dense " + Format.percent(dense.accuracy.mean)))"
                + " at graph 0.01, graph \((canvas.y(dense.accuracy.mean) + 11) / canvas.height) textcolor \(colour)",
        ]
    }

    /// The label of each point but the dense one, clear of the others: above the best series, below the rest.
    private func pointLabels(_ canvas: PlotCanvas) -> [String] {
        var placement = LabelPlacement(width: canvas.width, height: canvas.height)
        if let dense = summary.dense {
            let y = canvas.y(dense.accuracy.mean)
            placement.avoidLine(from: (0, y), to: (canvas.width, y))
            placement.avoid(.init(
                centreX: Self.referenceLabelWidth / 2, centreY: y + 11, width: Self.referenceLabelWidth, height: 15))
        }
        for series in summary.series { avoid(series, in: &placement, canvas) }
        let best = drawn.max { meanAccuracy($0) < meanAccuracy($1) }
        var lines: [String] = []
        for series in drawn {
            for point in summary.points(of: series) {
                guard let x = axis.value(of: point), let colour = styles[series]?.colour.light else { continue }
                let place = placement.place(
                    point.label, at: (canvas.x(x), canvas.y(point.accuracy.mean)), isAbove: series == best)
                lines.append(
                    "set label \(10 + lines.count) \(Gnuplot.quoted(point.label))"
                        + " at graph \(place.x / canvas.width), graph \(place.y / canvas.height)"
                        + " center front textcolor rgb '\(colour)'")
            }
        }
        return lines
    }

    /// Keeps labels off the marks, bars and lines of a series.
    private func avoid(_ series: Series, in placement: inout LabelPlacement, _ canvas: PlotCanvas) {
        var last: (x: Double, y: Double)?
        for row in rows(of: series) {
            let place = (x: canvas.x(row.cost), y: canvas.y(row.accuracy.mean))
            let deviation = row.accuracy.deviation ?? 0
            let bar = canvas.y(row.accuracy.mean + deviation) - canvas.y(row.accuracy.mean - deviation)
            placement.avoid(.init(centreX: place.x, centreY: place.y, width: 13, height: 13))
            placement.avoid(.init(centreX: place.x, centreY: place.y, width: 7, height: bar))
            if let last, !isOfTrials { placement.avoidLine(from: last, to: place) }
            last = place
        }
    }

    private func meanAccuracy(_ series: Series) -> Double {
        let points = summary.points(of: series)
        return points.reduce(0) { $0 + $1.accuracy.mean } / Double(points.count)
    }

    private var styles: [Series: PlotStyle] { PlotStyle.styles(of: summary.series) }

    /// All series but the dense network.
    private var drawn: [Series] { summary.series.filter { $0.method != .dense } }

    /// The cheapest first.
    private func rows(of series: Series) -> [(cost: Double, accuracy: Sample)] {
        summary.points(of: series).compactMap { point in
            axis.value(of: point).map { (cost: $0, accuracy: point.accuracy) }
        }.sorted { $0.cost < $1.cost }
    }

    private func dataBlocks() -> [String] {
        summary.series.enumerated().flatMap { index, series in
            ["$series\(index) << END"]
                + rows(of: series).map { row in
                    "\(row.cost) \(row.accuracy.mean * 100) \((row.accuracy.deviation ?? 0) * 100)"
                } + ["END"]
        }
    }

    private func drawings() -> [String] {
        summary.series.enumerated().flatMap { index, series -> [String] in
            guard let style = styles[series], !rows(of: series).isEmpty else { return [] }
            let colour = "linecolor rgb '\(style.colour.light)'"
            let kind = series.method == .dense || isOfTrials
                ? "points pointsize 1.3" : "linespoints pointsize 1.1 linewidth 2"
            return [
                "$series\(index) using 1:2:3 with yerrorbars \(colour) linewidth 1.3 pointsize 0 notitle",
                "$series\(index) using 1:2 with \(kind) pointtype \(style.mark) \(colour)"
                    + " title \(Gnuplot.quoted(series.name))",
            ]
        }
    }
}

extension ReportSummary {
    /// What marks and bars mean, with the number of seeds.
    var spreadText: String {
        let counts = Set(points.map(\.accuracy.count)).sorted()
        guard let low = counts.first, let high = counts.last else { return "" }
        if high == 1 { return "one seed, so the spread is not known" }
        let count = low == high ? "\(low)" : "\(low) to \(high)"
        return "mean over \(count) seeds, bars: one standard deviation either way"
    }
}
