import Foundation

/// The files of a point's claims: `<generation>/owner.json`, `<generation>/heartbeat`, `<generation>/released`.
struct ClaimFolder: Sendable {
    let path: String

    private func folder(_ generation: Int) -> String { "\(path)/\(generation)" }
    private func heartbeat(_ generation: Int) -> String { folder(generation) + "/heartbeat" }
    private func released(_ generation: Int) -> String { folder(generation) + "/released" }
    private func ownerPath(_ generation: Int) -> String { folder(generation) + "/owner.json" }

    /// 0 if the point was never claimed.
    func latestGeneration() throws(ExperimentError) -> Int {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw .unreadable(file: path, reason: "the folder could not be listed")
        }
        // Larger names are not of this program.
        return names.compactMap(Int.init).filter { $0 < 1 << 40 }.max() ?? 0
    }

    func exists(_ generation: Int) -> Bool { FileManager.default.fileExists(atPath: folder(generation)) }

    /// False if another process was first.
    func make(_ generation: Int) throws(ExperimentError) -> Bool {
        if mkdir(folder(generation), 0o777) == 0 { return true }
        guard errno == EEXIST else {
            throw .unwritable(file: folder(generation), reason: String(cString: strerror(errno)))
        }
        return false
    }

    func isAlive(_ generation: Int, lease: PointClaim.Lease) throws(ExperimentError) -> Bool {
        if FileManager.default.fileExists(atPath: released(generation)) { return false }
        if let owner = owner(of: generation), owner.isKnownDead { return false }
        // Before its first heartbeat a claim is as old as its folder.
        guard let beat = modified(heartbeat(generation)) ?? modified(folder(generation)) else { return false }
        return try now() - beat <= lease.seconds
    }

    func owner(of generation: Int) -> PointClaim.Owner? {
        try? JSONFile.read(PointClaim.Owner.self, from: ownerPath(generation), maximumByteCount: 1 << 16)
    }

    func writeOwner(of generation: Int) throws(ExperimentError) {
        try JSONFile.write(PointClaim.Owner.current, to: ownerPath(generation))
    }

    func touchHeartbeat(of generation: Int) { touch(heartbeat(generation)) }

    func markReleased(_ generation: Int) { touch(released(generation)) }

    /// Makes the file, or sets its time to the file system's present.
    private func touch(_ file: String) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return }
        futimens(descriptor, nil)
        close(descriptor)
    }

    /// Seconds on the clock of the file system, which all machines that share it agree on.
    private func now() throws(ExperimentError) -> Double {
        let probe = "\(path)/.now-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        touch(probe)
        defer { unlink(probe) }
        guard let time = modified(probe) else {
            throw .unwritable(file: path, reason: "a file could not be made in it")
        }
        return time
    }

    /// Opened first, because a network file system asks its server then and may answer from memory otherwise.
    private func modified(_ file: String) -> Double? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension PointClaim.Owner {
    static let current = PointClaim.Owner(
        hostName: Machine.hostName(), process: getpid(), started: Date(), identity: identity(of: getpid()))

    /// True only if the owner ran on this very system and is gone: then nobody needs to wait for the lease.
    var isKnownDead: Bool {
        guard let identity, let own = Self.current.identity,
            let system = identity.split(separator: "/").first, own.hasPrefix(system + "/")
        else { return false }
        return Self.identity(of: process) != identity
    }

    /// System and process: boot identifier and process namespace, then the process's start time; nil where the system
    /// does not tell, or the process is gone.
    private static func identity(of process: Int32) -> String? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"),
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // The command, in parentheses, may hold spaces; the start time is the 20th field after it.
            let fields = status.lastIndex(of: ")").map({ status[$0...].split(separator: " ") }), fields.count > 20
        else { return nil }
        return boot.trimmingCharacters(in: .whitespacesAndNewlines) + "-" + namespace + "/" + fields[20]
    }
}
