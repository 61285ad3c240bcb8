import Foundation
import GossamerTraining

/// Finds the best candidate of a design by short trainings that stop the losers early, and trains it in full.
///
/// Whatever is trained lies in a run folder, so that the same design goes on where it was interrupted.
public struct DesignRunner {
    /// Trains one run in its folder in full and keeps its record, from the checkpoint there if there is one; calls
    /// `tick` now and then.
    public typealias TrainWhole = (
        _ configuration: RunConfiguration, _ folder: RunFolder, _ tick: () -> Void
    ) throws -> RunRecord

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
    public var parallel = 1
    private let isCancelled: @Sendable () -> Bool
    private let train: ComparisonRunner.Train
    private let trainWhole: TrainWhole
    private let clock: Stopwatch
    private var progress: DesignProgress

    /// - Parameters:
    ///   - clock: of the time that this process has worked on the design, without waiting for others.
    ///   - train: of short trainings.
    /// - Throws: where the folder's progress cannot be read.
    public init(
        _ design: Design, folder: DesignFolder, validationFraction: Double, context: ComparisonRunner.Context,
        clock: Stopwatch, isCancelled: @escaping @Sendable () -> Bool = { false },
        train: @escaping ComparisonRunner.Train, trainWhole: @escaping TrainWhole
    ) throws(ExperimentError) {
        self.design = design
        self.folder = folder
        self.validationFraction = validationFraction
        self.context = context
        self.clock = clock
        self.isCancelled = isCancelled
        self.train = train
        self.trainWhole = trainWhole
        progress = try folder.loadProgress()
        secondsBefore = progress.seconds
    }

    private let secondsBefore: Double

    /// By all processes together.
    private var seconds: Double { secondsBefore + clock.seconds }

    /// - Throws: `CancellationError` after an interruption; `option` where no candidate could be trained within the
    ///   budget; what stopped a whole training.
    public mutating func run(report: (Event) -> Void = { _ in }) throws -> DesignOutcome {
        let rounds = try design.isSearchForAccuracy ? climb(report) : halve(report)
        let finalists = DesignOutcome.finalists(of: rounds, design)
        guard let choice = finalists.choice else { throw nothingTrained(rounds.flatMap(\.trials)) }
        if progress.choice == nil {
            progress.choice = training(choice, of: finalists.rival == nil ? 1 : 2, rounds)
            try saveProgress()
        }
        let budget = design.request.budget
        let final = try whole(progress.choice!, in: folder.choice, isChoice: true, report)
        // What it is compared with is no part of the answer: a failure there does not take the answer away.
        var rival: DesignOutcome.Final?
        var notes = design.notes
        if progress.rival == nil, !progress.isComplete, let candidate = finalists.rival {
            let training = training(candidate, of: 1, rounds)
            let seconds = Double(training.epochs) * epochSeconds(of: candidate, rounds)
            if seconds <= secondsLeft ?? .infinity { progress.rival = training }
            try saveProgress()
        }
        if progress.rival == nil, let candidate = finalists.rival {
            notes.append("no time was left to train \(design.candidates[candidate].name) in full")
        }
        if let training = progress.rival {
            do {
                rival = try whole(training, in: folder.rival, isChoice: false, report)
            } catch let error as CancellationError {
                throw error
            } catch {
                let name = design.candidates[training.candidate].name
                notes.append("\(name) could not be trained: \(oneLine("\(error)"))")
            }
        }
        try saveProgress()
        progress.isComplete = true
        try folder.save(progress)
        return DesignOutcome(
            budget: budget, rounds: rounds, choice: final, rival: rival, seconds: progress.seconds, notes: notes)
    }

    // MARK: Short trainings

