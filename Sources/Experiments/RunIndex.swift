import Foundation
import GRDB

/// A local SQLite index over run folders, which makes queries over many runs fast.
///
/// The folders stay the only truth: the index may be deleted at any time, is rebuilt from the folders, and is remade
/// without a word if it is damaged or of an older schema. It belongs to one machine and never lies in a folder that
/// several share.
public final class RunIndex: Sendable {
    /// A run and where it lies.
    public struct Entry: Hashable, Sendable {
        public let folder: RunFolder
        public let record: RunRecord
    }

    public struct Refresh: Hashable, Sendable {
        public var added = 0
        public var updated = 0
        public var removed = 0
        public var unchanged = 0
        /// Runs whose record cannot be read.
        public var problems: [ExperimentError] = []
    }

    /// Also changes with the format of the records it holds.
    static let schemaVersion = 1000 + RunRecord.currentFormatVersion
    private let database: DatabaseQueue
    private let path: String

    /// - Parameter cacheFolder: a folder of this machine, made if needed; `runs.sqlite` in it belongs to the index.
    public init(cacheFolder: String) throws(ExperimentError) {
        try makeFolder(cacheFolder)
        path = cacheFolder + "/runs.sqlite"
        do {
            do {
                database = try Self.open(path)
            } catch let error as DatabaseError where !Self.isOutside(error) {
                Self.delete(path)
                database = try Self.open(path)
            }
        } catch {
            throw .unwritable(file: path, reason: "the index could not be opened (\(error))")
        }
    }

    /// An index in memory only, for where no file of it can be written.
    public init() throws(ExperimentError) {
        path = "the index in memory"
        do {
            database = try DatabaseQueue()
            try database.write { try Self.prepare($0) }
        } catch {
            throw .unwritable(file: path, reason: "\(error)")
        }
    }

    /// Whether the cause lies outside the file, such as another process or the disk: no reason to remake the index.
    private static func isOutside(_ error: DatabaseError) -> Bool {
        let causes: [ResultCode] = [
            .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_NOMEM,
        ]
        return causes.contains(error.resultCode)
    }

    /// Throws if the database is damaged or of another schema.
    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { database in
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
            if isEmpty {
                try prepare(database)
            } else if try version != schemaVersion || String.fetchOne(database, sql: "PRAGMA quick_check") != "ok" {
                throw DatabaseError(resultCode: .SQLITE_SCHEMA)
            }
        }
        return queue
    }

    private static func prepare(_ database: Database) throws {
        try database.execute(sql: schema)
        try database.execute(sql: "PRAGMA user_version = \(schemaVersion)")
    }

    private static let schema = """
        CREATE TABLE run (
            path TEXT PRIMARY KEY,
            stamp TEXT NOT NULL,
            network TEXT NOT NULL,
            data TEXT NOT NULL,
            method TEXT NOT NULL,
            status TEXT NOT NULL,
            record TEXT NOT NULL
        );
        CREATE INDEX run_by_question ON run (network, data, method);
        """

    private static func delete(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
        }
    }

    /// Forgets everything and reads all run folders in the tree.
    public func rebuild(from root: String) throws(ExperimentError) -> Refresh {
        try perform { try $0.execute(sql: "DELETE FROM run") }
        return try refresh(from: root)
    }

    /// Reads what is new or changed in a tree of folders, and forgets what is no longer there.
    public func refresh(from root: String) throws(ExperimentError) -> Refresh {
        let root = URL(fileURLWithPath: root).standardizedFileURL.path
        let found = RunTree.stamps(under: root)
        let known = try perform { database in
            // GLOB and LIKE would take signs of the path for patterns.
            try Row.fetchAll(
                database, sql: "SELECT path, stamp FROM run WHERE path = ? OR substr(path, 1, length(?)) = ?",
                arguments: [root, root + "/", root + "/"]
            ).reduce(into: [String: String]()) { $0[$1["path"]] = $1["stamp"] }
        }
        var refresh = Refresh()
        var entries: [(path: String, stamp: String, record: RunRecord)] = []
        var gone = known.keys.filter { found[$0] == nil }
        for (path, stamp) in found.sorted(by: { $0.key < $1.key }) {
            if known[path] == stamp {
                refresh.unchanged += 1
                continue
            }
            do throws(ExperimentError) {
                entries.append((path, stamp, try RunFolder(path: path).load()))
                if known[path] == nil { refresh.added += 1 } else { refresh.updated += 1 }
            } catch {
                refresh.problems.append(error)
                if known[path] != nil { gone.append(path) }
            }
        }
        refresh.removed = gone.count
        try store(entries, removing: gone)
        return refresh
    }

    /// The runs that match, in the order of their paths.
    public func runs(
        network: String? = nil, data: String? = nil, method: RunConfiguration.Method? = nil,
        status: RunRecord.Status? = nil
    ) throws(ExperimentError) -> [Entry] {
        let rows = try perform { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT path, record FROM run
                    WHERE (:network IS NULL OR network = :network) AND (:data IS NULL OR data = :data)
                        AND (:method IS NULL OR method = :method) AND (:status IS NULL OR status = :status)
                    ORDER BY path
                    """,
                arguments: [
                    "network": network, "data": data, "method": method?.rawValue, "status": status?.rawValue,
                ]
            ).map { (path: $0["path"] as String, record: $0["record"] as String) }
        }
        let decoder = JSONFile.decoder
        return rows.compactMap { row in
            (try? decoder.decode(RunRecord.self, from: Data(row.record.utf8)))
                .map { Entry(folder: RunFolder(path: row.path), record: $0) }
        }
    }

    private func store(
        _ entries: [(path: String, stamp: String, record: RunRecord)], removing gone: [String]
    ) throws(ExperimentError) {
        try perform { database in
            for path in gone { try database.execute(sql: "DELETE FROM run WHERE path = ?", arguments: [path]) }
            for entry in entries {
                let configuration = entry.record.configuration
                let text = String(decoding: try JSONFile.encoder().encode(entry.record), as: UTF8.self)
                try database.execute(
                    sql: "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        entry.path, entry.stamp, configuration.network, configuration.data,
                        configuration.method.rawValue, entry.record.status.rawValue, text,
                    ])
            }
        }
    }

    private func perform<Result>(_ body: (Database) throws -> Result) throws(ExperimentError) -> Result {
        do {
            return try database.write(body)
        } catch {
            throw .unwritable(file: path, reason: "\(error)")
        }
    }
}
