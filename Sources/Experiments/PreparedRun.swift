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
    /// As it is when training begins.
    public let network: Network
    /// What connections grow in, with all channels and none drawn; `network` itself where they do not grow.
    public let base: Network
    /// Channels that the pattern left without readers.
    public let removed: [RemovedChannels]
    public let training: LabelledImages
    /// Empty where no images are held back.
    public let validation: LabelledImages
    public let test: LabelledImages
    public let preprocessing: Preprocessing
    public let settings: TrainingSettings
    /// What training begins with instead of random weights.
    public let initial: InitialModel?

    /// - Parameters:
    ///   - configuration: checked here; digests that it already has must be those of the network and the data set.
    ///   - dataset: opened from the configuration's data source; given so that many runs can share it.
    /// - Throws: the error of the part that cannot be used, one line each.
    public init(_ configuration: RunConfiguration, dataset: Dataset) throws {
        let settings = try TrainingSettings(configuration)
        self.settings = settings
        var configuration = configuration
        let classes = dataset.classNames.count
        if let path = configuration.initialModel {
            let model = try InitialModel(contentsOf: path, classes: classes, seed: configuration.seed)
            initial = model
            guard settings.growth == nil else {
                throw ExperimentError.option(
                    name: "growth", expected: "a network to begin with, not the connections of a model")
            }
            network = model.network
            base = network
            removed = []
            configuration.describe(model)
            if configuration.inputs == nil { configuration.inputs = InputDigests(network: model.digest, dataset) }
        } else {
            let base = try configuration.baseNetwork(for: dataset)
            if configuration.inputs == nil { configuration.inputs = InputDigests(network: base.json, dataset) }
            initial = nil
            let start = try configuration.makeNetwork(from: base)
            (network, removed) = (start.network, start.removed)
            self.base = settings.growth == nil ? network : try configuration.scaledNetwork(from: base)
        }
        self.configuration = configuration
        let split = try dataset.train.split(
            validationFraction: configuration.validationFraction, seed: configuration.seed)
        training = split.training
        // A share that is asked for takes the place of images that the set itself keeps apart.
        validation = configuration.validationFraction == 0 ? dataset.validation ?? split.validation : split.validation
        test = dataset.test
        // A model goes on seeing images as it has always seen them.
        preprocessing = try initial?.labels.preprocessing ?? configuration.preprocessing(
            Normalization(measuring: split.training, channels: network.inputShape.channels))
        try Trainer.checkFit(network, training, preprocessing)
        let frozen = try settings.frozenNodes(of: network)
        _ = try settings.pruning?.layers(of: network, frozen: frozen)
    }

    public var cost: RunCost { RunCost(NetworkCost(network), removed: removed) }

    /// What the model file says besides the network.
    public var labels: ModelLabels {
        var origin = [
            "data": configuration.data, "pattern": configuration.pattern,
            "depthMultiplier": String(configuration.depthMultiplier), "seed": String(configuration.seed),
        ]
        origin["initialModel"] = configuration.initialModel
        return ModelLabels(classNames: test.classNames, preprocessing: preprocessing, origin: origin)
    }
}

extension RunConfiguration {
    /// Takes network, pattern and depth multiplier from what a model says of itself.
    mutating func describe(_ model: InitialModel) {
        let origin = model.labels.origin
        network = model.network.name
        pattern = origin["pattern"] ?? (model.network.hasFixedConnectionsOnly ? "dense" : "given")
        depthMultiplier = origin["depthMultiplier"].flatMap(Double.init) ?? 1
    }

    /// The network that training begins with: applies depth multiplier and pattern, which is drawn from the run's seed.
    public func makeNetwork(from base: Network) throws -> SparsifiedNetwork {
        if let growth = try parsedGrowth {
            return SparsifiedNetwork(try growth.start(of: scaledNetwork(from: base), seed: seed))
        }
        return try Self.makeNetwork(
            from: base, depthMultiplier: depthMultiplier, pattern: pattern, seed: seed,
            distribution: distribution ?? .uniform)
    }

