import ArgumentParser
import Gossamer
import GossamerExperiments

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the report of a comparison again, from its run folders.",
        discussion: """
            Example:

              gossamer report runs/comparison --title "Sparse against narrow"
            """)

    @Argument(help: "The folder of a comparison.", transform: folderPath)
    var comparison: String

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "Folder of the report. (default: COMPARISON/report)",
        transform: folderPath)
    var folder: String?

    @Option(help: "Title of the page.")
    var title: String?

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let source = ComparisonFolder(path: comparison)
        _ = try source.load()
        let files = try Report.write(
            source, to: folder ?? comparison + "/report", options: Report.Options(title: title))
        let records = source.records().records
        Console.say(try ReportSummary(records).textTable, json: output.json)
        Console.say("report: \(files.page)", json: output.json)
        if output.json { try Console.printJSON(ReportOutcome(report: files.page, runs: records)) }
    }
}

private struct ReportOutcome: Encodable {
    let report: String
    let runs: [RunRecord]
}
