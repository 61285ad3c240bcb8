import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train one network on one data set.",
        discussion: """
            Example, a network with a tenth of its connections:

              gossamer train --pattern random:0.1 --epochs 4 --output runs/tenth

            The run's folder holds run.json (everything that repeats it), metrics.jsonl, model.safetensors and \
            checkpoint/. After an interruption of any kind, the same command with --resume goes on and ends with the \
            same bits.
            """)

    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(
        name: [.customLong("output"), .customShort("o")],
        help: "Folder of the run. (default: runs/NETWORK-PATTERN-seedN)",
        transform: folderPath)
    var folder: String?

    @Flag(help: "Go on from the folder's last checkpoint.")
    var resume = false

    @Flag(help: "Replace the run that the folder holds.")
    var force = false

    @Flag(help: "Print cost, memory and estimated time, and train nothing.")
    var dryRun = false

    func run() throws {
        let configuration = RunConfiguration(
            network: network.network, pattern: network.pattern, depthMultiplier: network.depthMultiplier,
            seed: network.seed, data, training, threads: threads.count)
        let prepared = try PreparedRun(configuration, dataset: data.open())
        if dryRun { return try DryRun(prepared).print(json: output.json) }
        describe(prepared)
        let session = try open(prepared)
        if session.completed != nil {
            Console.say("already completed, nothing is left to train; as it was measured then:", json: output.json)
        }
        Interruption.listen()
        var progress = TrainingProgress()
        defer { progress.close() }
        let record: RunRecord
        do {
            record = try session.run(observe: { progress.show($0) }, isCancelled: { Interruption.isRequested })
        } catch let error as CancellationError {
            progress.close()
            Console.note("interrupted; the same command with --resume goes on from the checkpoint")
            throw error
        }
        guard let results = record.results else { return }
        Console.say(
            "test accuracy \(Format.percent(results.testAccuracy)) after \(Format.seconds(results.trainingSeconds)), "
                + "model of \(Format.bytes(results.modelFileBytes ?? 0)) in \(session.folder.modelPath)",
            json: output.json)
        if output.json { try Console.printJSON(TrainSummary(record, results, folder: session.folder)) }
    }

    private func open(_ prepared: PreparedRun) throws -> RunSession {
        do throws(ExperimentError) {
            return try RunSession(
                prepared, folder: RunFolder(path: folder ?? defaultFolder), context: .thisProcess, resume: resume,
                force: force)
        } catch {
            if case .runExists(let folder) = error { throw RunExists(folder: folder) }
            throw error
        }
    }

    private var defaultFolder: String {
        let multiplier = network.depthMultiplier == 1 ? [] : ["x\(network.depthMultiplier)"]
        let name = ([network.network, network.pattern] + multiplier + ["seed\(network.seed)"]).joined(separator: "-")
        return "runs/" + String(name.map { $0.isLetter || $0.isNumber || "-.".contains($0) ? $0 : "-" })
    }

    private func describe(_ prepared: PreparedRun) {
        let cost = prepared.cost
        let multiplier = network.depthMultiplier == 1 ? "" : ", depth multiplier \(network.depthMultiplier)"
        Console.say(
            """
            \(network.network), \(network.pattern)\(multiplier), \
            seed \(network.seed), \(threads.count) thread\(threads.count == 1 ? "" : "s"): \
            \(Format.exact(cost.parameters)) parameters, \(Format.exact(cost.multiplyAdds)) multiply-adds, \
            \(Format.exact(cost.connections)) connections
            """, json: output.json)
        for removed in prepared.removed { Console.say("removed: \(removed)", json: output.json) }
    }
}

/// In the words of the command line.
private struct RunExists: Error, CustomStringConvertible {
    let folder: String

    var description: String {
        "\(folder): already holds a run; --resume goes on with it, --force replaces it, --output names another folder"
    }
}

/// The last line of `train --json`.
private struct TrainSummary: Encodable {
    let testAccuracy: Double
    let validationAccuracy: Double?
    let seconds: Double
    let parameters: Int
    let parametersWithoutClassifier: Int
    let multiplyAdds: Int
    let connections: Int
    let modelBytes: Int?
    let model: String
    let seed: UInt64

    init(_ record: RunRecord, _ results: RunResults, folder: RunFolder) {
        testAccuracy = results.testAccuracy
        validationAccuracy = results.validationAccuracy
        seconds = results.trainingSeconds
        parameters = record.cost?.parameters ?? 0
        parametersWithoutClassifier = record.cost?.parametersWithoutClassifier ?? 0
        multiplyAdds = record.cost?.multiplyAdds ?? 0
        connections = record.cost?.connections ?? 0
        modelBytes = results.modelFileBytes
        model = folder.modelPath
        seed = record.configuration.seed
    }
}
