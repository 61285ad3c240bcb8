import Foundation
import GossamerTraining

/// Finds the best candidate of a design by short trainings that stop the losers early, and trains it in full.
///
/// Whatever is trained lies in a run folder, so that the same design goes on where it was interrupted.
public struct DesignRunner {
    /// Trains one run in its folder in full and keeps its record there, from the checkpoint there if there is one;
    /// calls `tick` now and then.
    public typealias TrainWhole = (
        _ configuration: RunConfiguration, _ folder: RunFolder, _ tick: () -> Void
    ) throws -> Void

    public enum Event: Sendable {
        /// Candidates are about to be trained, this many epochs at most; rounds count from 1.
        case round(Int, of: Int, candidates: [DesignCandidate], epochs: Int)
        case trial(ComparisonRunner.Event)
        case whole(DesignCandidate, epochs: Int, isChoice: Bool)
    }

    public let folder: DesignFolder
    public let design: Design
    /// Of the short trainings.
    public let validationFraction: Double
    public let context: ComparisonRunner.Context
    /// Short trainings at a time, at most one for each thread: each has its share of them.
    public var parallel = 1
    /// Measures the latency of a trained network anew, with nothing else running.
    public var measureLatency: (RunFolder) throws -> Double = { try $0.measuredLatencyMilliseconds() }
    private let isCancelled: @Sendable () -> Bool
    private let train: ComparisonRunner.Train
    private let trainWhole: TrainWhole
    private let keeper: DesignProgressKeeper

    /// - Parameters:
    ///   - clock: of the time that this process has worked on the design, without waiting for others.
    ///   - isHeld: false once another process works on it; then nothing more is written.
    ///   - train: of short trainings.
    /// - Throws: where the folder's progress cannot be read.
    public init(
        _ design: Design, folder: DesignFolder, validationFraction: Double, context: ComparisonRunner.Context,
        clock: Stopwatch, isHeld: @escaping @Sendable () -> Bool = { true },
        isCancelled: @escaping @Sendable () -> Bool = { false },
        train: @escaping ComparisonRunner.Train, trainWhole: @escaping TrainWhole
    ) throws(ExperimentError) {
        self.design = design
        self.folder = folder
        self.validationFraction = validationFraction
        self.context = context
        self.isCancelled = isCancelled
        self.train = train
        self.trainWhole = trainWhole
        keeper = try DesignProgressKeeper(folder, clock: clock, isHeld: isHeld)
    }

    private var settings: RunConfiguration { design.request.settings }
    private var budget: DesignBudget { design.request.budget }

    /// - Throws: `CancellationError` after an interruption; `option` where no candidate could be trained within the
    ///   budget; what stopped a whole training for reasons that are not the network's.
    public func run(report: (Event) -> Void = { _ in }) throws -> DesignOutcome {
        let rounds = try design.isSearchForAccuracy ? climb(report) : halve(report)
        let final = try choose(rounds, report)
        var notes = design.notes
        notes += (keeper.current.failures ?? []).map {
            "\(design.candidates[$0.candidate].name) was the choice until its whole training failed: \($0.message)"
        }
        let rival = try compare(rounds, &notes, report)
        try keeper.save { $0.isComplete = true }
        return DesignOutcome(
            budget: budget, rounds: rounds, choice: final, rival: rival, seconds: keeper.current.seconds, notes: notes)
    }

    /// Trains the best of the rounds in full. One whose training fails there is out, as it would be in a round.
    private func choose(
        _ rounds: [DesignOutcome.Round], _ report: (Event) -> Void
    ) throws -> DesignOutcome.Final {
        while true {
            let finalists = finalists(of: rounds)
            guard let choice = finalists.choice else { throw nothingTrained(rounds.flatMap(\.trials)) }
            if keeper.current.choice == nil {
                let training = training(choice, of: finalists.rival == nil ? 1 : 2, rounds)
                try keeper.save { $0.choice = training }
            }
            let training = keeper.current.choice!
            do {
                return try whole(training, in: folder.choice, isChoice: true, report)
            } catch let error as TrainingError where error.isOfTheNetwork {
                try folder.choice.clear()
                try keeper.save {
                    $0.choice = nil
                    $0.failures = ($0.failures ?? []) + [
                        .init(candidate: training.candidate, message: oneLine("\(error)"))
                    ]
                }
            }
        }
    }

