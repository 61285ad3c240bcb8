import ArgumentParser
import Gossamer
import GossamerExperiments

/// What a training begins with, and which layers it leaves alone.
struct StartOptions: ParsableArguments {
    @Option(
        name: .customLong("init"),
        help: "A model file to begin with: its network, connections, weights and normalisation.")
    var model: String?

    @Option(help: "Classes that the data set must have; where the model has others, its classifier is made anew.")
    var classes: Int?

    @Option(help: "Leave the layers alone whose names begin so. May be repeated.")
    var freeze: [String] = []
}

extension StartOptions {
    func apply(
        to configuration: inout RunConfiguration, _ network: NetworkOptions, _ input: InputOptions
    ) throws {
        if !freeze.isEmpty { configuration.frozenPrefixes = freeze }
        guard let model else { return }
        guard network.network == NetworkOptions.standardNetwork, network.pattern == "dense",
            network.depthMultiplier == 1
        else { throw ValidationError("--init: expected without --network, --pattern and --depth-multiplier") }
        guard input.imageSize == nil, input.resizing == nil, input.interpolation == nil else {
            throw ValidationError(
                "--init: expected without --image-size, --resizing and --interpolation, which the model decides")
        }
        configuration.initialModel = model
    }

    func checkClasses(of dataset: Dataset) throws {
        if let classes, classes != dataset.classNames.count {
            throw ValidationError("--classes \(classes): the data set has \(dataset.classNames.count)")
        }
        if let model { try Self.compareClasses(ofModel: model, with: dataset) }
    }

    /// Warns where a model that training begins with calls its classes otherwise: its classifier is kept.
    static func compareClasses(ofModel path: String, with dataset: Dataset) throws {
        guard let difference = try ModelFile(contentsOf: path).labels.difference(from: dataset.classNames) else {
            return
        }
        Console.warn("\(difference); the classifier is kept, and becomes the data set's by training alone")
    }
}