    private mutating func halve(_ report: (Event) -> Void) throws -> [DesignOutcome.Round] {
        var left = Array(design.candidates.indices)
        var rounds: [DesignOutcome.Round] = []
        for number in 0 ..< DesignSchedule.roundCount(left.count) {
            if number == progress.rounds.count {
                let epochs = DesignSchedule.epochs(
                    left.map { epochSeconds(of: $0, rounds) }, mostEpochs: design.request.settings.epochs,
                    seconds: secondsLeft)
                // Never fewer than a candidate has had, which costs nothing again.
                let before = Dictionary(
                    uniqueKeysWithValues: (progress.rounds.last ?? []).map { ($0.candidate, $0.epochs) })
                progress.rounds.append(
                    zip(left, epochs).map { .init(candidate: $0, epochs: max($1, before[$0] ?? 0)) })
                try saveProgress()
            }
            let trainings = progress.rounds[number]
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
    private mutating func climb(_ report: (Event) -> Void) throws -> [DesignOutcome.Round] {
        let order = design.candidates.indices.sorted {
            design.candidates[$0].cost.run.parameters < design.candidates[$1].cost.run.parameters
        }
        if progress.rounds.isEmpty {
            let whole = order.reduce(0) { $0 + (design.candidates[$1].epochSeconds ?? 0) }
            let epochs = DesignSchedule.wholeEpochs(
                whole, of: 2, mostEpochs: design.request.settings.epochs, seconds: secondsLeft)
            progress.rounds = [order.map { .init(candidate: $0, epochs: epochs) }]
            try saveProgress()
        }
        report(
            .round(1, of: 1, candidates: order.map { design.candidates[$0] }, epochs: progress.rounds[0][0].epochs))
        var trials: [DesignOutcome.Trial] = []
        for training in progress.rounds[0] {
            // What is trained already costs no time, however late it is.
            if let limit = design.request.budget.trainingSeconds, !trials.isEmpty, seconds > limit / 2,
                try !isTrained(training) { break }
            trials += try self.trials([training], report)
            if let reached = trials.last?.accuracy, reached >= design.request.budget.accuracy! { break }
        }
        return [DesignOutcome.Round(trials: trials, keeping: 1)]
    }

    private func point(of training: DesignProgress.Training) -> ComparisonPoint {
        let candidate = design.candidates[training.candidate]
        return ComparisonPoint(
            configuration: candidate.configuration(
                design.request.settings, epochs: training.epochs, validationFraction: validationFraction),
            cost: candidate.cost.run)
    }

    private func isTrained(_ training: DesignProgress.Training) throws -> Bool {
        let run = folder.trials.runFolder(ofPoint: point(of: training).id)
        return try run.hasRecord && run.load().status == .completed
    }

    private mutating func trials(
        _ trainings: [DesignProgress.Training], _ report: (Event) -> Void
    ) throws -> [DesignOutcome.Trial] {
        let points = trainings.map(point)
        try makeFolder(folder.trials.pointsPath)
        try makeFolder(folder.trials.claimsPath)
        var runner = ComparisonRunner(folder: folder.trials, context: context, isCancelled: isCancelled, train: train)
        runner.waitsForOthers = true
        runner.parallel = parallel
        let summary = try runner.run(ComparisonPlan(points: points)) {
            report(.trial($0))
            saveNowAndThen()
        }
        try saveProgress()
        if summary.wasInterrupted { throw CancellationError() }
        return try zip(trainings, points).map { training, point in
            DesignOutcome.Trial(
                candidate: training.candidate, record: try folder.trials.runFolder(ofPoint: point.id).load(),
                latencyLimit: design.request.budget.latencyMilliseconds)
        }
    }

    private func nothingTrained(_ trials: [DesignOutcome.Trial]) -> ExperimentError {
        .option(
            name: "design", expected: "at least one candidate to be trained within the budget; "
                + (trials.compactMap(\.problem).first ?? "there is none"))
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
                epochSeconds(of: candidate, rounds), of: trainings, mostEpochs: design.request.settings.epochs,
                seconds: secondsLeft))
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
        let together = Double(min(parallel, round.trials.count))
        return results.trainingSeconds / Double(record.configuration.epochs) / together / (1 - validationFraction)
    }

    private var secondsLeft: Double? { design.request.budget.trainingSeconds.map { max(0, $0 - seconds) } }

    private mutating func whole(
        _ final: DesignProgress.Training, in folder: RunFolder, isChoice: Bool, _ report: (Event) -> Void
    ) throws -> DesignOutcome.Final {
        let candidate = design.candidates[final.candidate]
        report(.whole(candidate, epochs: final.epochs, isChoice: isChoice))
        defer { try? saveProgress() }
        let settings = design.request.settings
        let configuration = candidate.configuration(
            settings, epochs: final.epochs, validationFraction: settings.validationFraction)
        let record = try trainWhole(configuration, folder) { saveNowAndThen() }
        return DesignOutcome.Final(candidate: candidate, record: record)
    }

    /// So that a kill costs little of what is known of the time spent.
    private mutating func saveNowAndThen() {
        if seconds > progress.seconds + Self.secondsBetweenSaves { try? saveProgress() }
    }

    private static let secondsBetweenSaves = 5.0

    /// With the time spent so far.
    private mutating func saveProgress() throws(ExperimentError) {
        guard !progress.isComplete else { return }
        progress.seconds = seconds
        try folder.save(progress)
    }
}
