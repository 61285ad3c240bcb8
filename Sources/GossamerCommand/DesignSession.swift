import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

/// Finds and trains a network under a budget, with words for people, and writes the report.
struct DesignSession {
    private let request: Design.Request
    private let folder: DesignFolder
    private let parallel: Int
    private let peersPath: String?
    private let json: Bool

    /// - Parameter peers: a file with times of other runtimes.
    init(_ request: Design.Request, folder: String, parallel: Int, peers: String?, json: Bool) {
        self.request = request
        self.folder = DesignFolder(path: folder)
        self.parallel = parallel
        peersPath = peers
        self.json = json
    }

    func run() throws {
        let clock = Stopwatch()
        try Report.preflight()
        let dataset = try request.settings.openDataset()
        let base = try request.settings.baseNetwork(for: dataset)
        let peers = try peersPath.map {
            try PeerTimes(contentsOf: $0, network: self.request.settings.network, input: base.inputShape)
        }
        var request = request
        request.settings.inputs = InputDigests(network: base.json, dataset)
        try Trainer.checkFit(
            base, dataset.train, request.settings.preprocessing(Normalization(identityOf: base.inputShape.channels)))
        Interruption.listen()
        // What cannot be met leaves no folder behind.
        let proposal = try folder.load(request) == nil ? propose(request, base, dataset, clock) : nil
        let proposingSeconds = clock.seconds
        let claim = try folder.claim(isCancelled: { Interruption.isRequested }) {
            Console.note("waiting for another process that works on this design, or died less than a minute ago")
        }
        defer { claim.release() }
        let working = Stopwatch(elapsed: proposingSeconds)
        let design = try folder.load(request) ?? proposal ?? propose(request, base, dataset, working)
        try folder.save(design)
        for note in design.notes { Console.say("note: \(note)", json: json) }
        let outcome = try search(design, dataset, working, claim)
        let page = try folder.writeReport(design, outcome, peers: peers)
        try tell(outcome, page: page)
    }

    private func propose(
        _ request: Design.Request, _ base: Network, _ dataset: Dataset, _ clock: Stopwatch
    ) throws -> Design {
        let settings = try TrainingSettings(request.settings)
        let pool = ThreadPool(threads: request.settings.threads)
        let stepCount = (dataset.train.count + settings.batchSize - 1) / settings.batchSize
        let recomputes = request.settings.recomputes ?? false
        let model = request.budget.latencyMilliseconds.map { _ in
            let pool = ThreadPool(threads: 1)
            // Where no rates may be kept they are measured for this design alone.
            return CostModel.remembered(for: .inference, pool: pool)
                ?? CostModel.ofThisMachine(for: .inference, pool: pool, path: nil)
        }
        let updates = settings.updateCount(stepsPerEpoch: stepCount)
        let measures = Design.Measures(
            cost: { configuration in
                try Self.checkInterruption()
                return try CandidateCost(
                    configuration.finalNetwork(from: base, updates: updates), settings: settings,
                    threads: pool.threadCount, recomputes: recomputes, model: model)
            },
            epochSeconds: { configuration in
                try Self.checkInterruption()
                func stepSeconds(_ network: Network) throws -> Double {
                    try Timing.training(
                        network, settings: settings, pool: pool, recomputes: recomputes, minimumRuns: 5,
                        minimumSeconds: 0.2
                    ).timing.medianMilliseconds / 1000
                }
                let first = try stepSeconds(configuration.makeNetwork(from: base).network)
                guard configuration.growth != nil else { return first * Double(stepCount) }
                let last = try stepSeconds(configuration.finalNetwork(from: base, updates: updates).network)
                let progress = try TrainingSettings(configuration).meanProgress(updates: updates)
                return (first + progress * (last - first)) * Double(stepCount)
            })
        Console.say("proposing networks of \(request.budget.text)", json: json)
        return try Design.propose(request, measures) {
            request.budget.trainingSeconds.map { $0 - clock.seconds }
        }
    }

    private static func checkInterruption() throws {
        if Interruption.isRequested { throw CancellationError() }
    }

    private func search(
        _ design: Design, _ dataset: Dataset, _ clock: Stopwatch, _ claim: PointClaim
    ) throws -> DesignOutcome {
        let parallel = parallel
        let isCancelled: @Sendable () -> Bool = { Interruption.isRequested || !claim.isHeld }
        var runner = try DesignRunner(
            design, folder: folder,
            validationFraction: dataset.validationFraction(given: design.request.settings.validationFraction),
            context: .thisProcess, clock: clock, isHeld: { claim.confirm() }, isCancelled: isCancelled,
            train: { configuration, run, isCancelled in
                var progress = TrainingProgress(of: configuration, parallel: parallel)
                defer { progress.close() }
                return try PreparedRun(configuration, dataset: dataset).train(
                    in: run, observe: { progress.show($0) }, isCancelled: isCancelled)
            },
            trainWhole: { configuration, run, tick in
                let session = try RunSession(
                    PreparedRun(configuration, dataset: dataset), folder: run, context: .thisProcess,
                    resume: run.hasRecord)
                var progress = TrainingProgress(of: configuration, parallel: 1)
                defer { progress.close() }
                _ = try session.run(
                    observe: {
                        progress.show($0)
                        tick()
                    }, isCancelled: isCancelled)
            })
        runner.parallel = parallel
        do {
            return try runner.run { show($0) }
        } catch let error as CancellationError {
            Console.note(
                claim.isHeld
                    ? "interrupted; the same command goes on where it stopped"
                    : "another process took the design over, as this one had stopped for more than a minute")
            throw error
        }
    }