    /// The network that training ends with, as far as it is known before; see
    /// ``TrainingSettings/finalSubnetwork(of:updates:)``.
    ///
    /// - Parameter updates: steps of the optimizer.
    public func finalNetwork(from base: Network, updates: Int) throws -> SparsifiedNetwork {
        let settings = try TrainingSettings(self)
        if settings.growth != nil,
            let final = try settings.finalSubnetwork(of: scaledNetwork(from: base), updates: updates) {
            return SparsifiedNetwork(final)
        }
        let start = try makeNetwork(from: base)
        return try settings.finalSubnetwork(of: start.network, updates: updates).map(SparsifiedNetwork.init) ?? start
    }

    /// Applies the depth multiplier.
    func scaledNetwork(from base: Network) throws -> Network {
        try Self.scaled(base, by: depthMultiplier)
    }

    private static func scaled(_ base: Network, by depthMultiplier: Double) throws -> Network {
        depthMultiplier == 1 ? base : try base.scaled(byDepthMultiplier: depthMultiplier)
    }

    /// Applies a depth multiplier, then a pattern drawn from a seed.
    public static func makeNetwork(
        from base: Network, depthMultiplier: Double, pattern: String, seed: UInt64,
        distribution: ConnectionDistribution = .uniform
    ) throws -> SparsifiedNetwork {
        try scaled(base, by: depthMultiplier).sparsified(
            with: Pattern(parsing: pattern), seed: seed, distribution: distribution)
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
        if let text = configuration.optimizer { optimizer = try Optimizer(parsing: text) }
        growth = try configuration.parsedGrowth
        if let text = configuration.exploration {
            exploration = try Exploration(parsing: text, block: configuration.drawnPattern?.block ?? 1)
        }
        schedule = try LearningRateSchedule(parsing: configuration.schedule)
        augmentation = try Augmentation(parsing: configuration.augmentation)
        try validate()
    }
}

extension RunConfiguration {
    /// The density and block of a pattern that is drawn at random; nil for another one.
    fileprivate var drawnPattern: (density: Double, block: Int)? {
        switch try? Pattern(parsing: pattern) {
        case .random(let density, let block): (density, block)
        default: nil
        }
    }

    /// Throws where the run's pattern is none that can grow.
    fileprivate var parsedGrowth: Growth? {
        get throws {
            guard let growth else { return nil }
            guard drawnPattern != nil || pattern == "dense" else {
                throw ExperimentError.option(
                    name: "growth",
                    expected: "the pattern dense or one such as random:0.2, which is what growth ends with, "
                        + "not '\(pattern)'")
            }
            return try Growth(
                parsing: growth, to: drawnPattern?.density ?? 1, block: drawnPattern?.block ?? 1,
                distribution: distribution ?? .uniform)
        }
    }
}

extension RunCost {
    /// Of a model whose connections came and went in a network.
    init(ofModel path: String, partOf initial: Network) throws {
        let network = try ModelFile(contentsOf: path).network
        self.init(NetworkCost(network), removed: [])
        func filters(_ network: Network) -> Int {
            network.nodes.reduce(0) { sum, node in
                switch node.layer {
                case .convolution, .fullyConnected: sum + network.shape(of: node.name).channels
                default: sum
                }
            }
        }
        removedChannels = filters(initial.withoutAuxiliaryHeads) - filters(network)
    }

    public init(_ cost: NetworkCost, removed: [RemovedChannels]) {
        self.init(
            parameters: cost.parameters, parametersWithoutClassifier: cost.parametersWithoutClassifier,
            convolutionParameters: cost.convolutionParameters, multiplyAdds: cost.multiplyAdds,
            connections: cost.connections, removedChannels: removed.reduce(0) { $0 + $1.channels.count })
    }
}
