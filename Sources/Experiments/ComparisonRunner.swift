import Foundation
import Synchronization

/// Trains the points of a comparison that nobody has trained yet.
///
/// Any number of runners, in any number of processes and machines, may work on one folder at a time.
public struct ComparisonRunner: Sendable {
    /// Trains one run in its folder, from the checkpoint there if there is one.
    ///
    /// It stops and throws `CancellationError` soon after `isCancelled` turns true, and leaves a usable checkpoint.
    public typealias Train = @Sendable (
        _ configuration: RunConfiguration, _ folder: RunFolder, _ isCancelled: @escaping @Sendable () -> Bool
    ) throws -> RunResults

    /// What every record of a run says besides its configuration.
    public struct Context: Sendable {
        public var commandLine: [String]
        public var programVersion: String
        public var machine: Machine

        public init(commandLine: [String], programVersion: String, machine: Machine) {
            self.commandLine = commandLine
            self.programVersion = programVersion
            self.machine = machine
        }
    }

    public enum Event: Sendable {
        case started(ComparisonPoint)
        case completed(ComparisonPoint, RunResults)
        case failed(ComparisonPoint, message: String)
        /// Already completed, or failed before and not to be retried.
        case skipped(ComparisonPoint, RunRecord.Status)
        case heldElsewhere(ComparisonPoint, PointClaim.Owner?)
        /// This process was stopped for so long that another one took the point over.
        case takenOver(ComparisonPoint)
        case interrupted(ComparisonPoint)
    }

    public struct Summary: Hashable, Sendable {
        public var completed: Int
        public var failed: Int
        public var skipped: Int
        /// Points that other processes were still training.
        public var heldElsewhere: Int
        public var wasInterrupted: Bool

        public init(
            completed: Int = 0, failed: Int = 0, skipped: Int = 0, heldElsewhere: Int = 0, wasInterrupted: Bool = false
        ) {
            self.completed = completed
            self.failed = failed
            self.skipped = skipped
            self.heldElsewhere = heldElsewhere
            self.wasInterrupted = wasInterrupted
        }
    }

    public let folder: ComparisonFolder
    public let context: Context
    /// Train points again that failed before, from the start.
    public var retryFailed = false
    /// Stay until the points of other processes are done too, and take over those that die.
    public var waitsForOthers = false
    /// Points that are trained at a time, at most one for each processor.
    public var parallel = 1
    public var lease = PointClaim.Lease()
    public let isCancelled: @Sendable () -> Bool
    public let train: Train

    public init(
        folder: ComparisonFolder, context: Context, isCancelled: @escaping @Sendable () -> Bool = { false },
        train: @escaping Train
    ) {
        self.folder = folder
        self.context = context
        self.isCancelled = isCancelled
        self.train = train
    }

    /// - Parameter report: called from the threads that train, never twice at a time.
    /// - Throws: where files cannot be read or written; a run that fails otherwise is recorded and does not throw.
    public func run(
        _ plan: ComparisonPlan, report: (Event) -> Void = { _ in }
    ) throws(ExperimentError) -> Summary {
        var summary = Summary()
        var waiting = plan.points
        while true {
            let held = try visit(waiting, &summary, report)
            if summary.wasInterrupted { return summary }
            summary.heldElsewhere = held.count
            guard waitsForOthers && !held.isEmpty else { return summary }
            waiting = held
            Thread.sleep(forTimeInterval: lease.heartbeatSeconds)
        }
    }

    /// What the threads of a round share.
    fileprivate struct Round {
        var next = 0
        var summary: Summary
        var held: [ComparisonPoint] = []
        var error: ExperimentError?
    }

    /// - Returns: the points that others are training.
    private func visit(
        _ points: [ComparisonPoint], _ summary: inout Summary, _ report: (Event) -> Void
    ) throws(ExperimentError) -> [ComparisonPoint] {
        let round = Mutex(Round(summary: summary))
        // Within the lock alone.
        nonisolated(unsafe) let report = report
        withoutActuallyEscaping(report) { report in
            nonisolated(unsafe) let report = report
            DispatchQueue.concurrentPerform(iterations: max(1, min(parallel, points.count))) { _ in
                while let point = next(points, round) {
                    let result = Result { () throws(ExperimentError) in
                        try visit(point) { event in round.withLock { _ in report(event) } }
                    }
                    round.withLock { round in
                        switch result {
                        case .success(let event):
                            report(event)
                            round.count(event, of: point)
                        case .failure(let error): round.error = round.error ?? error
                        }
                    }
                }
            }
        }
        let result = round.withLock { $0 }
        if let error = result.error { throw error }
        summary = result.summary
        return result.held
    }

