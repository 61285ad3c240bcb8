import Foundation
import GossamerModelFiles
import GossamerONNX
import GossamerTestSupport
import SwiftProtobuf
import Testing

/// Short files that ask for much: each part may be small enough where all together are not.
@Suite struct ImportLimitTests: SmallFiles {
    @Test func batches() throws {
        func outcome(_ batch: Int64, _ nodes: [Onnx_NodeProto]) throws -> String {
            try error { model in
                model.graph.input[0].type.tensorType.shape.dim[0].dimValue = batch
                model.graph.initializer += [integers("flat", [0, -1]), integers("zero", [0]), integers("one", [1])]
                model.graph.node += nodes
                model.graph.output[0].name = "z"
            }
        }
        let reshape = [node("Reshape", ["y", "flat"], "z")]
        let slice = [node("Slice", ["y", "zero", "one", "zero"], "z")]
        #expect(try outcome(1 << 16, reshape) == "imported")
        #expect(try outcome(1 << 16, slice).contains("the whole batch"))
        for batch: Int64 in [1 << 16 + 1, 1 << 31, 1 << 62, .max] {
            for nodes in [reshape, slice] {
                let text = try outcome(batch, nodes)
                #expect(text.contains("input 'x'") && text.contains("at most 65536 images"), "\(text)")
            }
        }
    }

