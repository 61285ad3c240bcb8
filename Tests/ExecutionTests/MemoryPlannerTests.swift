import GossamerExecution
import GossamerTensors
import GossamerTestSupport
import Testing

@Suite struct MemoryPlannerTests {
    private struct Buffer {
        let number: Int
        let count: Int
        var steps: ClosedRange<Int>

        func isAliveWith(_ other: Buffer) -> Bool { steps.overlaps(other.steps) }
    }

    @Test func buffersAliveTogetherNeverOverlap() {
        forEachCase("buffersAliveTogetherNeverOverlap", count: 300) { generator, replay in
            var planner = MemoryPlanner()
            let buffers = Self.draw(&planner, &generator)
            let (offsets, end) = planner.place()
            for (index, buffer) in buffers.enumerated() {
                let place = offsets[buffer.number] ..< offsets[buffer.number] + buffer.count
                #expect(place.lowerBound % 16 == 0 && place.upperBound <= end, "\(replay)")
                for other in buffers[..<index] where buffer.isAliveWith(other) {
                    let taken = offsets[other.number] ..< offsets[other.number] + other.count
                    #expect(!place.overlaps(taken), "\(replay)")
                }
            }
        }
    }

    /// The arena is at least as large as what is alive at one step, and not much larger than that on the whole.
    @Test func memoryIsReused() {
        var arenas = 0, needs = 0, sums = 0
        forEachCase("memoryIsReused", count: 300) { generator, replay in
            var planner = MemoryPlanner()
            let buffers = Self.draw(&planner, &generator)
            let end = planner.place().count
            func rounded(_ buffer: Buffer) -> Int { (buffer.count + 15) / 16 * 16 }
            let need = (0 ... 60).map { step in
                buffers.reduce(0) { $1.steps.contains(step) ? $0 + rounded($1) : $0 }
            }.max()!
            #expect(end >= need, "\(replay)")
            arenas += end
            needs += need
            sums += buffers.reduce(0) { $0 + rounded($1) }
        }
        #expect(Double(arenas) < 1.25 * Double(needs))
        #expect(Double(arenas) < 0.6 * Double(sums))
    }

    @Test func aChainNeedsTwoBuffers() {
        var planner = MemoryPlanner()
        for step in 0 ..< 10 {
            let buffer = planner.add(count: 160, at: step)
            planner.extend(buffer, to: step + 1)
        }
        #expect(planner.place().count == 320)
    }

    @Test func nothingNeedsNoMemory() { #expect(MemoryPlanner().place().count == 0) }

    private static func draw(_ planner: inout MemoryPlanner, _ generator: inout SeededGenerator) -> [Buffer] {
        (0 ..< 1 + generator.index(below: 40)).map { _ in
            let count = generator.index(below: 10) == 0 ? 0 : generator.index(below: 2000)
            let first = generator.index(below: 40)
            let second = max(0, first + generator.index(below: 20) - 4)
            let number = planner.add(count: count, at: first)
            planner.extend(number, to: second)
            return Buffer(number: number, count: count, steps: min(first, second) ... max(first, second))
        }
    }
}
