import Foundation
import GossamerTraining

/// One run in a folder of its own, from its record's first line to its last.
public struct RunSession: Sendable {
    public let prepared: PreparedRun
    public let folder: RunFolder
    private let context: ComparisonRunner.Context
    private let earlier: RunRecord?

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
            if let difference = record.configuration.difference(from: prepared.configuration) {
                throw .otherRun(
                    folder: folder.path, setting: difference.name, found: difference.own,
                    requested: difference.other)
            }
            earlier = record
            self.folder = folder
            folder.removeRemains()
        } else {
            self.folder = try RunFolder.create(at: folder.path, force: force)
            earlier = nil
        }
    }

    /// The record of a run that was resumed although it is completed, with its model in place: nothing is left to do.
    public var completed: RunRecord? {
        earlier.flatMap {
            $0.status == .completed && FileManager.default.fileExists(atPath: folder.modelPath) ? $0 : nil
        }
    }

    /// Trains to the end; a completed run is left as it is.
    ///
    /// - Parameter watchEvery: after every so many epochs the test images are evaluated too; nil for never.
    /// - Throws: what stopped it; the record says so too. `CancellationError` after an interruption.
    public func run(
        watchEvery: Int? = nil, observe: (TrainingEvent) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> RunRecord {
        if let completed { return completed }
        var record = RunRecord(
            configuration: prepared.configuration, context, started: earlier?.started ?? Date())
        record.cost = prepared.cost
        try folder.save(record)
        do {
            record.results = try prepared.train(
                in: folder, watchEvery: watchEvery, observe: observe, isCancelled: isCancelled)
            if prepared.settings.changesConnections {
                record.cost = try RunCost(ofModel: folder.modelPath, partOf: prepared.base)
            }
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
