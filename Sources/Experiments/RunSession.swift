import Foundation
import GossamerTraining

/// One run in a folder of its own, from its record's first line to its last.
public struct RunSession: Sendable {
    public let prepared: PreparedRun
    public let folder: RunFolder
    private let context: ComparisonRunner.Context
    private let started: Date

    /// Takes the folder: for a new run, or with `resume` for the run that it holds.
    ///
    /// - Parameters:
    ///   - resume: go on from the last checkpoint; the folder must hold the same run.
    ///   - force: replace what the folder holds.
    /// - Throws: ``ExperimentError`` where the folder holds another run, or none to resume.
    public init(
        _ prepared: PreparedRun, folder: RunFolder, context: ComparisonRunner.Context, resume: Bool = false,
        force: Bool = false
    ) throws(ExperimentError) {
        self.prepared = prepared
        self.context = context
        if resume {
            let record = try folder.load()
            guard record.configuration.isSameTraining(as: prepared.configuration) else {
                throw .invalid(
                    file: folder.recordPath, field: "configuration", expected: "the options of the run to resume")
            }
            started = record.started
            self.folder = folder
        } else {
            self.folder = try RunFolder.create(at: folder.path, force: force)
            started = Date()
        }
    }

    /// Trains to the end.
    ///
    /// - Throws: what stopped it; the record says so too. `CancellationError` after an interruption.
    public func run(
        observe: (TrainingEvent) -> Void = { _ in }, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> RunRecord {
        var record = RunRecord(
            configuration: prepared.configuration, commandLine: context.commandLine,
            programVersion: context.programVersion, machine: context.machine, dataNote: context.dataNote,
            started: started)
        record.cost = prepared.cost
        try folder.save(record)
        do {
            record.results = try prepared.train(in: folder, observe: observe, isCancelled: isCancelled)
            record.status = .completed
        } catch {
            let isInterrupted = error is CancellationError
            record.status = isInterrupted ? .interrupted : .failed
            record.message = isInterrupted ? nil : oneLine("\(error)")
            record.finished = Date()
            // The first error is the one to report, even where this save fails too.
            try? folder.save(record)
            throw error
        }
        record.finished = Date()
        try folder.save(record)
        return record
    }
}

extension RunConfiguration {
    /// Whether two configurations train the same network to the same bits; threads change only the time.
    func isSameTraining(as other: RunConfiguration) -> Bool {
        var mine = self
        mine.threads = other.threads
        return mine == other
    }
}
