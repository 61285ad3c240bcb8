import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List the runs in a tree of folders.",
        discussion: """
            Example:

              gossamer runs runs --method sparse --csv sparse.csv

            The list comes from a local index of the run folders, which may be deleted at any time.
            """)

    @Argument(help: "The folder to look in.")
    var folder = "runs"

    @Option(help: "Only runs of this network.")
    var network: String?

    @Option(help: "Only runs on this data set.")
    var data: String?

    @Option(help: "Only dense, sparse, multiplier or hybrid.")
    var method: RunConfiguration.Method?

    @Option(help: "Only running, completed, failed or interrupted.")
    var status: RunRecord.Status?

    @Flag(help: "Read every run folder again.")
    var rebuild = false

    @Option(help: "Write every epoch of these runs to a file of comma-separated values.")
    var csv: String?

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw ValidationError("\(folder): expected a folder")
        }
        let (index, refresh) = try openIndex()
        for problem in refresh.problems { Console.note("skipped: \(problem)") }
        let root = URL(fileURLWithPath: folder).standardizedFileURL.path
        let entries = try index.runs(network: network, data: data, method: method, status: status)
            .filter { $0.folder.path == root || $0.folder.path.hasPrefix(root + "/") }
        if let csv { try EpochTable.write(entries, below: root, to: csv) }
        if output.json {
            try Console.printJSON(entries.map { Line(folder: $0.folder.path, record: $0.record) })
        } else {
            let rows = entries.map { row($0, root: root) }
            let headings = ["run", "pattern", "multiplier", "seed", "status", "parameters", "test accuracy"]
            print(TextTable(headings, rows: rows, textColumns: 2).text, terminator: "")
        }
    }

    /// Up to date; in memory only, with a word about it, where the cache cannot be written.
    private func openIndex() throws -> (RunIndex, RunIndex.Refresh) {
        do throws(ExperimentError) {
            let index = try RunIndex(cacheFolder: MachineFiles.cacheFolder)
            return (index, try rebuild ? index.rebuild(from: folder) : index.refresh(from: folder))
        } catch {
            Console.note("the index is not used, every run folder is read: \(error)")
            let index = try RunIndex()
            return (index, try index.refresh(from: folder))
        }
    }

    private func row(_ entry: RunIndex.Entry, root: String) -> [String] {
        let record = entry.record
        return [
            entry.name(below: root),
            record.configuration.pattern,
            Format.fixed(record.configuration.depthMultiplier, 3), "\(record.configuration.seed)",
            record.status.rawValue, record.cost.map { Format.exact($0.parameters) } ?? "",
            record.results.map { Format.percent($0.testAccuracy) } ?? "",
        ]
    }

    private struct Line: Encodable {
        let folder: String
        let record: RunRecord
    }
}

extension RunConfiguration.Method: ExpressibleByArgument {}
extension RunRecord.Status: ExpressibleByArgument {}
