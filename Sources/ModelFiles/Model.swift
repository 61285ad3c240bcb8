import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// A trained network with what is needed to use it: parameters, class names and the preprocessing of its images.
///
/// On disk it is one safetensors file: active kernels as [connection, height, width], the connections of sparse layers
/// as row starts and input channels, and the rest as JSON in the metadata. Its size follows the number of connections.
public struct Model: ~Copyable, Sendable {
    public let network: Network
    public let parameters: Parameters
    /// What the model's outputs mean.
    public let labels: ModelLabels

    public init(network: Network, parameters: consuming Parameters, labels: ModelLabels) {
        self.network = network
        self.parameters = parameters
        self.labels = labels
    }
}

/// What a model takes and what its outputs are called.
///
/// Text in it may come from any file and go to a terminal: its control characters become question marks.
public struct ModelLabels: Hashable, Sendable {
    public var classNames: [String] { didSet { classNames = classNames.map(plain) } }
    /// What turns an image into the network's input.
    public var preprocessing: Preprocessing
    /// Where the model comes from: data set, pattern, seed.
    public var origin: [String: String] { didSet { origin = plain(origin) } }

    public init(classNames: [String], preprocessing: Preprocessing, origin: [String: String] = [:]) {
        self.classNames = classNames.map(plain)
        self.preprocessing = preprocessing
        self.origin = plain(origin)
    }

    public init(classNames: [String], normalization: Normalization, origin: [String: String] = [:]) {
        self.init(
            classNames: classNames, preprocessing: Preprocessing(normalization: normalization), origin: origin)
    }

    /// Classes that are called by their numbers, and images whose pixels go in as they are, from 0 to 1.
    public init(unlabelled network: Network, origin: [String: String]) {
        let channels = network.inputShape.channels
        self.init(
            classNames: (0 ..< network.outputShape.count).map(String.init),
            normalization: Normalization(
                mean: Array(repeating: 0, count: channels), standardDeviation: Array(repeating: 1, count: channels)),
            origin: origin)
    }

    public var normalization: Normalization { preprocessing.normalization }

    /// The first class that has another name in a data set, in words; nil where there is none, and where the numbers of
    /// classes differ.
    package func difference(from classNames: [String]) -> String? {
        guard classNames.count == self.classNames.count else { return nil }
        let pairs = zip(self.classNames, classNames.map(plain)).enumerated()
        return pairs.first { $1.0 != $1.1 }.map { index, names in
            "class \(index) is '\(oneLine(names.0))' in the model and '\(oneLine(names.1))' in the data set"
        }
    }
}

/// Without control characters.
private func plain(_ text: String) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
}

private func plain(_ texts: [String: String]) -> [String: String] {
    Dictionary(texts.map { (plain($0), plain($1)) }) { first, _ in first }
}

extension ModelLabels: Codable {
    private enum CodingKeys: CodingKey { case classNames, preprocessing, normalization, origin }

    /// Earlier files hold the normalisation alone.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            classNames: try container.decode([String].self, forKey: .classNames),
            preprocessing: try container.decodeIfPresent(Preprocessing.self, forKey: .preprocessing)
                ?? Preprocessing(normalization: container.decode(Normalization.self, forKey: .normalization)),
            origin: try container.decode([String: String].self, forKey: .origin))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(classNames, forKey: .classNames)
        try container.encode(preprocessing, forKey: .preprocessing)
        try container.encode(origin, forKey: .origin)
    }
}

extension Model {
    /// Writes the model beside `path` and renames it. Auxiliary heads, which only training has, are left out.
    public static func save(
        _ network: Network, parameters: borrowing Parameters, labels: ModelLabels, to path: String
    ) throws(ModelFileError) {
        try writer(network, parameters: parameters, labels: labels).write(to: path)
    }

    public func save(to path: String) throws(ModelFileError) {
        try Self.save(network, parameters: parameters, labels: labels, to: path)
    }

    /// The model as tensors and metadata.
    public static func writer(
        _ network: Network, parameters: borrowing Parameters, labels: ModelLabels
    ) -> SafetensorsWriter {
        let network = network.withoutAuxiliaryHeads
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Labels hold finite numbers and text only, so that encoding cannot fail.
        let text = String(decoding: try! encoder.encode(labels), as: UTF8.self)
        var writer = SafetensorsWriter(metadata: [ModelFormat.labelsKey: text])
        writer.metadata[ModelFormat.key] = ModelFormat.version
        writer.add(network)
        writer.add(parameters, of: network)
        return writer
    }

    /// - Throws: ``ModelFileError`` naming the file, the field and what was expected.
    public init(contentsOf path: String) throws(ModelFileError) {
        try self.init(SafetensorsFile(contentsOf: path))
    }

    /// - Throws: ``ModelFileError`` where the file's tensors and metadata are not those of a model.
    public init(_ file: SafetensorsFile) throws(ModelFileError) {
        let model = try ModelFile(file)
        let parameters = Parameters(zerosFor: model.parameters)
        try file.readParameters(into: parameters)
        self.init(network: model.network, parameters: parameters, labels: model.labels)
    }
}

/// Names in the file's metadata and of its tensors.
enum ModelFormat {
    static let key = "gossamer.format"
    static let version = "1"
    static let networkKey = "gossamer.network"
    static let labelsKey = "gossamer.labels"
    static let rowStartsSuffix = ".row_starts"
    static let inputsSuffix = ".inputs"
}
