/// Which input channels feed which output channel of a convolution: compressed rows by output channel.
///
/// A connection carries a whole k x k kernel, so this table is all the index that a sparse convolution needs: one
/// number per connection and one per output channel. Inputs ascend within a row and are distinct.
public struct ConnectionTable: Hashable, Sendable {
    public let inputCount: Int
    /// `outputCount + 1` offsets into `inputs`.
    public let rowStarts: [Int32]
    /// The input channel of every connection.
    public let inputs: [Int32]

    /// Connections that memory can be expected to hold while patterns make them.
    package static let largestCount = 1 << 28

    public var outputCount: Int { rowStarts.count - 1 }
    public var count: Int { inputs.count }
    /// The fraction of possible connections that exist.
    public var density: Double { Double(count) / Double(max(1, inputCount * outputCount)) }
    public var isDense: Bool { count == inputCount * outputCount }

    /// - Parameter rows: for each output channel its input channels, in any order, distinct and in 0 ..< inputCount.
    public init(inputCount: Int, rows: [[Int]]) {
        var starts: [Int32] = [0]
        var inputs: [Int32] = []
        starts.reserveCapacity(rows.count + 1)
        for row in rows {
            let sorted = row.sorted()
            precondition(zip(sorted, sorted.dropFirst()).allSatisfy(<), "a connection occurs twice")
            precondition(sorted.allSatisfy { (0 ..< inputCount).contains($0) }, "input channel out of range")
            inputs.append(contentsOf: sorted.map(Int32.init))
            starts.append(Int32(inputs.count))
        }
        self.inputCount = inputCount
        rowStarts = starts
        self.inputs = inputs
    }

    /// A table read from a file.
    /// - Throws: ``ConnectionTableError`` when the arrays do not describe a table.
    public init(inputCount: Int, rowStarts: [Int32], inputs: [Int32]) throws(ConnectionTableError) {
        guard rowStarts.first == 0, rowStarts.last.map(Int.init) == inputs.count,
            zip(rowStarts, rowStarts.dropFirst()).allSatisfy(<=)
        else { throw .init(message: "row starts must ascend from 0 to the number of connections, \(inputs.count)") }
        for (start, end) in zip(rowStarts, rowStarts.dropFirst()) {
            let row = inputs[Int(start) ..< Int(end)]
            guard zip(row, row.dropFirst()).allSatisfy(<), row.allSatisfy({ $0 >= 0 && $0 < inputCount })
            else { throw .init(message: "inputs of a row must ascend within 0 ..< \(inputCount)") }
        }
        self.inputCount = inputCount
        self.rowStarts = rowStarts
        self.inputs = inputs
    }

    /// Every input channel feeds every output channel; fewer than 2^31 connections.
    public static func dense(inputCount: Int, outputCount: Int) -> ConnectionTable {
        precondition(inputCount.multipliedReportingOverflow(by: outputCount).partialValue <= Int(Int32.max))
        let count = inputCount * outputCount
        let inputs = [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0 ..< count { buffer.initializeElement(at: index, to: Int32(index % inputCount)) }
            initialized = count
        }
        return ConnectionTable(
            inputCount: inputCount, checkedRowStarts: (0 ... outputCount).map { Int32($0 * inputCount) },
            inputs: inputs)
    }

    /// Every output channel is fed by a run of input channels; fewer than 2^31 connections.
    init(inputCount: Int, runs: [Range<Int>]) {
        var starts: [Int32] = [0]
        var inputs: [Int32] = []
        starts.reserveCapacity(runs.count + 1)
        inputs.reserveCapacity(runs.reduce(0) { $0 + $1.count })
        for run in runs {
            inputs.append(contentsOf: Int32(run.lowerBound) ..< Int32(run.upperBound))
            starts.append(Int32(inputs.count))
        }
        self.init(inputCount: inputCount, checkedRowStarts: starts, inputs: inputs)
    }

