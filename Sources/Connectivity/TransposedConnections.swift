/// A connection table seen from the input channels, as the gradient of the input needs it.
public struct TransposedConnections: Hashable, Sendable {
    /// `inputCount + 1` offsets.
    public let columnStarts: [Int32]
    /// For each input channel the output channels that it feeds, ascending.
    public let outputs: [Int32]
    /// The index of each of those connections in the table.
    public let connections: [Int32]
}

extension ConnectionTable {
    public func transposed() -> TransposedConnections {
        var starts = [Int32](repeating: 0, count: inputCount + 1)
        for input in inputs { starts[Int(input) + 1] += 1 }
        for input in 0 ..< inputCount { starts[input + 1] += starts[input] }
        var next = starts
        var outputs = [Int32](repeating: 0, count: count)
        var connections = outputs
        for output in 0 ..< outputCount {
            for connection in rowStarts[output] ..< rowStarts[output + 1] {
                let input = Int(inputs[Int(connection)])
                outputs[Int(next[input])] = Int32(output)
                connections[Int(next[input])] = connection
                next[input] += 1
            }
        }
        return TransposedConnections(columnStarts: starts, outputs: outputs, connections: connections)
    }
}
