import GossamerTraining
import Synchronization

/// How far a design has come: `progress.json`. What it has settled stays settled when it goes on after an interruption.
struct DesignProgress: Codable, Hashable {
    /// A training of a candidate.
    struct Training: Codable, Hashable {
        /// Its place in the design.
        var candidate: Int
        var epochs: Int
    }

    /// A whole training of what the rounds chose that failed, so that another was chosen.
    struct Failure: Codable, Hashable {
        var candidate: Int
        var message: String
    }

    /// By all processes that worked on it so far.
    var seconds = 0.0
    var rounds: [[Training]] = []
    /// The whole trainings.
    var choice: Training?
    var rival: Training?
    /// In their order; nil for none.
    var failures: [Failure]?
    /// Whether all is trained, and no more time counts.
    var isComplete = false
}

/// Keeps a design's progress in its file, with the time spent so far.
final class DesignProgressKeeper: Sendable {
    private let folder: DesignFolder
    private let clock: Stopwatch
    private let isHeld: @Sendable () -> Bool
    private let progress: Mutex<DesignProgress>
    private let secondsBefore: Double
    private static let secondsBetweenSaves = 5.0

    /// - Parameters:
    ///   - clock: of the time that this process has worked on the design.
    ///   - isHeld: false once another process works on it.
    /// - Throws: where the folder's progress cannot be read.
    init(
        _ folder: DesignFolder, clock: Stopwatch, isHeld: @escaping @Sendable () -> Bool
    ) throws(ExperimentError) {
        self.folder = folder
        self.clock = clock
        self.isHeld = isHeld
        let progress = try folder.loadProgress()
        secondsBefore = progress.seconds
        self.progress = Mutex(progress)
    }

    var current: DesignProgress { progress.withLock { $0 } }

    /// By all processes together.
    var seconds: Double { secondsBefore + clock.seconds }

    /// Changes the progress and saves it. No more time counts once it is complete.
    ///
    /// - Throws: `unwritable`; `CancellationError` where another process works on the design by now.
    func save(_ change: (inout DesignProgress) -> Void = { _ in }) throws {
        try progress.withLock { progress in
            guard isHeld() else { throw CancellationError() }
            if !progress.isComplete { progress.seconds = seconds }
            change(&progress)
            try folder.save(progress)
        }
    }

    /// So that a kill costs little of what is known of the time spent. What cannot be written now is when it matters.
    func saveNowAndThen() {
        guard seconds > current.seconds + Self.secondsBetweenSaves else { return }
        try? save()
    }
}
