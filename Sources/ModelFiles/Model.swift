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
public struct ModelLabels: Hashable, Sendable, Codable {
    public var classNames: [String]
    public var normalization: Normalization
    /// Where the model comes from: data set, pattern, seed.
    public var origin: [String: String]

    public init(classNames: [String], normalization: Normalization, origin: [String: String] = [:]) {
        self.classNames = classNames
        self.normalization = normalization
        self.origin = origin
    }
}

extension Model {
    private static let formatKey = "gossamer.format"
    private static let networkKey = "gossamer.network"
    private static let labelsKey = "gossamer.labels"
    private static let format = "1"
    private static let rowStartsSuffix = ".row_starts"
    private static let inputsSuffix = ".inputs"

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
        // A network and its labels hold finite numbers and text only, so that encoding cannot fail.
        let texts = [networkKey: try! encoder.encode(network), labelsKey: try! encoder.encode(labels)]
        var writer = SafetensorsWriter(metadata: texts.mapValues { String(decoding: $0, as: UTF8.self) })
        writer.metadata[formatKey] = format
        writer.add(parameters, of: network)
        for (node, table) in network.connections {
            writer.add(node + rowStartsSuffix, shape: [table.rowStarts.count], values: table.rowStarts)
            writer.add(node + inputsSuffix, shape: [table.inputs.count], values: table.inputs)
        }
        return writer
    }

    /// - Throws: ``ModelFileError`` naming the file, the field and what was expected.
    public init(contentsOf path: String) throws(ModelFileError) {
        try self.init(SafetensorsFile(contentsOf: path))
    }

    /// - Throws: ``ModelFileError`` where the file's tensors and metadata are not those of a model.
    public init(_ file: SafetensorsFile) throws(ModelFileError) {
        guard file.metadata[Self.formatKey] == Self.format else {
            throw .mismatch(
                file: file.path, field: Self.formatKey, expected: "'\(Self.format)', the format of Gossamer's models")
        }
        let network = try Self.network(in: file)
        let labels = try Self.labels(in: file, of: network)
        let layout = ParameterLayout(network)
        // All shapes are checked before memory is taken for them: a small file must not ask for a large network.
        try file.requireParameters(of: layout)
        let parameters = Parameters(zerosFor: layout)
        try file.readParameters(into: parameters)
        self.init(network: network, parameters: parameters, labels: labels)
    }

    private static func labels(in file: SafetensorsFile, of network: Network) throws(ModelFileError) -> ModelLabels {
        let labels = try decode(ModelLabels.self, labelsKey, in: file)
        guard labels.normalization.channelCount == network.inputShape.channels else {
            throw .mismatch(
                file: file.path, field: labelsKey,
                expected: "a mean for each of \(network.inputShape.channels) channels")
        }
        guard labels.classNames.count == network.outputShape.count else {
            throw .mismatch(file: file.path, field: labelsKey, expected: "\(network.outputShape.count) class names")
        }
        return labels
    }

    /// The architecture from the metadata with the connections from the tensors.
    private static func network(in file: SafetensorsFile) throws(ModelFileError) -> Network {
        let network = try decode(Network.self, networkKey, in: file)
        var tables: [String: ConnectionTable] = [:]
        for node in network.nodes where file.contains(node.name + rowStartsSuffix) {
            let starts = try file.values(node.name + rowStartsSuffix, as: Int32.self).values
            let inputs = try file.values(node.name + inputsSuffix, as: Int32.self).values
            guard case .convolution = node.layer else {
                throw .mismatch(file: file.path, field: node.name, expected: "connections only of convolutions")
            }
            do throws(ConnectionTableError) {
                tables[node.name] = try ConnectionTable(
                    inputCount: network.inputShape(of: node).channels, rowStarts: starts, inputs: inputs)
            } catch {
                throw .malformed(file: file.path, field: node.name + inputsSuffix, expected: error.message)
            }
        }
        do throws(NetworkError) {
            return try Network(name: network.name, nodes: network.nodes, connections: tables)
        } catch {
            throw .malformed(file: file.path, field: networkKey, expected: error.description)
        }
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ key: String, in file: SafetensorsFile
    ) throws(ModelFileError) -> Value {
        guard let text = file.metadata[key] else {
            throw .mismatch(file: file.path, field: key, expected: "metadata of this name")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch let error as NetworkError {
            throw .malformed(file: file.path, field: key, expected: error.description)
        } catch {
            throw .malformed(file: file.path, field: key, expected: "valid JSON of a \(type)")
        }
    }
}
