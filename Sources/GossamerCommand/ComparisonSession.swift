import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments
import Synchronization

/// Trains what is left of a comparison, with words for people, and writes its report.
struct ComparisonSession {
    private var requested: Comparison
    let folder: ComparisonFolder
    let retryFailed: Bool
    let waits: Bool
    let parallel: Int
    let json: Bool

    init(
        _ comparison: Comparison, folder: String, retryFailed: Bool = false, waits: Bool = false, parallel: Int = 1,
        json: Bool
    ) {
        requested = comparison
        self.parallel = parallel
        requested.settings.threads = max(1, requested.settings.threads / parallel)
        self.folder = ComparisonFolder(path: folder)
        self.retryFailed = retryFailed
        self.waits = waits
        self.json = json
    }

    func run() throws {
        try Report.preflight()
        let dataset = try requested.settings.openDataset()
        let base = try requested.settings.baseNetwork(for: dataset)
        var requested = requested
        requested.settings.inputs = InputDigests(network: base.json, dataset)
        // Nothing is written for a request that cannot be met.
        try Trainer.checkFit(
            base, dataset.train,
            requested.settings.preprocessing(Normalization(identityOf: base.inputShape.channels)))
        _ = try makePlan(requested, base)
        // Others may have asked for more seeds or densities in the same folder.
        let comparison = try folder.open(requested)
        Interruption.listen()
        let plan = try makePlan(comparison, base, rates: chooseRates(comparison, base, dataset))
        for note in plan.notes { Console.say("note: \(note)", json: json) }
        Console.say("\(plan.points.count) point\(plan.points.count == 1 ? "" : "s") in \(folder.path)", json: json)
        let summary = try train(plan, dataset, in: folder, waits: waits)
        try finish(summary, notes: plan.notes)
    }

    /// Trains what learning rates are chosen by, and chooses those that are not chosen yet.
    private func chooseRates(_ comparison: Comparison, _ base: Network, _ dataset: Dataset) throws -> LearningRates {
        guard comparison.learningRates != nil else { return LearningRates() }
        let known = try folder.loadRates()
        let search = LearningRateSearch(
            comparison, try makePlan(comparison, base).points, known: known,
            validationFraction: dataset.validationFraction(given: comparison.settings.validationFraction))
        let plan = search.plan
        guard !plan.points.isEmpty else { return known }
        Console.say("choosing learning rates: \(plan.points.count) trainings", json: json)
        try folder.rateTrials.makeFolders()
        let summary = try train(plan, dataset, in: folder.rateTrials, waits: true)
        if summary.wasInterrupted { throw interruption() }
        let rates = try search.settle(in: folder, isCancelled: { Interruption.isRequested })
        for note in rates.notes { Console.say(note, json: json) }
        return rates
    }

    private func interruption() -> CancellationError {
        Console.note("interrupted; the same command goes on where it stopped")
        return CancellationError()
    }

    private func makePlan(
        _ comparison: Comparison, _ base: Network, rates: LearningRates = LearningRates()
    ) throws -> ComparisonPlan {
        try ComparisonPlan(comparison, rates: rates) { configuration in
            _ = try TrainingSettings(configuration)
            let made = try configuration.makeNetwork(from: base)
            return RunCost(NetworkCost(made.network), removed: made.removed)
        }
    }

    private func train(
        _ plan: ComparisonPlan, _ dataset: Dataset, in folder: ComparisonFolder, waits: Bool
    ) throws -> ComparisonRunner.Summary {
        var runner = ComparisonRunner(
            folder: folder, context: .thisProcess, isCancelled: { Interruption.isRequested }
        ) { configuration, run, isCancelled in
            var progress = TrainingProgress(of: configuration, parallel: parallel)
            defer { progress.close() }
            return try PreparedRun(configuration, dataset: dataset).train(
                in: run, observe: { progress.show($0) }, isCancelled: isCancelled)
        }
        runner.retryFailed = retryFailed
        runner.parallel = parallel
        runner.waitsForOthers = waits
        var finished = 0
        var heldElsewhere: Set<String> = []
        return try runner.run(plan) { event in
            switch event {
            case .started(let point):
                Console.say("[\(finished + 1)/\(plan.points.count)] \(name(of: point))", json: json)
            case .completed, .failed, .skipped: finished += 1
            // Said once, however often this process looks whether the other one is done.
            case .heldElsewhere(let point, _):
                guard heldElsewhere.insert(point.id).inserted else { return }
            case .takenOver(let point): heldElsewhere.insert(point.id)
            case .interrupted: break
            }
            if let text = describe(event) { Console.say(text, json: json) }
        }
    }

    private func name(of point: ComparisonPoint) -> String {
        let configuration = point.configuration
        let rate = requested.learningRates == nil ? "" : ", learning rate \(configuration.learningRate)"
        return "\(configuration.sizeName)\(rate), seed \(configuration.seed): "
            + "\(Format.exact(point.cost.convolutionParameters)) convolution "
            + "parameters, \(Format.exact(point.cost.multiplyAdds)) multiply-adds"
    }

    private func describe(_ event: ComparisonRunner.Event) -> String? {
        switch event {
        case .completed(_, let results):
            (results.validationAccuracy.map { "  validation accuracy \(Format.percent($0)), " } ?? "  ")
                + "test accuracy \(Format.percent(results.testAccuracy)), trained in "
                + Format.seconds(results.trainingSeconds)
        case .failed(let point, let message): "  \(name(of: point)) failed: \(message)"
        case .heldElsewhere(let point, _): "another process trains \(name(of: point))"
        case .takenOver: "  another process took the point over"
        case .started, .skipped, .interrupted: nil
        }
    }

    private func finish(_ summary: ComparisonRunner.Summary, notes: [String]) throws {
        let records = folder.records().records
        var page: String?
        // None is there yet where this process was interrupted at once, or other processes have just begun.
        if !records.isEmpty {
            page = try Report.write(
                folder, to: folder.path + "/report", options: Report.Options(notes: notes)).page
            Console.say("\n" + (try ReportSummary(records).textTable), json: json)
        }
        Console.say(page.map { "report: \($0)" } ?? "no report, as no point was begun", json: json)
        if json {
            try Console.printJSON(
                ComparisonOutcome(
                    completed: summary.completed, skipped: summary.skipped, failed: summary.failed,
                    heldElsewhere: summary.heldElsewhere, report: page, runs: records))
        }
        if summary.wasInterrupted {
            throw interruption()
        }
        if summary.failed > 0 { throw ExitCode(1) }
    }
}

/// The last line of `compare --json` and `demo --json`.
private struct ComparisonOutcome: Encodable {
    let completed: Int
    let skipped: Int
    let failed: Int
    /// Points that other processes were still training.
    let heldElsewhere: Int
    let report: String?
    let runs: [RunRecord]
}
