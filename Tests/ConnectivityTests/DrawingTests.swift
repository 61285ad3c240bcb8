import GossamerConnectivity
import GossamerTensors
import Testing

@Suite struct DrawingTests {
    /// A stored seed must draw the same connections in every version and on every machine.
    @Test func drawingIsStable() {
        var generator = SeededGenerator(seed: 42)
        let rows = Pattern.random(density: 0.3).draw(connectionRequest(channels: 7, filters: [3, 2]), using: &generator)
        #expect(rows == [[[0, 1, 2], [0, 1, 5], [2, 3, 6]], [[2, 3, 6], [3, 4, 6]]])
    }

    /// Random requests: fan-in, blocks, covering and range hold in each.
    @Test func drawnRowsKeepTheirPromises() {
        for seed in 0 ..< 400 as Range<UInt64> {
            let drawing = RandomDrawing(seed: seed) { Pattern.random(density: $0, block: $1) }
            let (channels, filters, needs) = (drawing.request.channels, drawing.filters, drawing.request.needs)
            let (density, block, line) = (drawing.density, drawing.block, drawing.description)
            let (request, drawn) = (drawing.request, drawing.rows)

            var slots = 0
            #expect(drawn.map(\.count) == filters, "\(line)")
            for (reader, rows) in zip(request.readers, drawn) {
                let fanIn = Pattern.fanIn(density: density, channels: channels, filters: reader.filterCount)
                slots += (rows.count + block - 1) / block * fanIn
                for (index, row) in rows.enumerated() {
                    #expect(row.count == fanIn && Set(row).count == fanIn, "\(line)")
                    #expect(row.allSatisfy { (0 ..< channels).contains($0) }, "\(line)")
                    #expect(row == rows[index / block * block], "\(line)")
                }
            }
            let read = Set(drawn.joined().joined())
            let vital = needs.indices.filter { needs[$0] == .vital }
            let needed = needs.indices.filter { needs[$0] != .none }
            #expect(read.intersection(vital).count == min(slots, vital.count), "\(line)")
            #expect(read.intersection(needed).count == min(slots, needed.count), "\(line)")
        }
    }

    /// Each (filter, channel) pair is equally likely, whether the covering takes all slots, some or none.
    @Test(arguments: [ConnectionRequest.Need.vital, .some, .none], [1, 3])
    func connectionsAreUniform(need: ConnectionRequest.Need, block: Int) {
        let (channels, filters, draws) = (9, 6, 6000)
        let request = connectionRequest(
            channels: channels, filters: [4, 2], needs: Array(repeating: need, count: channels))
        var counts = [Int](repeating: 0, count: channels * filters)
        for seed in 0 ..< UInt64(draws) {
            var generator = SeededGenerator(seed: seed)
            let rows = request.uniformRows(block: block, using: &generator) { _ in 3 }.joined()
            for (filter, row) in rows.enumerated() {
                for channel in row { counts[filter * channels + channel] += 1 }
            }
        }
        // Each pair is expected 2000 times with a standard deviation of at most 37.
        #expect(counts.allSatisfy { abs($0 - 2000) < 185 }, "\(counts)")
    }

    /// Random requests: fan-in, fan-out, blocks and range hold in each, and as much is covered as can be.
    @Test func expandersAreRegular() {
        for seed in 0 ..< 400 as Range<UInt64> {
            let drawing = RandomDrawing(seed: seed) { Pattern.expander(density: $0, block: $1) }
            let (channels, filters, needs) = (drawing.request.channels, drawing.filters, drawing.request.needs)
            let (density, block, line) = (drawing.density, drawing.block, drawing.description)
            let (request, drawn) = (drawing.request, drawing.rows)
            #expect(drawn.map(\.count) == filters, "\(line)")
            var slots = 0
            for (reader, rows) in zip(request.readers, drawn) {
                let fanIn = Pattern.fanIn(density: density, channels: channels, filters: reader.filterCount)
                var fanOuts = [Int](repeating: 0, count: channels)
                for (index, row) in rows.enumerated() {
                    #expect(row.count == fanIn && row == Array(Set(row)).sorted(), "\(line)")
                    #expect(row == rows[index / block * block], "\(line)")
                    if index % block == 0 { for channel in row { fanOuts[channel] += 1 } }
                }
                slots += (rows.count + block - 1) / block * fanIn
                #expect(fanOuts.max()! - fanOuts.min()! <= 1, "\(line)")
            }
            let read = Set(drawn.joined().joined())
            let vital = needs.indices.filter { needs[$0] == .vital }
            #expect(read.intersection(vital).count == min(slots, vital.count), "\(line)")
        }
    }

