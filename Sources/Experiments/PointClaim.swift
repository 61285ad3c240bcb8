import Dispatch
import Foundation
import Synchronization

/// The right to train one point, held by one process at a time among all that share a folder.
///
/// A claim is the folder `claims/<id>/<generation>`, and the highest generation counts. To claim is to make the next
/// generation, which mkdir lets one process do; generations are never removed, so a process that judged an old claim
/// dead can never remove a new one. A thread touches `heartbeat` while the claim is held, and a claim whose heartbeat
/// is older than the lease, by the clock of the file system, may be succeeded.
public final class PointClaim: Sendable {
    /// Who holds a claim.
    public struct Owner: Codable, Hashable, Sendable {
        public var hostName: String
        public var process: Int32
        public var started: Date
        /// Tells apart processes of equal numbers after a restart or in another container.
        var identity: String?
    }

    public struct Lease: Hashable, Sendable {
        /// A heartbeat older than this is that of a dead process.
        public var seconds: Double
        public var heartbeatSeconds: Double

        public init(seconds: Double = 60, heartbeatSeconds: Double = 5) {
            self.seconds = seconds
            self.heartbeatSeconds = heartbeatSeconds
        }
    }

    public enum Attempt {
        case claimed(PointClaim)
        /// Nil if the holder has not written its name yet.
        case held(by: Owner?)
    }

    private let folder: ClaimFolder
    private let generation: Int
    private let succeeded = Atomic<Bool>(false)
    private let stop = DispatchSemaphore(value: 0)

    /// - Parameter path: the folder of the point's claims; made if needed.
    public static func attempt(at path: String, lease: Lease = Lease()) throws(ExperimentError) -> Attempt {
        try makeFolder(path)
        let folder = ClaimFolder(path: path)
        while true {
            let current = try folder.latestGeneration()
            if current > 0, try folder.isAlive(current, lease: lease) {
                return .held(by: folder.owner(of: current))
            }
            if try folder.make(current + 1) {
                return .claimed(try PointClaim(folder: folder, generation: current + 1, lease: lease))
            }
        }
    }

    /// Waits for others, and takes over from those that die.
    ///
    /// - Parameter waits: told once if there is another.
    /// - Throws: `CancellationError`, or where the folder cannot be written.
    static func waited(
        at path: String, isCancelled: () -> Bool, waits: () -> Void = {}
    ) throws -> PointClaim {
        let lease = Lease()
        var hasWaited = false
        while true {
            if case .claimed(let claim) = try attempt(at: path, lease: lease) { return claim }
            if !hasWaited { waits() }
            hasWaited = true
            if isCancelled() { throw CancellationError() }
            Thread.sleep(forTimeInterval: lease.heartbeatSeconds / 5)
        }
    }

    private init(folder: ClaimFolder, generation: Int, lease: Lease) throws(ExperimentError) {
        self.folder = folder
        self.generation = generation
        try folder.writeOwner(of: generation)
        folder.touchHeartbeat(of: generation)
        let thread = Thread { [weak self, stop] in
            while stop.wait(timeout: .now() + lease.heartbeatSeconds) == .timedOut {
                guard let self else { return }
                self.beat()
            }
        }
        thread.name = "claim heartbeat"
        thread.start()
    }

    deinit { stop.signal() }

    /// False once another process is known to have taken over, because this one was stopped for longer than its lease.
    public var isHeld: Bool {
        !succeeded.load(ordering: .acquiring)
    }

    /// Looks whether another process has taken over by now; `isHeld` knows only since the last heartbeat.
    public func confirm() -> Bool {
        if folder.exists(generation + 1) { succeeded.store(true, ordering: .releasing) }
        return isHeld
    }

    /// Lets others claim the point at once.
    public func release() {
        stop.signal()
        folder.markReleased(generation)
    }

    private func beat() {
        if confirm() { folder.touchHeartbeat(of: generation) }
    }
}
