import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerNetworks

/// A model file, open for reading: the network and its labels are in memory, each parameter is read when asked for.
public struct ModelFile: Sendable {
    public let network: Network
    public let labels: ModelLabels
    public let parameters: ParameterLayout
    private let file: SafetensorsFile

    /// - Throws: ``ModelFileError`` naming the file, the field and what was expected.
    public init(contentsOf path: String) throws(ModelFileError) {
        try self.init(SafetensorsFile(contentsOf: path))
    }

    /// - Throws: ``ModelFileError`` where the file's tensors and metadata are not those of a model.
    public init(_ file: SafetensorsFile) throws(ModelFileError) {
        guard file.metadata[ModelFormat.key] == ModelFormat.version else {
            throw .mismatch(
                file: file.path, field: ModelFormat.key,
                expected: "'\(ModelFormat.version)', the format of Gossamer's models")
        }
        network = try Self.network(in: file)
        labels = try Self.labels(in: file, of: network)
        parameters = ParameterLayout(network)
        // All shapes are checked before memory is taken for them: a small file must not ask for a large network.
        try file.requireParameters(of: parameters)
        self.file = file
    }

    /// Reads one parameter, as an ``InferencePlan`` asks for it.
    public func read(
        _ entry: ParameterLayout.Entry, into values: UnsafeMutableBufferPointer<Float>
    ) throws(ModelFileError) {
        try file.read(entry.name, into: values)
    }

    /// Compiles the network for inference, reading one parameter after another.
    ///
    /// - Throws: ``ModelFileError`` or ``ExecutionError``.
    public func inferencePlan(
        capacity: Int = 1, pool: ThreadPool, choice: KernelChoice = .byRule
    ) throws -> InferencePlan {
        var failure: ModelFileError?
        do throws(ExecutionError) {
            return try InferencePlan(network, capacity: capacity, pool: pool, choice: choice) {
                entry, values throws(ExecutionError) in
                do throws(ModelFileError) {
                    try read(entry, into: values)
                } catch {
                    failure = error
                    throw ExecutionError(error.description)
                }
            }
        } catch {
            throw failure ?? error
        }
    }

    private static func labels(in file: SafetensorsFile, of network: Network) throws(ModelFileError) -> ModelLabels {
        let labels = try decode(ModelLabels.self, ModelFormat.labelsKey, in: file)
        guard labels.normalization.channelCount == network.inputShape.channels else {
            throw .mismatch(
                file: file.path, field: ModelFormat.labelsKey,
                expected: "a mean for each of \(network.inputShape.channels) channels")
        }
        guard labels.classNames.count == network.outputShape.count else {
            throw .mismatch(file: file.path, field: ModelFormat.labelsKey,
                expected: "\(network.outputShape.count) class names")
        }
        return labels
    }

    /// The architecture from the metadata with the connections from the tensors.
    private static func network(in file: SafetensorsFile) throws(ModelFileError) -> Network {
        let network = try decode(Network.self, ModelFormat.networkKey, in: file)
        var tables: [String: ConnectionTable] = [:]
        for node in network.nodes where file.contains(node.name + ModelFormat.rowStartsSuffix) {
            let starts = try file.values(node.name + ModelFormat.rowStartsSuffix, as: Int32.self).values
            let inputs = try file.values(node.name + ModelFormat.inputsSuffix, as: Int32.self).values
            guard case .convolution = node.layer else {
                throw .mismatch(file: file.path, field: node.name, expected: "connections only of convolutions")
            }
            do throws(ConnectionTableError) {
                tables[node.name] = try ConnectionTable(
                    inputCount: network.inputShape(of: node).channels, rowStarts: starts, inputs: inputs)
            } catch {
                throw .malformed(file: file.path, field: node.name + ModelFormat.inputsSuffix, expected: error.message)
            }
        }
        do throws(NetworkError) {
            return try Network(name: network.name, nodes: network.nodes, connections: tables)
        } catch {
            throw .malformed(file: file.path, field: ModelFormat.networkKey, expected: error.description)
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
