#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A lock with events to wait for; every event is waited for and announced with the lock held.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let events: UnsafeMutablePointer<pthread_cond_t>
    private let eventCount: Int

    init(eventCount: Int) {
        self.eventCount = eventCount
        events = .allocate(capacity: eventCount)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        for event in 0 ..< eventCount {
            (events + event).initialize(to: pthread_cond_t())
            pthread_cond_init(events + event, nil)
        }
    }

    deinit {
        for event in 0 ..< eventCount { pthread_cond_destroy(events + event) }
        pthread_mutex_destroy(mutex)
        events.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Releases the lock until the event is announced; may return early, so test the condition again.
    func wait(for event: Int) { pthread_cond_wait(events + event, mutex) }

    func announce(_ event: Int) { pthread_cond_broadcast(events + event) }
}

/// Processors that are online.
var availableCores: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// A thread that runs a closure once.
struct WorkerThread: Sendable {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        final class Work {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        #if canImport(Darwin)
        var created: pthread_t?
        let status = pthread_create(&created, nil, { work in
            Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
            return nil
        }, work)
        #else
        var created: pthread_t? = pthread_t()
        let status = pthread_create(&created!, nil, { work in
            Unmanaged<Work>.fromOpaque(work!).takeRetainedValue().body()
            return nil
        }, work)
        #endif
        guard status == 0, let created else { fatalError("cannot start a thread: error \(status)") }
        handle = created
    }

    /// Waits for the end of the closure.
    func join() { pthread_join(handle, nil) }
}
