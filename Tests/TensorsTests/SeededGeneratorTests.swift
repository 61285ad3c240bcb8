import GossamerTensors
import Testing

@Suite struct SeededGeneratorTests {
    @Test func sameSeedAndKeysRepeat() {
        var first = SeededGenerator(seed: 7, keys: 1, 2)
        var second = SeededGenerator(seed: 7, keys: 1, 2)
        #expect((0 ..< 100).map { _ in first.next() } == (0 ..< 100).map { _ in second.next() })
    }

    @Test func differentKeysDiffer() {
        let keys: [[UInt64]] = [[], [0], [1], [0, 1], [1, 0]]
        let values = keys.map { keys in
            var generator = SeededGenerator(seed: 7, keys: keys)
            return generator.next()
        }
        #expect(Set(values).count == values.count)
    }

    @Test(arguments: [(0, 1), (1, 1), (3, 10), (10, 10), (7, 1000)])
    func samplesAreDistinctAndInRange(count: Int, bound: Int) {
        var generator = SeededGenerator(seed: 3)
        for _ in 0 ..< 50 {
            let sample = generator.sample(count, below: bound)
            #expect(sample.count == count)
            #expect(Set(sample).count == count)
            #expect(sample == sample.sorted())
            #expect(sample.allSatisfy { (0 ..< bound).contains($0) })
        }
    }

    @Test func samplesAreUniform() {
        var generator = SeededGenerator(seed: 5)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0 ..< 10_000 { for value in generator.sample(3, below: 10) { counts[value] += 1 } }
        // Each value is expected 3000 times with a standard deviation of 46.
        #expect(counts.allSatisfy { abs($0 - 3000) < 250 })
    }

    /// The streams are part of the file format: a stored seed must draw the same pattern in every version.
    @Test func streamIsStable() {
        var generator = SeededGenerator(seed: 1, keys: SeededGenerator.key("conv1"))
        #expect(generator.next() == 14_772_098_862_375_973_040)
    }
}
