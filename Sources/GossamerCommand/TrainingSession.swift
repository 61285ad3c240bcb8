import ArgumentParser
import Gossamer
import GossamerExperiments

/// Where a run is kept, and what becomes of an earlier one.
struct RunFolderOptions: ParsableArguments {
    @Option(
        name: [.customLong("output"), .customShort("o")],
        help: "Folder of the run. (default: named after the run, in runs/)", transform: folderPath)
    var folder: String?

    @Flag(help: "Go on from the folder's last checkpoint.")
    var resume = false

    @Flag(help: "Replace the run that the folder holds.")
    var force = false

    @Flag(help: "Print cost, memory and estimated time, and train nothing.")
    var dryRun = false
}

/// One run of `train` or `prune` with words for people.
struct TrainingSession {
    let prepared: PreparedRun
    let options: RunFolderOptions
    let json: Bool
    /// Epochs between evaluations on the test images; nil for none.
    var watchEvery: Int?

    func run() throws {
        if options.dryRun { return try DryRun(prepared).print(json: json) }
        describe()
        let session = try open()
        if session.completed != nil {
            Console.say("already completed, nothing is left to train; as it was measured then:", json: json)
        }
        Interruption.listen()
        var progress = TrainingProgress()
        defer { progress.close() }
        let record: RunRecord
        do {
            record = try session.run(
                watchEvery: watchEvery, observe: { progress.show($0) }, isCancelled: { Interruption.isRequested })
        } catch let error as CancellationError {
            progress.close()
            Console.note("interrupted; the same command with --resume goes on from the checkpoint")
            throw error
        }
        guard let results = record.results else { return }
        if prepared.configuration.pruning != nil, let cost = record.cost {
            Console.say(
                "pruned: \(Format.exact(cost.connections)) of \(Format.exact(prepared.cost.connections)) connections, "
                    + "\(Format.exact(cost.parameters)) of \(Format.exact(prepared.cost.parameters)) parameters, "
                    + "\(Format.exact(cost.multiplyAdds)) of \(Format.exact(prepared.cost.multiplyAdds)) multiply-adds",
                json: json)
        }
        Console.say(
            "test accuracy \(Format.percent(results.testAccuracy)) after \(Format.seconds(results.trainingSeconds)), "
                + "model of \(Format.bytes(results.modelFileBytes ?? 0)) in \(session.folder.modelPath)", json: json)
        if json { try Console.printJSON(TrainSummary(record, results, folder: session.folder)) }
    }

    private func open() throws -> RunSession {
        do throws(ExperimentError) {
            return try RunSession(
                prepared, folder: RunFolder(path: options.folder ?? defaultFolder), context: .thisProcess,
                resume: options.resume, force: options.force)
        } catch {
            if case .runExists(let folder) = error { throw RunExists(folder: folder) }
            throw error
        }
    }

    private var defaultFolder: String {
        let run = prepared.configuration
        var words = [run.network, run.pattern]
        if run.depthMultiplier != 1 { words.append("x\(run.depthMultiplier)") }
        if let pruning = run.pruning {
            words.append("pruned\(pruning.density)")
        } else if let growth = run.growth {
            words.append("grown-\(growth)")
        } else if run.initialModel != nil {
            words.append("tuned")
        }
        if let exploration = run.exploration { words.append("explored-\(exploration)") }
        if let distribution = run.distribution { words.append(distribution.rawValue) }
        let name = (words + ["seed\(run.seed)"]).joined(separator: "-")
        return "runs/" + String(name.map { $0.isLetter || $0.isNumber || "-.".contains($0) ? $0 : "-" })
    }

    private func describe() {
        let cost = prepared.cost
        let run = prepared.configuration
        let multiplier = run.depthMultiplier == 1 ? "" : ", depth multiplier \(run.depthMultiplier)"
        Console.say(
            """
            \(run.network), \(run.pattern)\(multiplier), \
            seed \(run.seed), \(run.threads) thread\(run.threads == 1 ? "" : "s"): \
            \(Format.exact(cost.parameters)) parameters, \(Format.exact(cost.multiplyAdds)) multiply-adds, \
            \(Format.exact(cost.connections)) connections
            """, json: json)
        if let replaced = prepared.initial?.replaced, !replaced.isEmpty {
            Console.say(
                "made anew for \(prepared.test.classNames.count) classes: \(replaced.joined(separator: ", "))",
                json: json)
        }
        for removed in prepared.removed { Console.say("removed: \(removed)", json: json) }
    }
}

/// In the words of the command line.
struct RunExists: Error, CustomStringConvertible {
    let folder: String

    var description: String {
        "\(folder): already holds a run; --resume goes on with it, --force replaces it, --output names another folder"
    }
}

/// The last line of `train --json` and `prune --json`.
struct TrainSummary: Encodable {
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
