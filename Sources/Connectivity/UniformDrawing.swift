import GossamerTensors

extension ConnectionRequest {
    /// Rows of given fan-in, drawn uniformly over all readers together so that every channel in need gets a reader as
    /// long as there are slots: first a random covering, the most needed channels first, then uniform filling.
    ///
    /// - Parameters:
    ///   - block: groups of so many filters of a reader share one subset; the last group may be smaller.
    ///   - fanIn: the channels that each filter of a reader reads, 0 to `channels`.
    /// - Returns: rows as ``ConnectionPattern/draw(_:using:)`` returns them.
    public func uniformRows(
        block: Int = 1, using generator: inout SeededGenerator, fanIn: (Reader) -> Int
    ) -> [[[Int]]] {
        precondition(block >= 1, "a block has at least one filter")
        let fanIns = readers.map(fanIn)
        precondition(fanIns.allSatisfy { (0 ... channels).contains($0) }, "a fan-in lies in 0 ... channels")
        let groupCounts = readers.map { ($0.filters.count + block - 1) / block }
        let groupFanIns = zip(fanIns, groupCounts).flatMap { Array(repeating: $0, count: $1) }
        let covering = cover(groupFanIns, using: &generator)
        var rows: [[Int]] = []
        rows.reserveCapacity(groupFanIns.count)
        for (covered, fanIn) in zip(covering, groupFanIns) {
            rows.append(fill(covered, to: fanIn, using: &generator))
        }
        var firstGroup = 0
        return zip(readers, groupCounts).map { reader, count in
            defer { firstGroup += count }
            return reader.filters.indices.map { rows[firstGroup + $0 / block] }
        }
    }

    /// Deals the channels in need to the slots of the groups, at random.
    private func cover(_ groupFanIns: [Int], using generator: inout SeededGenerator) -> [[Int]] {
        var slots = groupFanIns.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
        generator.shuffle(&slots)
        let order = Self.channels(needs, [.vital, .some], using: &generator)
        var covering = [[Int]](repeating: [], count: groupFanIns.count)
        for (channel, slot) in zip(order, slots) { covering[slot].append(channel) }
        return covering
    }

    /// Adds channels drawn uniformly from those that the row does not hold yet.
    private func fill(_ covered: [Int], to fanIn: Int, using generator: inout SeededGenerator) -> [Int] {
        let held = covered.sorted()
        var next = held.startIndex
        var row = held
        // The drawn ranks count the free channels only; each held channel passed shifts them by one.
        for rank in generator.sample(fanIn - held.count, below: channels - held.count) {
            while next < held.endIndex, held[next] - next <= rank { next += 1 }
            row.append(rank + next)
        }
        return row.sorted()
    }
}

extension ConnectionRequest {
    /// The channels of some needs, one need after another and each in random order.
    static func channels(
        _ needs: [Need], _ order: [Need], using generator: inout SeededGenerator
    ) -> [Int] {
        order.flatMap { need in
            var members = needs.indices.filter { needs[$0] == need }
            generator.shuffle(&members)
            return members
        }
    }
}

extension SeededGenerator {
    /// Fisher and Yates's shuffle, written out so that a seed gives the same order with every standard library.
    package mutating func shuffle<Element>(_ values: inout [Element]) {
        guard values.count > 1 else { return }
        for last in (1 ..< values.count).reversed() { values.swapAt(last, index(below: last + 1)) }
    }
}
