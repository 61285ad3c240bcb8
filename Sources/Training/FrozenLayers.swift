import GossamerNetworks
import GossamerTensors

extension TrainingSettings {
    /// The layers that are not trained.
    ///
    /// - Throws: `invalidOption` for a prefix that no layer with parameters has, and where nothing is left to train.
    public func frozenNodes(of network: Network) throws(TrainingError) -> Set<String> {
        guard !frozenPrefixes.isEmpty else { return [] }
        var nodes: [String] = []
        for entry in ParameterLayout(network).trained where nodes.last != entry.node { nodes.append(entry.node) }
        var frozen: Set<String> = []
        for prefix in frozenPrefixes {
            let found = nodes.filter { $0.hasPrefix(prefix) }
            guard !found.isEmpty, !prefix.isEmpty else {
                let hint = nearestName(to: prefix, among: nodes) ?? nodes[0]
                throw .invalidOption(
                    name: "frozen layers", found: prefix,
                    expected: "the beginning of the names of layers with parameters, such as \(hint)")
            }
            frozen.formUnion(found)
        }
        guard frozen.count < nodes.count else {
            throw .invalidOption(
                name: "frozen layers", found: frozenPrefixes.joined(separator: ", "),
                expected: "prefixes that leave a layer to train, not all \(nodes.count)")
        }
        return frozen
    }
}