    /// Each size is within its limit, and their product is not.
    @Test func largeImages() throws {
        for nodes in [[node("Flatten", ["x"], "y")], [node("Size", ["x"], "n"), node("Mul", ["x", "n"], "y")]] {
            let text = try error { model in
                model.graph.input[0].type.tensorType.shape.dim = [1 << 16, 1 << 20, 1 << 20, 1 << 20].map(dimension)
                model.graph.node = nodes
            }
            #expect(text.contains("input 'x'"), "\(text)")
        }
        // A channel over and over.
        #expect(try error { model in
            model.graph.input[0].type.tensorType.shape.dim = [1, 1, 1 << 20, 1 << 20].map(dimension)
            model.graph.initializer = [integers("shape", [1 << 20])]
            var zeros = node("ConstantOfShape", ["shape"], "zeros")
            var value = Onnx_AttributeProto()
            value.name = "value"
            value.t = integers("", [0])
            zeros.attribute = [value]
            model.graph.node = [zeros, node("Gather", ["x", "zeros"], "y", ["axis": [1]])]
        }.contains("(Gather)"))
        // An axis of so many values that their indices would fill memory.
        for kind in ["Slice", "Split"] {
            #expect(try error { model in
                model.graph.input[0].type.tensorType.shape.dim = [1, 1, 1 << 20, 1 << 20].map(dimension)
                model.graph.initializer = [integers("zero", [0]), integers("end", [.max]), integers("axis", [1])]
                let inputs = kind == "Slice" ? ["flat", "zero", "end", "axis"] : ["flat"]
                model.graph.node = [node("Flatten", ["x"], "flat"), node(kind, inputs, "y", ["axis": [1]])]
            }.contains("(\(kind))"))
        }
    }

    /// Chooses channels by a range from a to b in steps of c.
    private func choose(_ model: inout Onnx_ModelProto, by numbers: [Onnx_TensorProto]) {
        model.graph.initializer += numbers
        model.graph.node += [node("Range", ["a", "b", "c"], "r"), node("Gather", ["y", "r"], "z", ["axis": [1]])]
        model.graph.output[0].name = "z"
    }

    @Test func rangesOfIntegers() throws {
        func outcome(_ start: Int64, _ limit: Int64, _ step: Int64) throws -> String {
            try error { choose(&$0, by: [integers("a", [start]), integers("b", [limit]), integers("c", [step])]) }
        }
        #expect(try outcome(0, 3, 1) == "imported")
        #expect(try outcome(2, -1, -1) == "imported")
        #expect(try outcome(0, 0, 1).contains("(Gather)"))
        #expect(try outcome(0, .min, 1).contains("(Gather)"))
        #expect(try outcome(.max, .max - 1, -1).contains("(Gather)"))
        for (start, limit, step): (Int64, Int64, Int64) in [
            (0, .max, 1), (.min, .max, 1), (.max, .min, -1), (.max, .min, 1), (0, .min, -1), (0, 3, 0), (0, 1 << 25, 1),
        ] {
            #expect(try outcome(start, limit, step).contains("(Range)"), "\(start) \(limit) \(step)")
        }
    }

    @Test func rangesOfRealNumbers() throws {
        func outcome(_ start: Float, _ limit: Float, _ step: Float) throws -> String {
            try error {
                choose(&$0, by: [floats("a", [], [start]), floats("b", [], [limit]), floats("c", [], [step])])
            }
        }
        // Empty, and no integers.
        #expect(try outcome(3e38, -3e38, 1).contains("(Gather)"))
        for (start, limit, step): (Float, Float, Float) in [
            (-3e38, 3e38, 1), (0, 9.3e18, 1), (0, .infinity, 1), (0, -.infinity, 1), (0, .nan, 1), (0, 1, 0),
        ] {
            #expect(try outcome(start, limit, step).contains("(Range)"), "\(start) \(limit) \(step)")
        }
    }

    /// In single precision the range would have four values.
    @Test func rangesOfLargeIntegers() throws {
        let start: Int64 = 1 << 24 + 1
        let model = try imported { model in
            choose(&model, by: [integers("a", [start]), integers("b", [start + 2]), integers("c", [1])])
            model.graph.node[2].input = ["y", "i"]
            model.graph.node.append(node("Sub", ["r", "a"], "i"))
        }
        #expect(model.network.outputShape.channels == 2)
    }

    @Test func computedConstants() throws {
        let text = try error { model in
            model.graph.initializer.append(integers("shape", [1 << 22]))
            model.graph.node = (0 ..< 100).map { node("Abs", ["c\($0)"], "c\($0 + 1)") }
            model.graph.node.append(node("ConstantOfShape", ["shape"], "c0"))
            model.graph.node.append(node("Size", ["c100"], "n"))
            model.graph.node.append(node("Mul", ["x", "n"], "y"))
        }
        #expect(text.contains("(Abs)") && text.contains("values when it is imported"), "\(text)")
    }

    /// Sizes beside one of 0 make no values, and may not be counted one by one.
    @Test func constantsWithoutValues() throws {
        for (kind, attributes): (String, [String: [Int64]]) in [
            ("Flatten", ["axis": [1]]), ("Transpose", ["perm": [2, 1, 0]]), ("Split", ["axis": [1]]),
            ("Concat", ["axis": [2]]), ("Slice", ["starts": [0], "ends": [.max], "axes": [1]]),
        ] {
            for dims: [Int64] in [[0, 1 << 40, 1 << 40], [1 << 40, 1 << 40, 0], [0, 1 << 40, 1], [1 << 40, 1, 0]] {
                let text = try error { model in
                    model.graph.initializer.append(floats("c", dims, []))
                    let inputs = kind == "Concat" ? ["c", "c"] : ["c"]
                    model.graph.node += [
                        node(kind, inputs, "d", attributes), node("Size", ["d"], "n"), node("Add", ["y", "n"], "z"),
                    ]
                    model.graph.output[0].name = "z"
                }
                #expect(text == "imported" || text.contains("(\(kind))") || text.contains("tensor 'c'"), "\(text)")
            }
        }
    }

    @Test func sparseTensors() throws {
        func sparse(_ name: String, _ dims: [Int64]) -> Onnx_SparseTensorProto {
            var tensor = Onnx_SparseTensorProto()
            tensor.values = floats(name, [1], [1])
            tensor.indices = integers("", [0])
            tensor.dims = dims
            return tensor
        }
        #expect(try error { model in
            model.graph.sparseInitializer = [sparse("k", [4, 3, 2, 2])]
            model.graph.node = [node("Conv", ["x", "k"], "y")]
        } == "imported")
        // Nobody reads them.
        #expect(try error { model in
            model.graph.sparseInitializer = (0 ..< 1000).map { sparse("s\($0)", [1 << 28]) }
        } == "imported")
        for dims: [Int64] in [[1 << 28], [1 << 20, 1 << 20], [.max, .max], [0], [-1], []] {
            let text = try error { model in
                model.graph.sparseInitializer = [sparse("s", dims)]
                model.graph.node = [node("Add", ["x", "s"], "y")]
            }
            #expect(text.contains("(Add)") && text.contains("sparse tensor 's'"), "\(dims): \(text)")
        }
    }

    /// A shuffle lists all channels.
    @Test func shuffledChannels() throws {
        let text = try error { model in
            model.graph.input[0].type.tensorType.shape.dim = [1, 1 << 20, 1, 1].map(dimension)
            model.graph.initializer = [integers("square", [1, 1 << 10, 1 << 10]), integers("line", [1, 1 << 20])]
            model.graph.node = (0 ..< 100).flatMap { step in
                [
                    node("Reshape", [step == 0 ? "x" : "v\(step)", "square"], "a\(step)"),
                    node("Transpose", ["a\(step)"], "b\(step)", ["perm": [0, 2, 1]]),
                    node("Reshape", ["b\(step)", "line"], "v\(step + 1)"),
                ]
            }
            model.graph.output[0].name = "v100"
        }
        #expect(text.contains("values when it is imported"), "\(text)")
    }

    /// Two bytes in the file, and more than a hundred in memory, for each node, attribute or place of external data.
    @Test func smallMessages() throws {
        func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
            var bytes = [UInt8(number << 3 | 2)]
            var count = content.count
            while count > 127 {
                bytes.append(UInt8(count & 127 | 128))
                count >>= 7
            }
            return bytes + [UInt8(count)] + content
        }
        func empty(_ number: Int) -> [UInt8] {
            let field = UInt8(number << 3 | 2)
            return (0 ..< 10_000_000).map { $0 % 2 == 0 ? field : 0 }
        }
        let graphs = [empty(1), field(1, empty(5)), field(5, empty(13))].map { field(7, $0) }
        for bytes in graphs + [field(14, empty(2))] {
            let error = #expect(throws: ModelFileError.self) { _ = try ONNXImporter().model(bytes: bytes) }
            #expect(error?.description.contains("fields") == true)
        }
    }

    /// A file with a hole takes no room on the disk.
    @Test func externalDataBeyondMemory() throws {
        let folder = TemporaryFolder()
        let path = folder.file("weights.bin")
        try Data().write(to: URL(fileURLWithPath: path))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: 3 << 40)
        try handle.close()
        func external(_ name: String, _ type: Int32, _ dims: [Int64]) -> Onnx_TensorProto {
            var location = Onnx_StringStringEntryProto()
            location.key = "location"
            location.value = "weights.bin"
            var tensor = Onnx_TensorProto()
            tensor.name = name
            tensor.dataType = type
            tensor.dims = dims
            tensor.dataLocation = .external
            tensor.externalData = [location]
            return tensor
        }
        func outcome(_ spoil: (inout Onnx_ModelProto) -> Void) throws -> String {
            let file = folder.file("model.onnx")
            try model(spoil).serializedData().write(to: URL(fileURLWithPath: file))
            do {
                _ = try ONNXImporter().model(contentsOf: file)
                return "imported"
            } catch {
                return error.description
            }
        }
        let weights = try outcome { model in
            model.graph.input[0].type.tensorType.shape.dim = [1, 3, 1 << 10, 1 << 10].map(dimension)
            model.graph.initializer = [external("w", 1, [1 << 18, 3, 1 << 10, 1 << 10])]
        }
        #expect(weights.contains("of memory, the machine has"), "\(weights)")
        let bias = try outcome { model in
            model.graph.initializer.append(external("b", 1, [1 << 39]))
            model.graph.node[0].input.append("b")
        }
        #expect(bias.contains("a bias for each of 4 filters"), "\(bias)")
        for kind in ["Add", "PRelu", "Gemm", "MatMul", "Reshape"] {
            let text = try outcome { model in
                let isShape = kind == "Reshape"
                model.graph.initializer.append(external("b", isShape ? 7 : 1, [isShape ? 1 << 38 : 1 << 39]))
                model.graph.initializer.append(external("m", 1, [80, 1 << 32]))
                let input = kind == "Gemm" || kind == "MatMul" ? ["f", "m"] : ["y", "b"]
                model.graph.node.append(node("Flatten", ["y"], "f"))
                model.graph.node.append(node(kind, input, "z"))
                model.graph.output[0].name = "z"
            }
            #expect(text.contains("(\(kind))"), "\(text)")
        }
    }
}
