import CGossamerKernels
import Synchronization

/// Keeps the threads of a pool on different processors.
///
/// Threads that wait for each other thousands of times a second can stay on one processor for many seconds while
/// another is idle: some systems move a thread only after a longer wait. A thread that finds itself where an earlier
/// one of its pool sits asks to be moved; afterwards it may run anywhere again. Does nothing but on Linux.
final class ProcessorSeats: Sendable {
    private final class Seat: Sendable {
        let processor = Atomic<Int>(-1)
    }

    private let seats: [Seat]

    init(threads: Int) { seats = (0 ..< threads).map { _ in Seat() } }

    /// Notes where the calling thread runs, and moves it if it must.
    func take(worker: Int) {
        let processor = Int(gsm_current_processor())
        seats[worker].processor.store(processor, ordering: .relaxed)
        guard processor >= 0, seats[..<worker].contains(where: { $0.processor.load(ordering: .relaxed) == processor })
        else { return }
        let taken = seats.map { Int32($0.processor.load(ordering: .relaxed)) }
        gsm_leave_processors(taken, Int32(taken.count))
        seats[worker].processor.store(Int(gsm_current_processor()), ordering: .relaxed)
    }
}
