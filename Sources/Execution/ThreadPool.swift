import CGossamerKernels
import Foundation
import Synchronization

/// A fixed set of threads that run the units of one job at a time; plans borrow it.
///
/// Idle threads spin for some tens of microseconds, since the next layer follows at once, and then sleep. Which thread
/// runs which unit is not determined; callers make units whose results do not depend on it.
public final class ThreadPool: Sendable {
    /// Threads that work on a job, the caller's included.
    public let threadCount: Int
    private let shared: Shared
    // Not a Mutex of Synchronization, which the thread sanitizer does not see.
    private let callers = NSLock()

    /// - Parameter threads: 1 or more; with 1 everything runs on the caller's thread.
    public init(threads: Int) {
        precondition(threads >= 1, "a pool needs a thread")
        threadCount = threads
        shared = Shared(threads: threads)
        for worker in 1 ..< max(1, threads) {
            let thread = Thread { [shared] in shared.work(worker: worker) }
            thread.stackSize = 1 << 20
            thread.name = "gossamer-\(worker)"
            thread.start()
        }
    }

    /// Cores of this machine that the process may use.
    public static var availableCores: Int { ProcessInfo.processInfo.activeProcessorCount }

    deinit { shared.stop() }

    /// Calls `body(unit, worker)` once for every unit in 0 ..< count and returns when all have returned.
    /// `worker` is in 0 ..< threadCount and never used by two units at the same time.
    public func run(_ count: Int, _ body: (_ unit: Int, _ worker: Int) -> Void) {
        if threadCount == 1 || count <= 1 {
            for unit in 0 ..< count { body(unit, 0) }
            return
        }
        callers.withLock {
            withoutActuallyEscaping(body) { body in
                withUnsafePointer(to: body) { shared.run(Job(count: count, body: $0)) }
            }
        }
    }
}

/// One job: its units and what to do with each.
private struct Job {
    let count: Int
    let body: UnsafePointer<(Int, Int) -> Void>

    /// On its own, so that no reference to the body is left when it returns.
    @inline(never) func perform(_ unit: Int, worker: Int) { body.pointee(unit, worker) }
}

/// What the pool's threads share.
///
/// A job ends with its last unit, not with its last thread: a thread that sleeps, or that the system has taken off its
/// core, holds nobody up unless it has a unit in hand.
private final class Shared: @unchecked Sendable {
    /// The number of the job in the upper half and how many units nobody has taken yet in the lower one. The number
    /// keeps a late thread from mistaking a new job for the one that it saw.
    private let ticket = Atomic<UInt64>(0)
    private let finishedUnits = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let wake = NSCondition()
    private let seats: ProcessorSeats
    // Written before `ticket` is released; read only with a unit in hand, while the caller waits.
    private var job: Job?
    private var jobNumber: UInt64 = 0

    init(threads: Int) { seats = ProcessorSeats(threads: threads) }

    func run(_ job: Job) {
        seats.take(worker: 0)
        self.job = job
        finishedUnits.store(0, ordering: .relaxed)
        jobNumber = (jobNumber + 1) & 0xffff_ffff
        ticket.store(jobNumber << 32 | UInt64(UInt32(job.count)), ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            wake.lock()
            wake.broadcast()
            wake.unlock()
        }
        takeUnits(worker: 0)
        while !spin(for: Self.patience, until: { finishedUnits.load(ordering: .acquiring) == job.count }) {
            // A thread that is waited for may want this very core.
            sched_yield()
        }
        self.job = nil
    }

    func work(worker: Int) {
        while waitForUnits() {
            seats.take(worker: worker)
            takeUnits(worker: worker)
        }
    }

    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wake.lock()
        wake.broadcast()
        wake.unlock()
    }

    private func takeUnits(worker: Int) {
        while let left = takeUnit() {
            let job = job!
            job.perform(job.count - left, worker: worker)
            finishedUnits.add(1, ordering: .acquiringAndReleasing)
        }
    }

    /// - Returns: how many units were left with the one that the caller now has; nil when there are none.
    private func takeUnit() -> Int? {
        var seen = ticket.load(ordering: .acquiring)
        while seen & 0xffff_ffff > 0 {
            let (taken, current) = ticket.weakCompareExchange(
                expected: seen, desired: seen - 1, successOrdering: .acquiringAndReleasing,
                failureOrdering: .acquiring)
            if taken { return Int(seen & 0xffff_ffff) }
            seen = current
        }
        return nil
    }

    private var hasUnits: Bool { ticket.load(ordering: .sequentiallyConsistent) & 0xffff_ffff > 0 }

    /// How long a thread spins at a time. The next layer follows within microseconds, the next image a little later.
    private static let patience = Duration.microseconds(50)

    /// - Returns: whether the condition came true in time. A pause takes 40 cycles on some processors and 140 on
    ///   others: the clock decides.
    private func spin(for patience: Duration, until condition: () -> Bool) -> Bool {
        for _ in 0 ..< 64 {
            if condition() { return true }
            gsm_pause()
        }
        let end = ContinuousClock.now + patience
        repeat {
            for _ in 0 ..< 16 {
                if condition() { return true }
                gsm_pause()
            }
        } while ContinuousClock.now < end
        return false
    }

    /// - Returns: false when the pool is gone.
    private func waitForUnits() -> Bool {
        let isAwaited = { self.hasUnits || self.isStopping.load(ordering: .relaxed) }
        for _ in 0 ..< 4 {
            if spin(for: Self.patience, until: isAwaited) { return !isStopping.load(ordering: .relaxed) }
            sched_yield()
        }
        wake.lock()
        defer { wake.unlock() }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .relaxed) }
        while true {
            if isStopping.load(ordering: .sequentiallyConsistent) { return false }
            if hasUnits { return true }
            wake.wait()
        }
    }
}
