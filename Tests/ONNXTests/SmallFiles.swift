import GossamerExecution
import GossamerModelFiles
import GossamerONNX
import GossamerTensors
import GossamerTestSupport
import SwiftProtobuf
import Testing

/// What suites share that make ONNX files themselves.
protocol SmallFiles {}

extension SmallFiles {
    /// A network of one convolution of 2 x 2 kernels on images of 3 x 6 x 5, to be spoiled.
    func model(_ spoil: (inout Onnx_ModelProto) -> Void) throws -> Onnx_ModelProto {
        var model = Onnx_ModelProto()
        model.irVersion = 8
        var operators = Onnx_OperatorSetIdProto()
        operators.version = 13
        model.opsetImport = [operators]
        model.graph.name = "small"
        var input = Onnx_ValueInfoProto()
        input.name = "x"
        input.type.tensorType.elemType = 1
        input.type.tensorType.shape.dim = [Int64(1), 3, 6, 5].map(dimension)
        model.graph.input = [input]
        var output = Onnx_ValueInfoProto()
        output.name = "y"
        model.graph.output = [output]
        model.graph.initializer = [floats("w", [4, 3, 2, 2], (0 ..< 48).map(Float.init))]
        model.graph.node = [node("Conv", ["x", "w"], "y")]
        spoil(&model)
        return model
    }

    func dimension(_ size: Int64) -> Onnx_TensorShapeProto.Dimension {
        var dimension = Onnx_TensorShapeProto.Dimension()
        dimension.dimValue = size
        return dimension
    }

    func node(
        _ kind: String, _ inputs: [String], _ output: String, _ attributes: [String: [Int64]] = [:]
    ) -> Onnx_NodeProto {
        var node = Onnx_NodeProto()
        node.opType = kind
        node.name = "the \(kind)"
        node.input = inputs
        node.output = [output]
        node.attribute = attributes.sorted { $0.key < $1.key }.map { name, values in
            var attribute = Onnx_AttributeProto()
            attribute.name = name
            attribute.type = .ints
            attribute.ints = values
            attribute.i = values.first ?? 0
            return attribute
        }
        return node
    }

    func attribute(_ name: String, _ value: Float) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .float
        attribute.f = value
        return attribute
    }

    func integers(_ name: String, _ values: [Int64]) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.dataType = 7
        tensor.dims = [Int64(values.count)]
        tensor.int64Data = values
        return tensor
    }

    func floats(_ name: String, _ dims: [Int64], _ values: [Float]) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.dataType = 1
        tensor.dims = dims
        tensor.floatData = values
        return tensor
    }

    func imported(_ spoil: (inout Onnx_ModelProto) -> Void) throws -> Model {
        let bytes: [UInt8] = try model(spoil).serializedBytes()
        return try ONNXImporter().model(bytes: bytes)
    }

    /// - Returns: the error's only line.
    func error(_ spoil: (inout Onnx_ModelProto) -> Void) throws -> String {
        let bytes: [UInt8] = try model(spoil).serializedBytes()
        do {
            _ = try ONNXImporter().model(bytes: bytes)
        } catch {
            #expect(!error.description.contains("\n"))
            return error.description
        }
        return "imported"
    }

    /// What the imported network makes of an image that is always the same.
    func outputs(_ spoil: (inout Onnx_ModelProto) -> Void) throws -> [Float] {
        let model = try imported(spoil)
        var generator = SeededGenerator(seed: 1)
        let image = generator.bells(model.network.inputShape.count)
        var plan = try InferencePlan(model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
        return plan(image)
    }
}
