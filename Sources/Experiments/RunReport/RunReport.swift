import Foundation
import GossamerModelFiles
import GossamerNetworks
import GossamerTraining

/// The report of one run: how it trained, what each layer costs, and its connections.
public enum RunReport {
    /// Writes `report.html`, which stands alone, and beside it the curves as SVG and PNG.
    ///
    /// - Parameters:
    ///   - milliseconds: what each layer takes for one image, by name; nil where that is not known.
    /// - Returns: the page's path.
    /// - Throws: `invalid` where the run is not completed; what is wrong with its files; `tool`, `unwritable`.
    @discardableResult
    public static func write(
        _ run: RunFolder, to folder: String, milliseconds: (Network) throws -> [String: Double]?
    ) throws -> String {
        let record = try run.load()
        guard record.status == .completed else {
            throw ExperimentError.invalid(file: run.recordPath, field: "status", expected: "completed")
        }
        let network = try ModelFile(contentsOf: run.modelPath).network
        let history = try run.metrics(EpochMetrics.self)
        let changes = try run.metrics(ConnectionChange.self)
        let curves = history.isEmpty
            ? []
            : TrainingCurves.Quantity.allCases.map {
                TrainingCurves(quantity: $0, history: history, changes: changes)
            }
        let (drawings, _) = try Report.draw(curves, to: folder)
        let page = RunPage(
            record: record, network: network, milliseconds: try milliseconds(network), drawings: drawings)
        try JSONFile.writeWhole(Data(page.html.utf8), to: folder + "/report.html")
        return folder + "/report.html"
    }
}

/// The page of one run.
struct RunPage {
    let record: RunRecord
    let network: Network
    /// Of each layer for one image, predicted.
    let milliseconds: [String: Double]?
    let drawings: [(plot: TrainingCurves, svg: String)]

    var html: String {
        let configuration = record.configuration
        return HTML.page(
            title: "\(configuration.network) on \(configuration.data), \(configuration.sizeName)",
            """
            \(header)
            \(curves)
            \(HTML.section("Layers", layers))
            \(HTML.section("Connections", pictures))
            \(HTML.section("How it was measured", provenance))
            """)
    }

    private var cost: NetworkCost { NetworkCost(network) }

    private var header: String {
        let configuration = record.configuration
        let accuracy = record.results.map { Format.percent($0.testAccuracy) } ?? "unknown"
        let facts = [
            "\(Format.exact(cost.parameters)) parameters", "\(Format.count(Double(cost.multiplyAdds))) multiply-adds",
            "\(Format.exact(cost.connections)) of \(Format.exact(cost.denseConnections)) connections",
            record.results?.singleImageLatencyMilliseconds.map { "\(Format.milliseconds($0)) for one image" },
            record.results.map { "trained in \(Format.seconds($0.trainingSeconds))" },
        ].compactMap { $0 }
        let pruned = configuration.pruning == nil ? "" : ", pruned"
        let subject = "\(configuration.network) on \(configuration.data) · seed \(configuration.seed)"
        return """
            <header>
            <p class="eyebrow">\(HTML.escaped(subject))</p>
            <h1>\(HTML.prose("\(configuration.sizeName)\(pruned): \(accuracy) of the test images"))</h1>
            <p class="further">\(HTML.prose(facts.joined(separator: " · ")))</p>
            </header>
            """
    }

    private var curves: String {
        guard !drawings.isEmpty else { return "" }
        return HTML.figures(drawings) + "\n"
            + "<p class=\"note\">Dashed lines, if any: connections grew or were removed.</p>"
    }

    /// A row for each layer that has weights; bars show its share of the largest.
    private var layers: String {
        let layers = cost.layers.filter { $0.weights > 0 }
        let most = (
            parameters: layers.map(\.parameters).max() ?? 1, multiplyAdds: layers.map(\.multiplyAdds).max() ?? 1,
            milliseconds: layers.compactMap { milliseconds?[$0.name] }.max() ?? 1)
        let rows = layers.map { layer in
            [
                HTML.escaped(layer.name), HTML.escaped(layer.output.description),
                layer.density.map { bar($0, Format.share($0)) } ?? "",
                bar(Double(layer.parameters) / Double(most.parameters), Format.count(Double(layer.parameters))),
                bar(Double(layer.multiplyAdds) / Double(most.multiplyAdds), Format.count(Double(layer.multiplyAdds))),
            ] + (milliseconds.map { times in
                [times[layer.name].map { bar($0 / most.milliseconds, Format.milliseconds($0)) } ?? ""]
            } ?? [])
        }
        let headings = ["layer", "output", "density", "parameters", "multiply-adds"]
            + (milliseconds == nil ? [] : ["one image, predicted"])
        return HTML.table(headings, rows: rows, textColumns: headings.count)
    }

    private func bar(_ share: Double, _ text: String) -> String {
        "<span class=\"bar\" style=\"width: \(Format.fixed(max(0, min(1, share)) * 90, 1))px\"></span>"
            + HTML.escaped(text)
    }

    private var pictures: String {
        let convolutions = network.nodes.filter { network.connections[$0.name] != nil }
        guard !convolutions.isEmpty else { return "" }
        // What a page of a hundred layers can hold.
        let resolution = convolutions.count > 24 ? 48 : 96
        let figures = convolutions.map { node in
            let table = network.connectionTable(of: node)
            return "<figure class=\"matrix\">"
                + ConnectionPicture(table, resolution: resolution).svg + "<figcaption>\(HTML.escaped(node.name))<br>"
                + "<span class=\"note\">\(table.inputCount) → \(table.outputCount), "
                + "\(Format.share(table.density))</span></figcaption></figure>"
        }
        return "<p class=\"note\">A row for each filter, a column for each input channel; large layers are gathered "
            + "into cells, darker the more of their connections exist.</p>\n<div class=\"matrices\">\n"
            + figures.joined(separator: "\n") + "\n</div>"
    }

    private var provenance: String {
        guard let summary = try? ReportSummary([record]) else { return "" }
        return ReportPage(summary: summary, options: .init(), drawings: []).provenance
    }
}