    /// Trains what the choice is compared with. It is no part of the answer: a failure here does not take that away.
    private func compare(
        _ rounds: [DesignOutcome.Round], _ notes: inout [String], _ report: (Event) -> Void
    ) throws -> DesignOutcome.Final? {
        guard let candidate = keeper.current.rival?.candidate ?? finalists(of: rounds).rival else { return nil }
        let name = design.candidates[candidate].name
        if keeper.current.rival == nil, !keeper.current.isComplete {
            let training = training(candidate, of: 1, rounds)
            let seconds = Double(training.epochs) * epochSeconds(of: candidate, rounds)
            try keeper.save { if seconds <= secondsLeft ?? .infinity { $0.rival = training } }
        }
        guard let training = keeper.current.rival else {
            notes.append("no time was left to train \(name) in full")
            return nil
        }
        do {
            return try whole(training, in: folder.rival, isChoice: false, report)
        } catch let error as CancellationError {
            throw error
        } catch {
            notes.append("\(name) could not be trained: \(oneLine("\(error)"))")
            return nil
        }
    }

    private func finalists(of rounds: [DesignOutcome.Round]) -> (choice: Int?, rival: Int?) {
        let failed = Set((keeper.current.failures ?? []).map(\.candidate))
        return DesignOutcome.finalists(of: rounds, design, without: failed)
    }

    // MARK: Short trainings

    private func halve(_ report: (Event) -> Void) throws -> [DesignOutcome.Round] {
        var left = Array(design.candidates.indices)
        var rounds: [DesignOutcome.Round] = []
        for number in 0 ..< DesignSchedule.roundCount(left.count) {
            if number == keeper.current.rounds.count {
                let epochs = DesignSchedule.epochs(
                    left.map { epochSeconds(of: $0, rounds) }, mostEpochs: settings.epochs, seconds: secondsLeft)
                // Never fewer than a candidate has had, which costs nothing again.
                let before = Dictionary(
                    uniqueKeysWithValues: (keeper.current.rounds.last ?? []).map { ($0.candidate, $0.epochs) })
                let round = zip(left, epochs).map {
                    DesignProgress.Training(candidate: $0, epochs: max($1, before[$0] ?? 0))
                }
                try keeper.save { $0.rounds.append(round) }
            }
            let trainings = keeper.current.rounds[number]
            report(
                .round(
                    number + 1, of: number + DesignSchedule.roundCount(left.count),
                    candidates: left.map { design.candidates[$0] }, epochs: trainings.map(\.epochs).max()!))
            let kept = DesignSchedule.kept(of: left.count)
            rounds.append(.init(trials: try trials(trainings, report), keeping: kept))
            left = rounds[number].ranking.prefix(kept).map(\.candidate)
            // Fewer may be left than were to be kept; where none is, earlier rounds have the choice.
            if left.count <= 1 { break }
        }
        return rounds
    }

    /// From the cheapest candidate up until one is accurate enough, or half the time is spent.
    private func climb(_ report: (Event) -> Void) throws -> [DesignOutcome.Round] {
        let order = design.candidates.indices.sorted {
            design.candidates[$0].cost.run.parameters < design.candidates[$1].cost.run.parameters
        }
        if keeper.current.rounds.isEmpty {
            let whole = order.reduce(0) { $0 + (design.candidates[$1].epochSeconds ?? 0) }
            let epochs = DesignSchedule.wholeEpochs(
                whole, of: 2, mostEpochs: settings.epochs, seconds: secondsLeft)
            try keeper.save { $0.rounds = [order.map { .init(candidate: $0, epochs: epochs) }] }
        }
        let round = keeper.current.rounds[0]
        report(.round(1, of: 1, candidates: order.map { design.candidates[$0] }, epochs: round[0].epochs))
        var trials: [DesignOutcome.Trial] = []
        for training in round {
            // What is trained already costs no time, however late it is.
            if let limit = budget.trainingSeconds, !trials.isEmpty, keeper.seconds > limit / 2,
                try !isTrained(training) { break }
            trials += try self.trials([training], report)
            if let reached = trials.last?.accuracy, reached >= budget.accuracy! { break }
        }
        return [DesignOutcome.Round(trials: trials, keeping: 1)]
    }

