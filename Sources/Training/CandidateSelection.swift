import GossamerConnectivity
import GossamerExecution
import GossamerTensors

/// Chooses which of the connections that a layer lacks grow.
struct CandidateSelection {
    /// A channel that a block of filters does not read.
    struct Unit: Hashable {
        let block: Int
        let input: Int
    }

    let layer: ChangingLayer
    /// Connections that are no candidates.
    let known: ConnectionTable
    /// The most connections to choose.
    let count: Int
    /// Channels that nothing in the network would read. What grows reaches them first: they would leave the network for
    /// good.
    var unread: [Int] = []

    /// The largest block's filters.
    private var blockSize: Int { max(1, layer.blocks.map(\.count).max() ?? 1) }

    /// Drawn uniformly, after a reader for each unread channel.
    func random(using generator: inout SeededGenerator) -> [Unit] {
        var (units, left): ([Unit], Int) = ([], count)
        for input in unread {
            let fitting = layer.blocks.indices.filter { layer.blocks[$0].count <= left }
            guard !fitting.isEmpty else { break }
            units.append(Unit(block: fitting[generator.index(below: fitting.count)], input: input))
            left -= layer.blocks[units.last!.block].count
        }
        let known = adding(units)
        let inputs = layer.blocks.map { Self.missing(in: $0, of: known) }
        let total = inputs.reduce(0) { $0 + $1.count }
        var (block, start) = (0, 0)
        for rank in generator.sample(min(left / blockSize, total), below: total) {
            while rank - start >= inputs[block].count {
                start += inputs[block].count
                block += 1
            }
            units.append(Unit(block: block, input: Int(inputs[block][rank - start])))
        }
        return units
    }

    /// The channels that no filter of a block reads.
    private static func missing(in block: Range<Int>, of known: ConnectionTable) -> [Int32] {
        guard block.count > 1 else { return known.complement(of: block).inputs }
        var isRead = [Bool](repeating: false, count: known.inputCount)
        for filter in block {
            for input in known.inputs(of: filter) { isRead[Int(input)] = true }
        }
        return isRead.indices.filter { !isRead[$0] }.map(Int32.init)
    }

    /// A table with more connections.
    func adding(_ units: [Unit]) -> ConnectionTable {
        var rows = (0 ..< known.outputCount).map { known.inputs(of: $0).map(Int.init) }
        for unit in units {
            for filter in layer.blocks[unit.block] { rows[filter].append(unit.input) }
        }
        return ConnectionTable(inputCount: known.inputCount, rows: rows)
    }
}

/// The units with the largest scores of a stream of them, in memory for twice as many as are wanted.
struct LargestUnits {
    private typealias Scored = (unit: CandidateSelection.Unit, score: Double)

    private let selection: CandidateSelection
    private var units: [Scored] = []
    private let isUnread: [Bool]
    /// The best of each unread channel.
    private var readers: [Int: Scored] = [:]

    init(for selection: CandidateSelection) {
        self.selection = selection
        var isUnread = [Bool](repeating: false, count: selection.known.inputCount)
        for input in selection.unread { isUnread[input] = true }
        self.isUnread = isUnread
    }

    mutating func add(_ unit: CandidateSelection.Unit, score: Double) {
        let scored = (unit, score)
        units.append(scored)
        if units.count >= 2 * selection.count + 4096 { cut() }
        if isUnread[unit.input], readers[unit.input].map({ Self.precedes(scored, $0) }) ?? true {
            readers[unit.input] = scored
        }
    }

    private mutating func cut() {
        units.sort(by: Self.precedes)
        units.removeSubrange(min(selection.count, units.count)...)
    }

    /// Of equal scores the earlier unit.
    private static func precedes(_ a: Scored, _ b: Scored) -> Bool {
        (b.score, a.unit.block, a.unit.input) < (a.score, b.unit.block, b.unit.input)
    }

    /// A reader for each unread channel, then the others, the largest first, as long as whole blocks fit.
    mutating func take() -> [CandidateSelection.Unit] {
        cut()
        let first = readers.values.sorted(by: Self.precedes).map(\.unit)
        let isFirst = Set(first)
        var left = selection.count
        return (first + units.map(\.unit).filter { !isFirst.contains($0) }).filter { unit in
            let size = selection.layer.blocks[unit.block].count
            guard size <= left else { return false }
            left -= size
            return true
        }
    }
}

extension CandidateProbe.Candidates {
    /// The score of each channel that a whole block lacks: the mean over its filters of the squared gradient.
    func forEachUnit(of layer: ChangingLayer, _ body: (CandidateSelection.Unit, Double) -> Void) {
        var sums = [Double](repeating: 0, count: table.inputCount)
        var counts = [Int](repeating: 0, count: table.inputCount)
        for block in blocks {
            for filter in layer.blocks[block] {
                let row = filter - firstFilter
                for connection in Int(table.rowStarts[row]) ..< Int(table.rowStarts[row + 1]) {
                    let kernel = UnsafeBufferPointer(start: gradients + connection * area, count: area)
                    let input = Int(table.inputs[connection])
                    sums[input] += kernel.reduce(0.0) { $0 + Double($1) * Double($1) }
                    counts[input] += 1
                }
            }
            let size = layer.blocks[block].count
            for input in sums.indices {
                if counts[input] == size {
                    body(CandidateSelection.Unit(block: block, input: input), sums[input] / Double(size))
                }
                (sums[input], counts[input]) = (0, 0)
            }
        }
    }
}
