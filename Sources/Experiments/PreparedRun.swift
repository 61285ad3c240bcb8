import Foundation
import GossamerConnectivity
import GossamerDatasets
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTraining

/// A configuration whose words have become a network and images, ready to train.
public struct PreparedRun: Sendable {
    public let configuration: RunConfiguration
    public let network: Network
    /// Channels that the pattern left without readers.
    public let removed: [RemovedChannels]
    public let training: LabelledImages
    /// Empty where no images are held back.
    public let validation: LabelledImages
    public let test: LabelledImages
    public let normalization: Normalization
    public let settings: TrainingSettings

    /// - Parameters:
    ///   - configuration: checked here; digests that it already has must be those of the network and the data set.
    ///   - dataset: opened from the configuration's data source; given so that many runs can share it.
    /// - Throws: the error of the part that cannot be used, one line each.
    public init(_ configuration: RunConfiguration, dataset: Dataset) throws {
        settings = try TrainingSettings(configuration)
        let base = try Network.named(
            configuration.network, classes: dataset.classNames.count, input: dataset.shape)
        var configuration = configuration
        if configuration.inputs == nil { configuration.inputs = InputDigests(base, dataset) }
        self.configuration = configuration
        let sparsified = try configuration.makeNetwork(from: base)
        network = sparsified.network
        removed = sparsified.removed
        let split = try dataset.train.split(
            validationFraction: configuration.validationFraction, seed: configuration.seed)
        training = split.training
        validation = split.validation
        test = dataset.test
        normalization = Normalization(measuring: split.training)
        try Trainer.checkFit(network, training)
    }

    public var cost: RunCost { RunCost(NetworkCost(network), removed: removed) }

    /// What the model file says besides the network.
    public var labels: ModelLabels {
        ModelLabels(
            classNames: test.classNames, normalization: normalization,
            origin: [
                "data": configuration.data, "pattern": configuration.pattern,
                "depthMultiplier": String(configuration.depthMultiplier), "seed": String(configuration.seed),
            ])
    }
}

extension RunConfiguration {
    /// Applies depth multiplier and pattern; the pattern is drawn from the run's seed.
    public func makeNetwork(from base: Network) throws -> SparsifiedNetwork {
        try Self.makeNetwork(from: base, depthMultiplier: depthMultiplier, pattern: pattern, seed: seed)
    }

    /// Applies a depth multiplier, then a pattern drawn from a seed.
    public static func makeNetwork(
        from base: Network, depthMultiplier: Double, pattern: String, seed: UInt64
    ) throws -> SparsifiedNetwork {
        let scaled = depthMultiplier == 1 ? base : try base.scaled(byDepthMultiplier: depthMultiplier)
        return try scaled.sparsified(with: Pattern(parsing: pattern), seed: seed)
    }
}

extension Network {
    /// A built-in architecture, or the network of a JSON file: a word with a slash or ending in `.json` is a path.
    public static func named(_ name: String, classes: Int, input: Shape) throws -> Network {
        if name.contains("/") || name.hasSuffix(".json") { return try Network.load(jsonFile: name) }
        return try Architecture.named(name).network(classes: classes, input: input)
    }
}

extension TrainingSettings {
    public init(_ configuration: RunConfiguration) throws {
        self = configuration.trainingNumbers
        schedule = try LearningRateSchedule(parsing: configuration.schedule)
        augmentation = try Augmentation(parsing: configuration.augmentation)
        try validate()
    }
}

extension RunCost {
    public init(_ cost: NetworkCost, removed: [RemovedChannels]) {
        self.init(
            parameters: cost.parameters, parametersWithoutClassifier: cost.parametersWithoutClassifier,
            convolutionParameters: cost.convolutionParameters, multiplyAdds: cost.multiplyAdds,
            connections: cost.connections, removedChannels: removed.reduce(0) { $0 + $1.channels.count })
    }
}