    /// - Parameter checkedRowStarts: with `inputs` known to form a table.
    private init(inputCount: Int, checkedRowStarts: [Int32], inputs: [Int32]) {
        self.inputCount = inputCount
        rowStarts = checkedRowStarts
        self.inputs = inputs
    }

    /// The connections of some output channels with some input channels, both renumbered in their order.
    ///
    /// - Parameters:
    ///   - filters: output channels, ascending.
    ///   - channels: input channels, ascending; connections with others are left out.
    public func selecting(filters: [Int], channels: [Int]) -> ConnectionTable {
        var places = [Int32](repeating: -1, count: inputCount)
        for (place, channel) in channels.enumerated() { places[channel] = Int32(place) }
        var starts: [Int32] = [0]
        var selected: [Int32] = []
        starts.reserveCapacity(filters.count + 1)
        selected.reserveCapacity(count)
        for filter in filters {
            for input in inputs(of: filter) where places[Int(input)] >= 0 { selected.append(places[Int(input)]) }
            starts.append(Int32(selected.count))
        }
        return ConnectionTable(inputCount: channels.count, checkedRowStarts: starts, inputs: selected)
    }

    /// Some of the connections.
    ///
    /// - Parameter stays: for each connection in order.
    public func keeping(_ stays: [Bool]) -> ConnectionTable {
        var starts: [Int32] = [0]
        var kept: [Int32] = []
        for output in 0 ..< outputCount {
            for connection in Int(rowStarts[output]) ..< Int(rowStarts[output + 1]) where stays[connection] {
                kept.append(inputs[connection])
            }
            starts.append(Int32(kept.count))
        }
        return ConnectionTable(inputCount: inputCount, checkedRowStarts: starts, inputs: kept)
    }

    /// The connections that some output channels lack, in a table of these alone.
    public func complement(of outputs: Range<Int>) -> ConnectionTable {
        var starts: [Int32] = [0]
        var missing: [Int32] = []
        for output in outputs {
            var next: Int32 = 0
            for input in inputs(of: output) {
                missing.append(contentsOf: next ..< input)
                next = input + 1
            }
            missing.append(contentsOf: next ..< Int32(inputCount))
            starts.append(Int32(missing.count))
        }
        return ConnectionTable(inputCount: inputCount, checkedRowStarts: starts, inputs: missing)
    }

    /// A table with other numbers for its channels.
    ///
    /// - Parameters:
    ///   - filters: the new number of each output channel, ascending; further ones get no connections.
    ///   - channels: the new number of each input channel, ascending.
    public func renumbered(
        filters: [Int], of filterCount: Int, channels: [Int], of channelCount: Int
    ) -> ConnectionTable {
        precondition(filters.count == outputCount && channels.count == inputCount, "a number for each channel")
        var starts: [Int32] = [0]
        starts.reserveCapacity(filterCount + 1)
        for (row, filter) in filters.enumerated() {
            while starts.count <= filter { starts.append(rowStarts[row]) }
            starts.append(rowStarts[row + 1])
        }
        while starts.count <= filterCount { starts.append(Int32(count)) }
        return ConnectionTable(
            inputCount: channelCount, checkedRowStarts: starts, inputs: inputs.map { Int32(channels[Int($0)]) })
    }

    /// The input channels of one output channel.
    public func inputs(of output: Int) -> ArraySlice<Int32> {
        inputs[Int(rowStarts[output]) ..< Int(rowStarts[output + 1])]
    }

    /// The input channels that feed some output channel, ascending.
    public var readChannels: [Int] {
        var isRead = [Bool](repeating: false, count: inputCount)
        for input in inputs { isRead[Int(input)] = true }
        return isRead.indices.filter { isRead[$0] }
    }

    /// The number of input channels that feed an output channel.
    public func fanIn(of output: Int) -> Int { Int(rowStarts[output + 1] - rowStarts[output]) }
}

/// Why arrays do not form a connection table.
public struct ConnectionTableError: Error, CustomStringConvertible, Hashable {
    public let message: String
    public var description: String { message }
}
