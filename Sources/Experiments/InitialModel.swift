import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTraining

/// What a training begins with instead of random weights: the network, but for a softmax at its end, and parameters of
/// a model file.
public final class InitialModel: Sendable {
    public let network: Network
    public let labels: ModelLabels
    /// The layers whose parameters are not those of the file, as the data set has other classes.
    public let replaced: [String]
    private let parameters: Parameters

    /// - Parameters:
    ///   - classes: of the data set; where the model has another number, its classifier is made anew.
    ///   - seed: of a new classifier's weights.
    public init(contentsOf path: String, classes: Int, seed: UInt64) throws {
        let model = try Model(contentsOf: path)
        labels = model.labels
        // A new classifier's first weights are those of an output.
        let whole = model.network.withoutFinalSoftmax
        guard whole.outputShape.count != classes else {
            network = whole
            replaced = []
            parameters = model.parameters.copy()
            return
        }
        network = try whole.withClasses(classes)
        parameters = Parameters(initializing: network, seed: seed)
        var replaced: [String] = []
        for entry in parameters.layout.all {
            guard let old = model.parameters.layout.entry(entry.node, entry.role), old.shape == entry.shape else {
                if replaced.last != entry.node { replaced.append(entry.node) }
                continue
            }
            parameters.set(entry, to: model.parameters.values(old))
        }
        self.replaced = replaced
    }

    /// Parameters to train, of the network's layout.
    public func copyParameters() -> Parameters { parameters.copy() }

    /// What tells this model from others.
    var digest: String {
        var fingerprint = Fingerprint()
        fingerprint.add(network.json)
        for node in network.nodes {
            guard let table = network.connections[node.name] else { continue }
            fingerprint.add("\(node.name) \(table.rowStarts) \(table.inputs)")
        }
        fingerprint.add(parameters)
        return fingerprint.text
    }
}
