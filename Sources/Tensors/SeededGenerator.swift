/// A small fast generator (xoshiro256**, Blackman and Vigna 2018) whose every stream follows from a seed and keys.
///
/// Randomness is keyed by what it is for, such as (seed, epoch, image), and never by the thread or the time, so that
/// results repeat whatever the number of workers.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable {
    private var a, b, c, d: UInt64

    /// - Parameters:
    ///   - seed: the run's seed.
    ///   - keys: what the stream is for; different keys give independent streams.
    public init(seed: UInt64, keys: UInt64...) {
        self.init(seed: seed, keys: keys)
    }

    public init(seed: UInt64, keys: [UInt64]) {
        var state = seed
        for key in keys {
            var mixer = SplitMix(state: state)
            state = mixer.next() ^ (key &* 0xd6e8_feb8_6659_fd93)
        }
        var mixer = SplitMix(state: state)
        (a, b, c, d) = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
    }

    public mutating func next() -> UInt64 {
        let result = rotate(b &* 5, 7) &* 9
        let shifted = b << 17
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = rotate(d, 45)
        return result
    }

    /// Uniform in [0, 1).
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Uniform in 0 ..< bound, without bias.
    public mutating func index(below bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// `count` distinct values of 0 ..< bound, in ascending order (Floyd's algorithm).
    public mutating func sample(_ count: Int, below bound: Int) -> [Int] {
        precondition(count <= bound)
        guard count < bound / 32 else { return sampleMany(count, below: bound) }
        var chosen = Set<Int>(minimumCapacity: count)
        for last in bound - count ..< bound {
            let candidate = index(below: last + 1)
            chosen.insert(chosen.contains(candidate) ? last : candidate)
        }
        return chosen.sorted()
    }

    /// As `sample`, with the same draws, in memory for each possible value.
    private mutating func sampleMany(_ count: Int, below bound: Int) -> [Int] {
        var isChosen = [Bool](repeating: false, count: bound)
        for last in bound - count ..< bound {
            let candidate = index(below: last + 1)
            isChosen[isChosen[candidate] ? last : candidate] = true
        }
        return isChosen.indices.filter { isChosen[$0] }
    }

    private func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
}

/// SplitMix64, which spreads a seed over the generator's state.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension SeededGenerator {
    /// A key for a name, stable across versions and machines (FNV-1a).
    public static func key(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
