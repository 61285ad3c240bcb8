import Foundation

/// The trade-off report: one page, plots and tables.
public enum Report {
    public struct Options: Hashable, Sendable {
        /// Of the page; the network and the data set by default.
        public var title: String?
        /// Lines for the list of what is not in the figures.
        public var notes: [String]

        public init(title: String? = nil, notes: [String] = []) {
            self.title = title
            self.notes = notes
        }
    }

    /// Paths of what was written.
    public struct Files: Hashable, Sendable {
        public let page: String
        public let plots: [String]
        public let tables: [String]
    }

    /// Checks, before anything is trained, that plots can be drawn.
    ///
    /// - Throws: `tool`, with the package to install.
    public static func preflight() throws(ExperimentError) { try Gnuplot.preflight() }

    /// Writes `report.html`, which stands alone, and beside it each plot as SVG and PNG, `points.csv` and `runs.csv`.
    ///
    /// - Parameter records: runs of one network and one data set, whatever came of them.
    /// - Throws: `option` if there are no runs, or runs of several networks or data sets; `tool`; `unwritable`.
    @discardableResult
    public static func write(
        _ records: [RunRecord], to folder: String, options: Options = Options()
    ) throws(ExperimentError) -> Files {
        let summary = try ReportSummary(records)
        let plots = CostAxis.allCases.compactMap { TradeOffPlot(summary, axis: $0) }
        let (drawings, plotPaths) = try draw(plots, to: folder)
        let tables = [("points.csv", summary.pointsCSV), ("runs.csv", summary.runsCSV)]
        for (name, text) in tables { try JSONFile.writeWhole(Data(text.utf8), to: folder + "/" + name) }
        let page = ReportPage(summary: summary, options: options, drawings: drawings)
        try JSONFile.writeWhole(Data(page.html.utf8), to: folder + "/report.html")
        return Files(page: folder + "/report.html", plots: plotPaths, tables: tables.map { folder + "/" + $0.0 })
    }

    /// Writes each plot as SVG and PNG.
    ///
    /// - Returns: the drawings, ready to stand in a page, and the paths of the files.
    static func draw<Drawn: Plot>(
        _ plots: [Drawn], to folder: String
    ) throws(ExperimentError) -> (drawings: [(plot: Drawn, svg: String)], paths: [String]) {
        let scratch = try ScratchFolder()
        if !plots.isEmpty {
            // A background outlives its drawing, so those without one come first.
            let script = PlotForm.allCases.flatMap { form in plots.map { $0.script(form) } }
            try Gnuplot.run(script.joined(), in: scratch)
        }
        try makeFolder(folder)
        var drawings: [(plot: Drawn, svg: String)] = []
        var paths: [String] = []
        for plot in plots {
            let svg = String(decoding: try scratch.contents(of: plot.fileName(.inline)), as: UTF8.self)
            drawings.append((plot, SVGTheme.themed(svg, name: plot.name, title: plot.title)))
            for form in [PlotForm.svg, .png] {
                let path = folder + "/" + plot.fileName(form)
                try JSONFile.writeWhole(try scratch.contents(of: plot.fileName(form)), to: path)
                paths.append(path)
            }
        }
        return (drawings, paths)
    }

    /// The report of a comparison, with its unreadable records among the notes.
    @discardableResult
    public static func write(
        _ comparison: ComparisonFolder, to folder: String, options: Options = Options()
    ) throws(ExperimentError) -> Files {
        let (records, problems) = comparison.records()
        var options = options
        options.notes = try comparison.loadRates().notes + options.notes + problems.map(\.description)
        return try write(records, to: folder, options: options)
    }
}
