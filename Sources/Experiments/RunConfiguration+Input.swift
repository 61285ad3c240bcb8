import GossamerDatasets
import GossamerNetworks
import GossamerTensors

extension RunConfiguration {
    /// Opens the data set that the configuration names.
    public func openDataset() throws(DatasetError) -> Dataset {
        try Dataset.open(.parse(data), cacheByteLimit: cacheByteLimit ?? Dataset.defaultCacheByteLimit)
    }

    /// The network before depth multiplier and pattern, for the classes of a data set and images of the size that the
    /// configuration, the images or else the network itself call for.
    public func baseNetwork(for dataset: Dataset) throws -> Network {
        let channels = dataset.channels
        let own = imageSize.map { Shape(channels: channels, height: $0, width: $0) } ?? dataset.shape
        let standard = Architecture.all.first { $0.name == network }?.standardInput
        let input = own ?? Shape(
            channels: channels, height: standard?.height ?? Self.usualSide, width: standard?.width ?? Self.usualSide)
        let base = try Network.named(network, classes: dataset.classNames.count, input: input)
        if let imageSize, base.inputShape.height != imageSize || base.inputShape.width != imageSize {
            throw ExperimentError.option(
                name: "image size", expected: "\(base.inputShape.height) x \(base.inputShape.width), "
                    + "the only size that network '\(base.name)' takes, not \(imageSize)")
        }
        if let found = dataset.shape, imageSize == nil, resizing == nil,
            found.height != base.inputShape.height || found.width != base.inputShape.width {
            throw ExperimentError.option(
                name: "data '\(data)'", expected: "images of \(base.inputShape.height) x \(base.inputShape.width) for "
                    + "network '\(base.name)', not \(found.height) x \(found.width), or an option that says how they "
                    + "are resized")
        }
        return base
    }

    /// Of most networks for photographs.
    private static let usualSide = 224

    /// What makes the network's input of an image.
    public func preprocessing(_ normalization: Normalization) throws -> Preprocessing {
        guard let resizing = Preprocessing.Resizing(parsing: resizing ?? "cover") else {
            throw ExperimentError.option(name: "resizing", expected: Preprocessing.Resizing.forms)
        }
        guard let interpolation = Preprocessing.Interpolation(rawValue: interpolation ?? "bilinear") else {
            throw ExperimentError.option(name: "interpolation", expected: Preprocessing.Interpolation.forms)
        }
        return Preprocessing(resizing: resizing, interpolation: interpolation, normalization: normalization)
    }
}