    /// - Parameter threads: decide no result, and so not where the point lies.
    private func point(of training: DesignProgress.Training, threads: Int = 1) -> ComparisonPoint {
        let candidate = design.candidates[training.candidate]
        var configuration = candidate.configuration(
            settings, epochs: training.epochs, validationFraction: validationFraction)
        configuration.threads = threads
        return ComparisonPoint(configuration: configuration, cost: candidate.cost.run)
    }

    private func isTrained(_ training: DesignProgress.Training) throws -> Bool {
        let run = folder.trials.runFolder(ofPoint: point(of: training).id)
        return try run.hasRecord && run.load().status == .completed
    }

    private func trials(
        _ trainings: [DesignProgress.Training], _ report: (Event) -> Void
    ) throws -> [DesignOutcome.Trial] {
        let together = max(1, min(parallel, settings.threads, trainings.count))
        let points = trainings.map { point(of: $0, threads: settings.threads / together) }
        try folder.trials.makeFolders()
        var runner = ComparisonRunner(
            folder: folder.trials, context: context,
            isCancelled: { [keeper, isCancelled] in
                keeper.saveNowAndThen()
                return isCancelled()
            }, train: train)
        runner.waitsForOthers = true
        runner.parallel = together
        let summary = try runner.run(ComparisonPlan(points: points)) { report(.trial($0)) }
        try keeper.save()
        if summary.wasInterrupted { throw CancellationError() }
        return try zip(trainings, points).map { training, point in
            DesignOutcome.Trial(
                candidate: training.candidate, record: try settled(folder.trials.runFolder(ofPoint: point.id)),
                latencyLimit: budget.latencyMilliseconds)
        }
    }

    /// A run's record. What was too slow while others trained beside it is measured again.
    private func settled(_ run: RunFolder) throws -> RunRecord {
        var record = try run.load()
        guard let limit = budget.latencyMilliseconds, record.status == .completed,
            let found = record.results?.singleImageLatencyMilliseconds, found > limit
        else { return record }
        record.results!.singleImageLatencyMilliseconds = min(found, try measureLatency(run))
        try run.save(record)
        return record
    }

    private func nothingTrained(_ trials: [DesignOutcome.Trial]) -> ExperimentError {
        .option(
            name: "design", expected: "at least one candidate to be trained within the budget; "
                + (trials.compactMap(\.problem).first ?? keeper.current.failures?.first?.message ?? "there is none"))
    }

    // MARK: Whole trainings

    /// How long a candidate is trained in full, as one of so many that share the time left. Once settled and saved, no
    /// interruption changes it.
    private func training(
        _ candidate: Int, of trainings: Int, _ rounds: [DesignOutcome.Round]
    ) -> DesignProgress.Training {
        .init(
            candidate: candidate,
            epochs: DesignSchedule.wholeEpochs(
                epochSeconds(of: candidate, rounds), of: trainings, mostEpochs: settings.epochs, seconds: secondsLeft))
    }

    /// From its last training, or the steps that were timed before; only known where there is a limit in time.
    private func epochSeconds(of candidate: Int, _ rounds: [DesignOutcome.Round]) -> Double {
        func trial(in round: DesignOutcome.Round) -> DesignOutcome.Trial? {
            round.trials.first { $0.candidate == candidate && $0.accuracy != nil }
        }
        guard let round = rounds.last(where: { trial(in: $0) != nil }), let record = trial(in: round)?.record,
            let results = record.results
        else { return design.candidates[candidate].epochSeconds ?? 0 }
        // Those that were trained at a time had a share of the threads each, and none saw all images.
        let share = Double(record.configuration.threads) / Double(settings.threads)
        return results.trainingSeconds / Double(record.configuration.epochs) * share / (1 - validationFraction)
    }

    private var secondsLeft: Double? { budget.trainingSeconds.map { max(0, $0 - keeper.seconds) } }

    private func whole(
        _ final: DesignProgress.Training, in folder: RunFolder, isChoice: Bool, _ report: (Event) -> Void
    ) throws -> DesignOutcome.Final {
        let candidate = design.candidates[final.candidate]
        report(.whole(candidate, epochs: final.epochs, isChoice: isChoice))
        defer { try? keeper.save() }
        let configuration = candidate.configuration(
            settings, epochs: final.epochs, validationFraction: settings.validationFraction)
        try trainWhole(configuration, folder) { keeper.saveNowAndThen() }
        return DesignOutcome.Final(candidate: candidate, record: try settled(folder))
    }
}
