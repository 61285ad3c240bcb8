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

    /// Units, as the last block of a layer may have fewer filters than the others.
    var unitCount: Int { count / max(1, layer.blocks.map(\.count).max() ?? 1) }

    /// Drawn uniformly.
    func random(using generator: inout SeededGenerator) -> [Unit] {
        let inputs = layer.blocks.map { missing(in: $0) }
        let total = inputs.reduce(0) { $0 + $1.count }
        var units: [Unit] = []
        var (block, start) = (0, 0)
        for rank in generator.sample(min(unitCount, total), below: total) {
            while rank - start >= inputs[block].count {
                start += inputs[block].count
                block += 1
            }
            units.append(Unit(block: block, input: Int(inputs[block][rank - start])))
        }
        return units
    }

    /// The channels that no filter of a block reads.
    private func missing(in block: Range<Int>) -> [Int32] {
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
    private let count: Int
    private var units: [(unit: CandidateSelection.Unit, score: Double)] = []

    init(count: Int) { self.count = count }

    mutating func add(_ unit: CandidateSelection.Unit, score: Double) {
        units.append((unit, score))
        if units.count >= 2 * count + 4096 { cut() }
    }

    private mutating func cut() {
        units.sort { ($1.score, $0.unit.block, $0.unit.input) < ($0.score, $1.unit.block, $1.unit.input) }
        units.removeSubrange(min(count, units.count)...)
    }

    /// The largest first; of equal scores the earlier unit.
    mutating func take() -> [CandidateSelection.Unit] {
        cut()
        return units.map(\.unit)
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
