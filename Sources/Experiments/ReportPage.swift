import Foundation

/// The page of a report: one HTML file that needs no other and no script.
struct ReportPage {
    let summary: ReportSummary
    let options: Report.Options
    /// Drawings by axis, ready to stand in the page.
    let drawings: [(plot: TradeOffPlot, svg: String)]

    var html: String {
        let title = options.title ?? "\(summary.network) on \(summary.data)"
        return HTML.page(
            title: title + ": accuracy against cost",
            """
            \(header(title))
            \(cards)
            \(figures)
            \(HTML.section("Who wins at equal cost", verdicts))
            \(HTML.section("All points", pointsTable))
            \(HTML.section("Every run", runsTable))
            \(HTML.section("Not in the figures", failures))
            \(HTML.section("How it was measured", provenance))
            """)
    }

    private func header(_ title: String) -> String {
        let further = summary.furtherHeadlines + [summary.spreadNote].compactMap { $0 }
        return """
            <header>
            <p class="eyebrow">\(HTML.escaped(title)) · \(HTML.escaped(summary.spreadText))</p>
            <h1>\(HTML.prose(summary.headline))</h1>
            \(further.map { "<p class=\"further\">\(HTML.prose($0))</p>" }.joined(separator: "\n"))
            </header>
            """
    }

    var figures: String {
        drawings.isEmpty ? "" : legend + "\n" + HTML.figures(drawings)
    }

    /// Of all drawings at once.
    private var legend: String {
        let entries: [String] = summary.series.map { series in
            "<span>\(mark(of: series)) \(HTML.escaped(series.name))</span>"
        }
        return "<p class=\"legend\">\(entries.joined())</p>"
    }

    /// The dense network and what each point of the first other series gains and loses against it.
    private var cards: String {
        guard let dense = summary.dense, let main = summary.series.first(where: { $0.method != .dense })
        else { return "" }
        let points = [dense] + summary.points(of: main).prefix(4)
        return "<div class=\"cards\">\n" + points.map { card($0, dense: dense) }.joined(separator: "\n") + "\n</div>"
    }

    private func card(_ point: PointSummary, dense: PointSummary) -> String {
        let isDense = point == dense
        let name = isDense ? "Dense network" : "\(point.series.name.capitalizedFirst), \(point.label)"
        var facts: [String] = []
        if isDense {
            facts = [
                "\(Format.count(point.convolutionParameters)) convolution parameters",
                "\(Format.count(point.multiplyAdds)) multiply-adds",
            ]
            if let latency = point.latencyMilliseconds {
                facts.append("\(Format.milliseconds(latency.mean)) for one image")
            }
            facts.append("\(Format.seconds(point.trainingSeconds.mean)) of training")
        } else {
            facts = [
                factor(point.convolutionParameters, dense.convolutionParameters, "fewer", "more", "parameters"),
                factor(point.multiplyAdds, dense.multiplyAdds, "fewer", "more", "multiply-adds"),
            ]
            if let own = point.latencyMilliseconds, let other = dense.latencyMilliseconds {
                facts.append(factor(own.mean, other.mean, "faster", "slower", "for one image"))
            }
            facts.append(factor(point.trainingSeconds.mean, dense.trainingSeconds.mean, "faster", "slower", "training"))
        }
        let change = isDense ? "test accuracy" : gap(point.accuracy.mean - dense.accuracy.mean)
        return """
            <div class="card" style="--accent: var(--\(colour(of: point.series)))">
            <h3>\(HTML.escaped(name))</h3>
            <p class="figure">\(HTML.escaped(Format.percent(point.accuracy.mean)))</p>
            <p class="change">\(HTML.escaped(change))</p>
            \(HTML.list(facts))
            </div>
            """
    }

    private func gap(_ difference: Double) -> String {
        "\(difference < 0 ? "−" : "+")\(Format.fixed(abs(difference) * 100, 2)) points against dense"
    }

    private func factor(_ own: Double, _ other: Double, _ less: String, _ more: String, _ what: String) -> String {
        guard own > 0, other > 0 else { return "\(what): no ratio" }
        let ratio = other / own
        return ratio >= 1
            ? "\(Format.ratio(ratio))× \(less) \(what)" : "\(Format.ratio(1 / ratio))× \(more) \(what)"
    }

    func mark(of series: Series) -> String {
        let style = style(of: series)
        return "<span class=\"mark\" style=\"color: var(--\(style.colour.name))\">\(style.symbol)</span>"
    }

    func colour(of series: Series) -> String { style(of: series).colour.name }

    func style(of series: Series) -> PlotStyle { PlotStyle.styles(of: summary.series)[series] ?? .dense }
}
