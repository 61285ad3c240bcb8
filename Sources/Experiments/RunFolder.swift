import Foundation
import GossamerModelFiles

/// The folder of one run, the only truth of that run.
public struct RunFolder: Hashable, Sendable {
    public let path: String

    /// A folder that exists already, or that `create` or `save` will make.
    public init(path: String) {
        self.path = withoutLastSlash(path)
    }

    /// What was run and what came of it.
    public var recordPath: String { path + "/run.json" }
    /// One JSON object a line, in the order of the epochs.
    public var metricsPath: String { path + "/metrics.jsonl" }
    public var modelPath: String { path + "/model.safetensors" }
    public var checkpointPath: String { path + "/checkpoint" }

    /// Makes an empty run folder.
    ///
    /// - Parameter force: replace the run that the folder holds; only the files of the run are removed.
    /// - Throws: `runExists`, `unwritable`.
    public static func create(at path: String, force: Bool = false) throws(ExperimentError) -> RunFolder {
        let folder = RunFolder(path: path)
        if folder.holdsRun {
            guard force else { throw .runExists(folder: path) }
            try folder.clear()
        }
        try makeFolder(folder.path)
        return folder
    }

    /// Whether the folder holds any file of a run.
    public var holdsRun: Bool {
        entries.contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether a run has been recorded here.
    public var hasRecord: Bool { FileManager.default.fileExists(atPath: recordPath) }

    /// Removes the files of the run, the record last, and leaves all others.
    public func clear() throws(ExperimentError) {
        for entry in entries where FileManager.default.fileExists(atPath: entry) {
            do {
                try FileManager.default.removeItem(atPath: entry)
            } catch {
                throw .unwritable(file: entry, reason: "it could not be removed")
            }
        }
    }

    /// Removes what a killed process left while it wrote these files. No other process may be writing them.
    func removeRemains() {
        for file in [modelPath, metricsPath, eventsPath, recordPath] { AtomicFile.removeRemains(of: file) }
    }

    private var entries: [String] { [checkpointPath, modelPath, metricsPath, eventsPath, recordPath] }

    /// - Throws: `unreadable`, or `invalid` with the field.
    public func load() throws(ExperimentError) -> RunRecord {
        let record = try JSONFile.read(RunRecord.self, from: recordPath)
        if let problem = record.problem {
            throw .invalid(file: recordPath, field: problem.field, expected: problem.expected)
        }
        return record
    }

    /// Replaces `run.json` by a whole new one.
    public func save(_ record: RunRecord) throws(ExperimentError) {
        try makeFolder(path)
        try JSONFile.write(record, to: recordPath)
    }
}

func withoutLastSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
}

/// Makes a folder and those around it.
func makeFolder(_ path: String) throws(ExperimentError) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw .unwritable(file: path, reason: "the folder could not be made")
    }
}