    /// Each (filter, channel) pair is equally likely, with whole decks, a partial one and one that a group straddles.
    @Test(arguments: [3, 4])
    func expandersAreUniform(fanIn: Int) {
        let (channels, filters, draws) = (9, 6, 6000)
        let request = connectionRequest(channels: channels, filters: [filters])
        var counts = [Int](repeating: 0, count: channels * filters)
        for seed in 0 ..< UInt64(draws) {
            var generator = SeededGenerator(seed: seed)
            for (filter, row) in request.regularRows(using: &generator, fanIn: { _ in fanIn })[0].enumerated() {
                for channel in row { counts[filter * channels + channel] += 1 }
            }
        }
        // Five standard deviations at most.
        let expected = draws * fanIn / channels
        #expect(counts.allSatisfy { abs($0 - expected) < 195 }, "\(counts)")
    }

    @Test func denseReadsEverything() {
        var generator = SeededGenerator(seed: 0)
        let rows = Pattern.dense.draw(connectionRequest(channels: 3, filters: [2]), using: &generator)
        #expect(rows == [[[0, 1, 2], [0, 1, 2]]])
    }

    /// Readers of a tensor share the covering: with as many slots as channels each channel is read exactly once.
    @Test func coveringIsJoint() {
        let request = connectionRequest(channels: 30, filters: [10, 5])
        var generator = SeededGenerator(seed: 3)
        let rows = request.uniformRows(using: &generator) { _ in 2 }
        #expect(rows.joined().joined().sorted() == Array(0 ..< 30))
    }
}

private func connectionRequest(
    channels: Int, filters: [Int], needs: [ConnectionRequest.Need]? = nil
) -> ConnectionRequest {
    ConnectionRequest(
        channels: channels,
        readers: filters.enumerated().map { index, count in
            .init(name: "conv\(index)", filterCount: max(2, count), filters: Array(0 ..< count))
        },
        needs: needs ?? Array(repeating: .vital, count: channels))
}

/// A random request, and what a pattern draws for it.
private struct RandomDrawing: CustomStringConvertible {
    let seed: UInt64
    let filters: [Int]
    let density: Double
    let block: Int
    let request: ConnectionRequest
    let rows: [[[Int]]]

    init(seed: UInt64, pattern: (_ density: Double, _ block: Int) -> Pattern) {
        self.seed = seed
        var cases = SeededGenerator(seed: seed, keys: 1)
        let channels = 1 + cases.index(below: 60)
        filters = (0 ... cases.index(below: 3)).map { _ in 1 + cases.index(below: 40) }
        let needs = (0 ..< channels).map { _ in ConnectionRequest.Need(rawValue: cases.index(below: 3))! }
        density = [0.003, 0.03, 0.1, 0.37, 0.9, 1][cases.index(below: 6)]
        block = 1 + cases.index(below: 5)
        request = connectionRequest(channels: channels, filters: filters, needs: needs)
        var generator = SeededGenerator(seed: seed)
        rows = pattern(density, block).draw(request, using: &generator)
    }

    var description: String {
        "seed \(seed): \(request.channels) channels, filters \(filters), density \(density), block \(block)"
    }
}
