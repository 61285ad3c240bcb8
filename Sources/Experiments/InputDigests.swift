import GossamerDatasets
import GossamerNetworks
import GossamerTraining

/// What a network's file and a data set held: a path alone does not say whether its contents are still the same.
public struct InputDigests: Codable, Hashable, Sendable {
    /// Of the network before depth multiplier and pattern.
    public var network: String
    /// Of training and test images with their labels.
    public var data: String

    public init(network: String, data: String) {
        self.network = network
        self.data = data
    }

    /// - Parameter text: what the network is.
    public init(network text: String, _ dataset: Dataset) {
        var network = Fingerprint()
        network.add(text)
        var data = Fingerprint()
        data.add(dataset.train)
        data.add(dataset.test)
        self.init(network: network.text, data: data.text)
    }
}
