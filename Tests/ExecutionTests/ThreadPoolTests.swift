import Foundation
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 8]) func everyUnitRunsOnce(threads: Int) {
        let pool = ThreadPool(threads: threads)
        for count in [0, 1, 2, 3, 7, 64, 1000] {
            let runs = Counts(count)
            pool.run(count) { unit, _ in runs.add(unit) }
            #expect(runs.values == [Int](repeating: 1, count: count))
        }
    }

    /// Jobs follow each other while threads still spin, and after they have gone to sleep.
    @Test func manySmallJobs() {
        let pool = ThreadPool(threads: 3)
        let runs = Counts(5)
        for job in 0 ..< 20_000 {
            pool.run(5) { unit, _ in runs.add(unit) }
            if job % 4000 == 0 { usleep(20_000) }
        }
        #expect(runs.values == [Int](repeating: 20_000, count: 5))
    }

    /// Workspaces belong to workers, so that two units of one worker must never run at the same time.
    @Test func aWorkerRunsOneUnitAtATime() {
        let pool = ThreadPool(threads: 4)
        let busy = Counts(4)
        let collisions = Atomic<Int>(0)
        for _ in 0 ..< 200 {
            pool.run(50) { _, worker in
                if busy.add(worker) != 0 { collisions.add(1, ordering: .relaxed) }
                for _ in 0 ..< 50 { _ = busy.values[worker] }
                busy.subtract(worker)
            }
        }
        #expect(collisions.load(ordering: .relaxed) == 0)
    }

    @Test func poolsComeAndGo() {
        for round in 0 ..< 300 {
            let pool = ThreadPool(threads: 1 + round % 4)
            guard round % 3 > 0 else { continue }
            let runs = Counts(9)
            pool.run(9) { unit, _ in runs.add(unit) }
            #expect(runs.values == [Int](repeating: 1, count: 9))
        }
    }

    /// What the caller wrote before a job is seen by its units, and what they wrote by the caller.
    @Test func unitsSeeTheirCallersWrites() {
        let pool = ThreadPool(threads: 3)
        let numbers = AlignedBuffer<Int>(count: 600)
        let pointer = Unchecked(numbers.pointer)
        for round in 1 ... 500 {
            for index in 0 ..< 600 { numbers[index] = round }
            pool.run(600) { unit, _ in pointer.value[unit] += unit }
            #expect((0 ..< 600).allSatisfy { numbers[$0] == round + $0 })
        }
    }

    @Test func plansOnSeveralThreadsShareAPool() throws {
        let pool = ThreadPool(threads: 3)
        var generator = SeededGenerator(seed: 5)
        let network = RandomNetwork.draw(using: &generator)
        let seed = generator.next()
        let images = generator.bells(20 * network.inputShape.count)
        let expected = try Self.outputs(network, seed: seed, images, pool: ThreadPool(threads: 1))
        let wrong = Atomic<Int>(0)
        let callers = (0 ..< 4).map { _ in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                for _ in 0 ..< 20 where (try? Self.outputs(network, seed: seed, images, pool: pool)) != expected {
                    wrong.add(1, ordering: .relaxed)
                }
                done.signal()
            }
            return done
        }
        for done in callers { done.wait() }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    private static func outputs(
        _ network: Network, seed: UInt64, _ images: [Float], pool: ThreadPool
    ) throws -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let parameters = Parameters(drawing: network, using: &generator)
        var plan = try InferencePlan(network, parameters: parameters, capacity: 20, pool: pool)
        return plan(images)
    }
}

/// Counters that units on several threads add to.
private final class Counts: Sendable {
    private let storage: Unchecked<UnsafeMutablePointer<Atomic<Int>>>
    private let count: Int

    init(_ count: Int) {
        self.count = count
        let pointer = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: count)
        for index in 0 ..< count { (pointer + index).initialize(to: Atomic(0)) }
        storage = Unchecked(pointer)
    }

    deinit {
        storage.value.deinitialize(count: count)
        storage.value.deallocate()
    }

    /// Returns the count before.
    @discardableResult func add(_ index: Int) -> Int { storage.value[index].add(1, ordering: .relaxed).oldValue }
    func subtract(_ index: Int) { storage.value[index].subtract(1, ordering: .relaxed) }
    var values: [Int] { (0 ..< count).map { storage.value[$0].load(ordering: .relaxed) } }
}

private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