    /// The next point; nil where none is left or no further one is to be begun.
    private func next(_ points: [ComparisonPoint], _ round: borrowing Mutex<Round>) -> ComparisonPoint? {
        round.withLock { round in
            guard round.error == nil, !round.summary.wasInterrupted, round.next < points.count else { return nil }
            guard !isCancelled() else {
                round.summary.wasInterrupted = true
                return nil
            }
            round.next += 1
            return points[round.next - 1]
        }
    }

    private func visit(_ point: ComparisonPoint, report: (Event) -> Void) throws(ExperimentError) -> Event {
        if let status = try finishedStatus(of: point) { return .skipped(point, status) }
        let claim: PointClaim
        switch try PointClaim.attempt(at: folder.claimsPath + "/" + point.id, lease: lease) {
        case .held(let owner): return .heldElsewhere(point, owner)
        case .claimed(let new): claim = new
        }
        defer { claim.release() }
        // Another process may have finished it in between.
        if let status = try finishedStatus(of: point) { return .skipped(point, status) }
        report(.started(point))
        return try perform(point, claim: claim)
    }

    /// Nil if the point is still to be trained.
    private func finishedStatus(of point: ComparisonPoint) throws(ExperimentError) -> RunRecord.Status? {
        let run = folder.runFolder(ofPoint: point.id)
        guard run.hasRecord else { return nil }
        do throws(ExperimentError) {
            switch try run.load().status {
            case .completed: return .completed
            case .failed: return retryFailed ? nil : .failed
            case .running, .interrupted: return nil
            }
        } catch .invalid {
            // A damaged record is a failed run: it is kept until the user asks to retry.
            return retryFailed ? nil : .failed
        }
    }

    private func perform(_ point: ComparisonPoint, claim: PointClaim) throws(ExperimentError) -> Event {
        let run = folder.runFolder(ofPoint: point.id)
        let earlier = try? run.load()
        let resumes = earlier.map { $0.status == .running || $0.status == .interrupted } ?? false
        if !resumes { try run.clear() }
        run.removeRemains()
        var record = RunRecord(
            configuration: point.configuration, context, started: resumes ? earlier?.started ?? Date() : Date())
        record.cost = point.cost
        try run.save(record)
        let event: Event
        do {
            let results = try train(point.configuration, run) { [isCancelled] in isCancelled() || !claim.isHeld }
            if let problem = results.problem {
                throw ExperimentError.option(name: problem.field, expected: problem.expected)
            }
            (record.status, record.results) = (.completed, results)
            event = .completed(point, results)
        } catch is CancellationError {
            record.status = .interrupted
            event = .interrupted(point)
        } catch let error where error.isUnwritableFile {
            // A full disk says nothing about the point, and the next would fail like it.
            record.status = .interrupted
            try? run.save(record)
            throw (error as? ExperimentError) ?? .tool(name: "training", problem: "\(error)")
        } catch {
            let message = oneLine("\(error)")
            (record.status, record.message) = (.failed, message)
            event = .failed(point, message: message)
        }
        guard claim.confirm() else { return .takenOver(point) }
        record.finished = Date()
        try run.save(record)
        return event
    }
}

extension ComparisonRunner.Round {
    fileprivate mutating func count(_ event: ComparisonRunner.Event, of point: ComparisonPoint) {
        switch event {
        case .heldElsewhere, .takenOver: held.append(point)
        default: summary.count(event)
        }
    }
}

extension ComparisonRunner.Summary {
    fileprivate mutating func count(_ event: ComparisonRunner.Event) {
        switch event {
        case .completed: completed += 1
        case .failed: failed += 1
        case .skipped: skipped += 1
        case .interrupted: wasInterrupted = true
        case .started, .heldElsewhere, .takenOver: break
        }
    }
}
