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
        network = try file.network()
        labels = try Self.labels(in: file, of: network)
        parameters = ParameterLayout(network)
        // All shapes are checked before memory is taken for them: a small file must not ask for a large network.
        try file.requireParameters(of: parameters)
        self.file = file
    }

    /// Reads one parameter, as an ``InferencePlan`` asks for it, and checks its values.
    public func read(
        _ entry: ParameterLayout.Entry, into values: UnsafeMutableBufferPointer<Float>
    ) throws(ModelFileError) {
        try file.read(entry, into: values)
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
        let labels = try file.decode(ModelLabels.self, ModelFormat.labelsKey)
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
}