    private func show(_ event: DesignRunner.Event) {
        switch event {
        case .round(let number, let count, let candidates, let epochs):
            Console.say(
                "round \(number) of \(count): \(candidates.count) candidates, at most \(epochs) "
                    + "epoch\(epochs == 1 ? "" : "s")", json: json)
        case .trial(.started(let point)):
            Console.say(
                "\(point.configuration.sizeName): \(Format.exact(point.cost.parameters)) parameters, "
                    + "\(Format.exact(point.cost.multiplyAdds)) multiply-adds", json: json)
        case .trial(.completed(_, let results)):
            guard let accuracy = results.validationAccuracy else { return }
            Console.say("  validation accuracy \(Format.percent(accuracy))", json: json)
        case .trial(.failed(let point, let message)):
            Console.say("  \(point.configuration.sizeName) failed: \(message)", json: json)
        case .trial: break
        case .whole(let candidate, let epochs, let isChoice):
            let role = isChoice ? "the choice" : "to compare"
            Console.say("\(role): \(candidate.name), \(epochs) epoch\(epochs == 1 ? "" : "s")", json: json)
        }
    }

    private func tell(_ outcome: DesignOutcome, page: String) throws {
        Console.say("\n\(outcome.headline).", json: json)
        if let comparison = outcome.comparison { Console.say(comparison, json: json) }
        for excess in outcome.excesses { Console.warn("over the budget: \(excess)") }
        Console.say(
            "model: \(folder.choice.modelPath)\nreport: \(page)\n\(Format.seconds(outcome.seconds)) in all", json: json)
        if json { try Console.printJSON(DesignSummary(outcome, folder: folder, report: page)) }
        guard outcome.excesses.isEmpty else { throw ExitCode(1) }
    }
}

extension CandidateCost {
    /// - Parameter model: of latency; nil to predict none.
    fileprivate init(
        _ made: SparsifiedNetwork, settings: TrainingSettings, threads: Int, recomputes: Bool, model: CostModel?
    ) throws {
        let bytes = try TrainingByteCounts(
            made.network, batch: settings.batchSize, threads: threads, valuesPerParameter: settings.valuesPerParameter,
            recomputes: recomputes)
        self.init(
            run: RunCost(NetworkCost(made.network), removed: made.removed),
            trainingMemoryBytes: bytes.activations + bytes.parameters,
            latencyMilliseconds: try model?.inferenceMilliseconds(made.network))
    }
}

/// The last line of `design --json`.
private struct DesignSummary: Encodable {
    struct Network: Encodable {
        let choice: String
        let pattern: String
        let depthMultiplier: Double
        let distribution: String?
        let growth: String?
        let exploration: String?
        let parameters: Int
        let multiplyAdds: Int
        let latencyMilliseconds: Double?
        let predictedLatencyMilliseconds: Double?
        let trainingMemoryBytes: Int?
        let modelFileBytes: Int?
        let epochs: Int
        let testAccuracy: Double
        let model: String

        init(_ final: DesignOutcome.Final, _ folder: RunFolder) {
            choice = final.candidate.name
            pattern = final.candidate.pattern
            depthMultiplier = final.candidate.depthMultiplier
            distribution = final.candidate.distribution?.rawValue
            growth = final.candidate.growth
            exploration = final.candidate.exploration
            parameters = final.cost.parameters
            multiplyAdds = final.cost.multiplyAdds
            latencyMilliseconds = final.results.singleImageLatencyMilliseconds
            predictedLatencyMilliseconds = final.candidate.cost.latencyMilliseconds
            trainingMemoryBytes = final.results.trainingMemoryBytes
            modelFileBytes = final.results.modelFileBytes
            epochs = final.record.configuration.epochs
            testAccuracy = final.results.testAccuracy
            model = folder.modelPath
        }
    }

    private let network: Network
    private let others: Others

    private struct Others: Encodable {
        let seed: UInt64
        let seconds: Double
        let isWithinBudget: Bool
        let overBudget: [String]
        let candidates: Int
        let comparedWith: Network?
        let depthMultiplierWon: Bool?
        let report: String
    }

    init(_ outcome: DesignOutcome, folder: DesignFolder, report: String) {
        network = Network(outcome.choice, folder.choice)
        others = Others(
            seed: outcome.choice.record.configuration.seed, seconds: outcome.seconds,
            isWithinBudget: outcome.excesses.isEmpty, overBudget: outcome.excesses,
            candidates: outcome.rounds.first?.trials.count ?? 1,
            comparedWith: outcome.rival.map { Network($0, folder.rival) }, depthMultiplierWon: outcome.multiplierWon,
            report: report)
    }

    func encode(to encoder: any Encoder) throws {
        try network.encode(to: encoder)
        try others.encode(to: encoder)
    }
}
