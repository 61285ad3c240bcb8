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
    private let callers = Mutex(())

    /// - Parameter threads: 1 or more; with 1 everything runs on the caller's thread.
    public init(threads: Int) {
        precondition(threads >= 1, "a pool needs a thread")
        threadCount = threads
        shared = Shared()
        for worker in 1 ..< max(1, threads) {
            let thread = Thread { [shared] in shared.work(worker: worker) }
            thread.stackSize = 1 << 20
            thread.name = "gossamer-\(worker)"
            thread.start()
        }
        shared.expectedWorkers = threads - 1
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
        callers.withLock { _ in
            withoutActuallyEscaping(body) { body in
                shared.run(Job(count: count, body: body))
            }
        }
    }
}

/// One job: its units and what to do with each.
private struct Job: @unchecked Sendable {
    let count: Int
    // Only called while `ThreadPool.run` waits for the job, on behalf of its caller.
    let body: (Int, Int) -> Void
}

/// What the pool's threads share.
private final class Shared: @unchecked Sendable {
    private let generation = Atomic<Int>(0)
    private let nextUnit = Atomic<Int>(0)
    private let busyWorkers = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let wake = NSCondition()
    // Written by the caller before `generation` is released, read by workers after it is acquired.
    private var job: Job?
    var expectedWorkers = 0

    func run(_ job: Job) {
        self.job = job
        nextUnit.store(0, ordering: .relaxed)
        busyWorkers.store(expectedWorkers, ordering: .relaxed)
        generation.add(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            wake.lock()
            wake.broadcast()
            wake.unlock()
        }
        take(job, worker: 0)
        var spins = 0
        while busyWorkers.load(ordering: .acquiring) > 0 {
            spins += 1
            if spins % 4096 == 0 { sched_yield() } else { gsm_pause() }
        }
        self.job = nil
    }

    func work(worker: Int) {
        var seen = 0
        while true {
            seen = waitForJob(after: seen)
            if isStopping.load(ordering: .acquiring) { return }
            if let job { take(job, worker: worker) }
            busyWorkers.subtract(1, ordering: .acquiringAndReleasing)
        }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        generation.add(1, ordering: .sequentiallyConsistent)
        wake.lock()
        wake.broadcast()
        wake.unlock()
    }

    private func take(_ job: Job, worker: Int) {
        while true {
            let unit = nextUnit.add(1, ordering: .relaxed).oldValue
            guard unit < job.count else { return }
            job.body(unit, worker)
        }
    }

    private func waitForJob(after seen: Int) -> Int {
        for _ in 0 ..< 20_000 {
            let current = generation.load(ordering: .acquiring)
            if current != seen { return current }
            gsm_pause()
        }
        wake.lock()
        defer { wake.unlock() }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .relaxed) }
        while true {
            let current = generation.load(ordering: .sequentiallyConsistent)
            if current != seen { return current }
            wake.wait()
        }
    }
}
