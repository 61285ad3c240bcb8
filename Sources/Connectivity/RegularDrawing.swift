import GossamerTensors

extension ConnectionRequest {
    /// Rows of given fan-in in which the channels of each reader have equal fan-out, give or take one.
    ///
    /// The channels are dealt like cards: decks that hold every channel once, in random order, after a first, partial
    /// one of the channels with the most need of a reader. A group that a deck's end leaves short goes on with the next
    /// deck, and passes over cards that it holds already.
    ///
    /// - Parameters:
    ///   - block: groups of so many filters of a reader share one subset; the last group may be smaller.
    ///   - fanIn: the channels that each filter of a reader reads, 0 to `channels`.
    /// - Returns: rows as ``ConnectionPattern/draw(_:using:)`` returns them.
    public func regularRows(
        block: Int = 1, using generator: inout SeededGenerator, fanIn: (Reader) -> Int
    ) -> [[[Int]]] {
        precondition(block >= 1, "a block has at least one filter")
        var needs = needs
        return readers.map { reader in
            let size = fanIn(reader)
            precondition((0 ... channels).contains(size), "a fan-in lies in 0 ... channels")
            let groups = deal(
                (reader.filters.count + block - 1) / block, of: size, needs: needs, using: &generator)
            for channel in groups.joined() { needs[channel] = .none }
            return reader.filters.indices.map { groups[$0 / block] }
        }
    }

    /// - Returns: `count` sets of `size` channels, each ascending.
    private func deal(
        _ count: Int, of size: Int, needs: [Need], using generator: inout SeededGenerator
    ) -> [[Int]] {
        guard size > 0 else { return Array(repeating: [], count: count) }
        let byNeed = Self.channels(needs, [.vital, .some, .none], using: &generator)
        var cards = Array(byNeed.prefix(count * size % channels))
        var groups: [[Int]] = []
        for _ in 0 ..< count {
            var group = Set<Int>()
            while group.count < size {
                if cards.isEmpty {
                    cards = Array(0 ..< channels)
                    generator.shuffle(&cards)
                }
                // A deck is used up before the next is begun, so a group meets a card twice in one deck at most.
                let next = cards.lastIndex { !group.contains($0) }!
                group.insert(cards.remove(at: next))
            }
            groups.append(group.sorted())
        }
        generator.shuffle(&groups)
        return groups
    }
}
