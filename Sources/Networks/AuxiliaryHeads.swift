import GossamerConnectivity
import GossamerTensors

/// The end of an auxiliary head: a second classifier whose loss is added in training, and which is gone in inference
/// (Szegedy et al. 2014).
public struct AuxiliaryOutput: Hashable, Sendable {
    /// Of as many values as the network's output; nothing reads it.
    public let node: String
    /// Of its loss, where the main output's has weight 1; above 0 and at most 1.
    public let weight: Double

    public init(node: String, weight: Double) {
        self.node = node
        self.weight = weight
    }
}

/// Which nodes belong to which auxiliary head: those that lead to its output and to no other.
enum AuxiliaryHeads {
    /// - Throws: ``NetworkError`` where an output does not fit, where heads share nodes, and where a head does not read
    ///   exactly one node of the main path.
    static func find(
        _ outputs: [AuxiliaryOutput], nodes: [Node], shapes: [Shape], indices: [String: Int]
    ) throws(NetworkError) -> [Int?] {
        /// Nodes on the main path have none; nodes not yet known to lead anywhere have the number of outputs.
        var heads = [Int?](repeating: outputs.count, count: nodes.count)
        heads[nodes.count - 1] = nil
        for (number, output) in outputs.enumerated() {
            guard let index = indices[output.node], index < nodes.count - 1 else {
                throw NetworkError(node: output.node, "an auxiliary output must be a node before the last one")
            }
            guard heads[index] == outputs.count, !nodes.contains(where: { $0.inputs.contains(output.node) }) else {
                throw NetworkError(node: output.node, "an auxiliary output stands alone, and nothing reads it")
            }
            guard shapes[index].count == shapes[nodes.count - 1].count else {
                throw NetworkError(
                    node: output.node,
                    "an auxiliary output has as many values as the output, \(shapes[nodes.count - 1].count), "
                        + "it has \(shapes[index].count)")
            }
            guard output.weight > 0, output.weight <= 1 else {
                throw NetworkError(node: output.node, "weight must be above 0 and at most 1, it is \(output.weight)")
            }
            heads[index] = number
        }
        for index in nodes.indices.reversed() {
            for name in nodes[index].inputs {
                let input = indices[name]!
                if heads[index] == nil {
                    heads[input] = Int?.none
                } else if heads[input] == outputs.count {
                    heads[input] = heads[index]
                } else if heads[input] != nil, heads[input] != heads[index] {
                    throw NetworkError(node: name, "it belongs to two auxiliary heads, and to nothing else")
                }
            }
        }
        for (number, output) in outputs.enumerated() where sources(number, heads, nodes, indices).count != 1 {
            throw NetworkError(node: output.node, "an auxiliary head must read exactly one node of the main path")
        }
        return heads
    }

    /// The nodes of the main path that a head reads.
    private static func sources(
        _ number: Int, _ heads: [Int?], _ nodes: [Node], _ indices: [String: Int]
    ) -> Set<String> {
        let members = zip(nodes, heads).filter { $1 == number }.flatMap(\.0.inputs)
        return Set(members.filter { heads[indices[$0]!] == nil })
    }
}

extension Network {
    /// The network that inference runs: without auxiliary heads.
    public var withoutAuxiliaryHeads: Network {
        guard !auxiliaryOutputs.isEmpty else { return self }
        let main = zip(nodes, heads).filter { $1 == nil }.map(\.0)
        let names = Set(main.map(\.name))
        // Part of a consistent network that reads nothing outside is consistent.
        return try! Network(name: name, nodes: main, connections: connections.filter { names.contains($0.key) })
    }

    /// An auxiliary head by its position, and the node of the main path that it reads.
    func auxiliaryHead(_ number: Int) -> (source: String, nodes: [Node]) {
        let members = zip(nodes, heads).filter { $1 == number }.map(\.0)
        let source = members.lazy.flatMap(\.inputs).first { heads[indices[$0]!] == nil }
        return (source!, members)
    }
}
