import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// Reads ONNX files of convolutional networks, as PyTorch, TensorFlow's exporters and the ONNX model zoo write them.
///
/// One input and one output; the batch is left open whatever the file says. Grouped and depthwise convolutions, and
/// kernels that are all zero, become connections that do not exist. Batch normalisation stays a layer of its own, so
/// that the network can be trained further.
public struct ONNXImporter: Hashable, Sendable {
    /// The output to read where the file has several; what it does not need is left out.
    public var output: String?
    /// Height and width of the images where the file leaves them open.
    public var imageSize: Int?

    /// A model has a name for each value of its output.
    static let largestOutputCount = 1 << 18

    public init(output: String? = nil, imageSize: Int? = nil) {
        self.output = output
        self.imageSize = imageSize
    }

    /// Reads a file; tensors that it keeps in other files must lie below its folder.
    ///
    /// - Throws: ``ModelFileError`` naming the file, the node or tensor, and what was expected.
    public func model(contentsOf path: String) throws(ModelFileError) -> Model {
        let file = try OpenFile(path: path)
        let largest = ONNXExporter.largestByteCount
        guard file.byteCount <= largest else {
            throw .malformed(file: path, field: "size", expected: "at most 2 GB, the rest as external data")
        }
        do throws(ExecutionError) {
            // The bytes, and the weights in the message that is made of them.
            try requireMemory(byteCount: 2 * file.byteCount, for: "importing '\(path)'")
        } catch {
            throw .unreadable(file: path, reason: error.description)
        }
        var bytes = Data(count: file.byteCount)
        var failure: ModelFileError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(ModelFileError) {
                try file.read(into: buffer, from: 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        return try model(bytes, path: path, files: ExternalFiles(folder: folder))
    }

    /// Reads a file that is in memory; it must hold all its tensors.
    ///
    /// - Parameter path: what errors call it.
    public func model(bytes: [UInt8], path: String = "ONNX bytes") throws(ModelFileError) -> Model {
        try model(Data(bytes), path: path, files: ExternalFiles(folder: nil))
    }

    private func model(
        _ bytes: consuming Data, path: String, files: consuming ExternalFiles
    ) throws(ModelFileError) -> Model {
        let byteCount = bytes.count
        guard !FieldCount.isTooLarge(bytes) else {
            throw .malformed(file: path, field: "message", expected: "at most \(FieldCount.largest) fields")
        }
        let message: Onnx_ModelProto
        do {
            message = try Onnx_ModelProto(serializedBytes: bytes)
        } catch {
            throw .malformed(file: path, field: "message", expected: "a whole ONNX file")
        }
        let (draft, output) = try GraphReader.read(
            message, byteCount: byteCount, file: path, files: files, output: output, side: imageSize)
        let count = draft.nodes[output].shape.count
        guard count <= Self.largestOutputCount else {
            throw .mismatch(
                file: path, field: "output", expected: "at most \(Self.largestOutputCount) values, found \(count)")
        }
        let simplified = DraftSimplification.apply(to: draft, output: output)
        let assembly = try NetworkAssembly(
            simplified, output: output, name: Self.name(message.graph.name, path: path), file: path)
        let labels = Self.labels(message, of: assembly.network)
        return Model(network: assembly.network, parameters: assembly.parameters, labels: labels)
    }

    /// The graph's name, unless it is one that exporters give to every graph.
    private static func name(_ name: String, path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        let stem = last.hasSuffix(".onnx") ? String(last.dropLast(5)) : last
        let isTelling = !["", "main_graph", "torch_jit", "torch-jit-export", "tf2onnx", "graph"].contains(name)
        return Draft.plainName(isTelling ? name : stem) ?? "network"
    }

    /// What the file's metadata says of classes and images, as ``ONNXExporter`` writes it.
    private static func labels(_ message: Onnx_ModelProto, of network: Network) -> ModelLabels {
        func decoded<Value: Decodable>(_ key: String, _ type: Value.Type) -> Value? {
            let text = message.metadataProps.first { $0.key == "gossamer.\(key)" }?.value
            return text.flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
        }
        let classes = network.outputShape.count
        let names = decoded("classNames", [String].self).flatMap { $0.count == classes ? $0 : nil }
        let channels = network.inputShape.channels
        // Earlier files hold the normalisation alone.
        let preprocessing = decoded("preprocessing", Preprocessing.self)
            ?? decoded("normalization", Normalization.self).map { Preprocessing(normalization: $0) }
        var labels = ModelLabels(
            unlabelled: network, origin: decoded("origin", [String: String].self) ?? ["format": "ONNX"])
        if let names { labels.classNames = names }
        if let preprocessing, preprocessing.normalization.channelCount == channels {
            labels.preprocessing = preprocessing
        }
        return labels
    }
}
