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
        let groupCounts = readers.map { ($0.filters.count + block - 1) / block }
        let groups = zip(fanIns, groupCounts).flatMap { Array(repeating: FilterGroup(fanIn: $0), count: $1) }
        let rows = uniformRows(of: groups, using: &generator)
        var firstGroup = 0
        return zip(readers, groupCounts).map { reader, count in
            defer { firstGroup += count }
            return reader.filters.indices.map { rows[firstGroup + $0 / block] }
        }
    }

    /// Rows of groups of filters, drawn as ``uniformRows(block:using:fanIn:)`` draws them; what a group reads already
    /// stays.
    package func uniformRows(of groups: [FilterGroup], using generator: inout SeededGenerator) -> [[Int]] {
        precondition(groups.allSatisfy { ($0.held.count ... channels).contains($0.fanIn) }, "a fan-in fits")
        let covering = cover(groups, using: &generator)
        let all = Array(0 ..< channels)
        var rows: [[Int]] = []
        rows.reserveCapacity(groups.count)
        for (covered, group) in zip(covering, groups) {
            if !group.held.isEmpty && group.fanIn == channels {
                rows.append(all)
            } else {
                rows.append(fill((group.held + covered).sorted(), to: group.fanIn, using: &generator))
            }
        }
        return rows
    }

    /// Deals the channels in need to the free slots of the groups, at random.
    private func cover(_ groups: [FilterGroup], using generator: inout SeededGenerator) -> [[Int]] {
        var covering = [[Int]](repeating: [], count: groups.count)
        // A drawing that adds to another may be large, and needs no covering where all channels are read.
        if groups.contains(where: { !$0.held.isEmpty }), !needs.contains(where: { $0 != .none }) { return covering }
        var slots = groups.enumerated().flatMap { number, group in
            Array(repeating: number, count: group.fanIn - group.held.count)
        }
        generator.shuffle(&slots)
        let order = Self.channels(needs, [.vital, .some], using: &generator)
        for (channel, slot) in zip(order, slots) { covering[slot].append(channel) }
        return covering
    }

    /// Adds channels drawn uniformly from those that the row does not hold yet.
    private func fill(_ held: [Int], to fanIn: Int, using generator: inout SeededGenerator) -> [Int] {
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

/// Filters that share their channels, in a drawing.
package struct FilterGroup {
    /// The channels that they read already, ascending; a drawing adds to them.
    package var held: [Int]
    package var fanIn: Int

    package init(held: [Int] = [], fanIn: Int) {
        self.held = held
        self.fanIn = fanIn
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
