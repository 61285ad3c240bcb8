import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// Writes networks as ONNX files: input `images` of [batch, channel, row, column], output `logits`.
///
/// Convolutions whose connections form groups are written as such; ONNX knows no other sparse connections, so that any
/// other sparse convolution becomes a dense one with zeros. Dropout and auxiliary heads disappear. Class names and the
/// preprocessing of images go into the file's metadata.
public struct ONNXExporter: Hashable, Sendable {
    /// Whether batch normalisation that alone reads a convolution is multiplied into its weights.
    public var foldsBatchNormalization: Bool

    /// Whether weights of which more than two thirds are zero are written without their zeros, so that files of sparse
    /// networks are small. ONNX Runtime reads such files; OpenVINO and ncnn do not.
    public var usesSparseInitializers: Bool

    public init(foldsBatchNormalization: Bool = false, usesSparseInitializers: Bool = false) {
        self.foldsBatchNormalization = foldsBatchNormalization
        self.usesSparseInitializers = usesSparseInitializers
    }

    /// Of the protocol buffers that ONNX files are.
    static let largestByteCount = Int(Int32.max)
    /// Conservative, so that older runtimes read the files too: ONNX 1.12 of 2022.
    static let operatorSet: Int64 = 17
    static let formatVersion: Int64 = 8

    /// Writes the file beside `path` and renames it.
    ///
    /// - Parameter labels: what the outputs are called and how images are prepared; nil where nobody knows.
    /// - Throws: `unwritable` where the system refuses, or where the weights exceed what a file can hold.
    public func write(
        _ network: Network, parameters: borrowing Parameters, labels: ModelLabels? = nil, to path: String
    ) throws(ModelFileError) {
        let byteCount = Self.weightByteCount(of: network)
        guard byteCount < Self.largestByteCount else {
            throw .unwritable(
                file: path,
                reason: "an ONNX file holds at most 2 GB, and the weights of '\(network.name)', "
                    + "with the zeros of its sparse layers, take \(byteCount) bytes")
        }
        do {
            // The weights once in the model and once in its bytes.
            try requireMemory(byteCount: 2 * byteCount, for: "exporting '\(network.name)'")
        } catch {
            throw .unwritable(file: path, reason: error.description)
        }
        let bytes: [UInt8]
        do {
            bytes = try model(network, parameters: parameters, labels: labels).serializedBytes()
        } catch {
            throw .unwritable(file: path, reason: "\(error)")
        }
        try AtomicFile.write(to: path) { (sink) throws(ModelFileError) in
            try bytes.withUnsafeBufferPointer { (buffer) throws(ModelFileError) in
                try sink(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// The network as the message that ``write(_:parameters:labels:to:)`` writes.
    package func model(
        _ network: Network, parameters: borrowing Parameters, labels: ModelLabels? = nil
    ) -> Onnx_ModelProto {
        let network = network.withoutAuxiliaryHeads
        var operators = Onnx_OperatorSetIdProto()
        operators.version = Self.operatorSet
        var model = Onnx_ModelProto()
        model.irVersion = Self.formatVersion
        model.opsetImport = [operators]
        model.producerName = "gossamer"
        model.producerVersion = GossamerVersion.current
        model.graph = GraphWriter.graph(
            of: network, parameters: parameters, folds: foldsBatchNormalization,
            isSparse: usesSparseInitializers)
        model.metadataProps = labels.map(Self.metadata) ?? []
        return model
    }

    /// Bytes of all weights, with the zeros that files have where there is no connection.
    private static func weightByteCount(of network: Network) -> Int {
        let cost = NetworkCost(network)
        let zeros = network.withoutAuxiliaryHeads.nodes.reduce(0) { sum, node in
            guard case .convolution(let layer) = node.layer, let table = network.connections[node.name] else {
                return sum
            }
            let written = table.inputCount / table.groupCount * table.outputCount
            return sum + (written - table.count) * layer.kernel.height * layer.kernel.width
        }
        return 4 * (cost.parameters + cost.runningStatistics + zeros)
    }

    /// JSON texts, and under the names of the model file's own fields.
    private static func metadata(_ labels: ModelLabels) -> [Onnx_StringStringEntryProto] {
        func entry(_ key: String, _ value: some Encodable) -> Onnx_StringStringEntryProto {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var entry = Onnx_StringStringEntryProto()
            entry.key = "gossamer.\(key)"
            // Labels hold finite numbers and text only, so that encoding cannot fail.
            entry.value = String(decoding: try! encoder.encode(value), as: UTF8.self)
            return entry
        }
        return [
            entry("classNames", labels.classNames), entry("preprocessing", labels.preprocessing),
            entry("origin", labels.origin),
        ]
    }
}
