import Foundation

/// What the trials of earlier plans found, kept in a file: a layer of a known shape gets its kernel without being
/// tried again.
public final class KernelCache: Sendable {
    /// The milliseconds of each kernel that was tried.
    typealias Times = [String: Double]

    private let file: MachineFile<Times>
    private let warn: @Sendable (String) -> Void
    private let lock = NSLock()
    // By group. Guarded by the lock.
    nonisolated(unsafe) private var known: [String: [String: Times]] = [:]
    nonisolated(unsafe) private var fresh: [String: [String: Times]] = [:]
    nonisolated(unsafe) private var hasWarned = false

    /// - Parameters:
    ///   - path: of the file, which need not exist; a broken one is ignored and written again.
    ///   - warn: gets one line where the file cannot be read or written.
    public init(path: String, warn: @escaping @Sendable (String) -> Void = { _ in }) {
        file = MachineFile(path: path, format: "gossamer kernels 1")
        self.warn = warn
    }

    func times(of layer: String, in group: String) -> Times? {
        lock.withLock {
            if known[group] == nil { known[group] = file.values(of: group, warn: warnOnce) }
            return known[group]![layer]
        }
    }

    func keep(_ times: Times, of layer: String, in group: String) {
        lock.withLock {
            known[group, default: [:]][layer] = times
            fresh[group, default: [:]][layer] = times
        }
    }

    /// Writes what was kept since the last time.
    func save() {
        lock.withLock {
            for (group, layers) in fresh { file.add(layers, to: group, warn: warnOnce) }
            fresh = [:]
        }
    }

    private func warnOnce(_ line: String) {
        if !hasWarned { warn(line) }
        hasWarned = true
    }
}
