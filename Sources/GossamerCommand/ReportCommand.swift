import ArgumentParser
import Gossamer
import GossamerExperiments

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the report of a comparison again, or that of a single run.",
        discussion: """
            Examples, a comparison's trade-offs, and a run's curves, layers and connections:

              gossamer report runs/comparison --title "Sparse against narrow"
              gossamer report runs/tenth
            """)

    @Argument(help: "The folder of a comparison, or of a run that is completed.", transform: folderPath)
    var folder: String

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "Folder of the report. (default: report, in it)",
        transform: folderPath)
    var destination: String?

    @Option(help: "Title of a comparison's page.")
    var title: String?

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let target = destination ?? folder + "/report"
        let run = RunFolder(path: folder)
        if run.hasRecord { return try report(run, to: target) }
        let comparison = ComparisonFolder(path: folder)
        _ = try comparison.load()
        let files = try Report.write(comparison, to: target, options: Report.Options(title: title))
        let records = comparison.records().records
        Console.say(try ReportSummary(records).textTable, json: output.json)
        try tell(files.page, records)
    }

    private func report(_ run: RunFolder, to target: String) throws {
        let page = try RunReport.write(run, to: target) { network in
            try CostModel.remembered(for: .inference, pool: ThreadPool(threads: 1))?
                .layerMilliseconds(network)
        }
        try tell(page, [run.load()])
    }

    private func tell(_ page: String, _ records: [RunRecord]) throws {
        Console.say("report: \(page)", json: output.json)
        if output.json { try Console.printJSON(ReportOutcome(report: page, runs: records)) }
    }
}

private struct ReportOutcome: Encodable {
    let report: String
    let runs: [RunRecord]
}
