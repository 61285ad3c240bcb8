import GossamerModelFiles

/// Which nodes an output needs, in an order in which each reads what earlier ones compute.
enum GraphOrder {
    private enum State { case new, waiting, done }

    /// - Throws: ``ModelFileError`` where a value is computed twice, or nodes wait for each other.
    static func nodes(
        of graph: Onnx_GraphProto, leadingTo output: String, file: String
    ) throws(ModelFileError) -> [Int] {
        var producers: [String: Int] = [:]
        for (index, node) in graph.node.enumerated() {
            for name in node.output where !name.isEmpty {
                guard producers.updateValue(index, forKey: name) == nil else {
                    throw .malformed(file: file, field: "value '\(name)'", expected: "one node that computes it")
                }
            }
        }
        var states = [State](repeating: .new, count: graph.node.count)
        var order: [Int] = []
        var stack = producers[output].map { [$0] } ?? []
        while let index = stack.last {
            let node = graph.node[index]
            switch states[index] {
            case .done: stack.removeLast()
            case .waiting:
                states[index] = .done
                order.append(index)
                stack.removeLast()
            case .new:
                states[index] = .waiting
                for name in node.input {
                    guard let producer = producers[name] else { continue }
                    guard states[producer] != .waiting else {
                        throw .malformed(
                            file: file, field: "value '\(name)'", expected: "nodes that do not wait for each other")
                    }
                    if states[producer] == .new { stack.append(producer) }
                }
            }
        }
        // A node that was pushed twice while new is done when it is met again.
        return order
    }
}
