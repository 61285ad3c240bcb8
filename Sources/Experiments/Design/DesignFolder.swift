import Foundation

/// The folder of a design: `design.json`, `progress.json`, `trials/` with a run folder for each short training,
/// `choice/` and `rival/` with the whole ones, and `report/`.
public struct DesignFolder: Hashable, Sendable {
    public let path: String

    public init(path: String) {
        self.path = withoutLastSlash(path)
    }

    public var designPath: String { path + "/design.json" }
    var progressPath: String { path + "/progress.json" }
    public var reportPath: String { path + "/report" }
    /// The network that was chosen, trained in full.
    public var choice: RunFolder { RunFolder(path: path + "/choice") }
    /// What it is compared with: the best depth multiplier, or where that was chosen, the best sparse network.
    public var rival: RunFolder { RunFolder(path: path + "/rival") }

    /// The short trainings of all rounds: one that two rounds ask for is done once.
    var trials: ComparisonFolder { ComparisonFolder(path: path + "/trials") }

    /// The right to work on the design, which one process has at a time; waits for others, and takes over from those
    /// that die.
    ///
    /// - Parameter waits: told once if there is another.
    /// - Throws: `CancellationError`, or where the folder cannot be written.
    public func claim(isCancelled: () -> Bool, waits: () -> Void) throws -> PointClaim {
        try PointClaim.waited(at: path + "/claim", isCancelled: isCancelled, waits: waits)
    }

    /// The design that the folder holds; nil where it holds none.
    ///
    /// - Throws: `otherDesign` where it holds one with another request; `unreadable`, `invalid`.
    public func load(_ request: Design.Request) throws(ExperimentError) -> Design? {
        guard FileManager.default.fileExists(atPath: designPath) else { return nil }
        let design = try JSONFile.read(Design.self, from: designPath)
        if let problem = design.problem {
            throw .invalid(file: designPath, field: problem.field, expected: problem.expected)
        }
        if let difference = design.request.difference(from: request) {
            throw .otherDesign(
                folder: path, setting: difference.name, found: difference.own, requested: difference.other)
        }
        return design
    }

    public func save(_ design: Design) throws(ExperimentError) {
        try makeFolder(path)
        try JSONFile.write(design, to: designPath)
    }

    func loadProgress() throws(ExperimentError) -> DesignProgress {
        guard FileManager.default.fileExists(atPath: progressPath) else { return DesignProgress() }
        return try JSONFile.read(DesignProgress.self, from: progressPath)
    }

    func save(_ progress: DesignProgress) throws(ExperimentError) { try JSONFile.write(progress, to: progressPath) }
}
