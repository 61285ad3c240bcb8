import Foundation
import GossamerModelFiles
import GossamerONNX
import GossamerTestSupport
import SwiftProtobuf
import Testing

/// Files that are broken or mean harm: one line that says what is wrong, soon, and without taking much memory.
@Suite struct HostileFileTests: SmallFiles {
    @Test func theNetworkItself() throws {
        #expect(try error { _ in } == "imported")
    }

    @Test func truncatedAndFlippedBytes() throws {
        let bytes: [UInt8] = try model { _ in }.serializedBytes()
        for count in 0 ..< bytes.count {
            #expect(throws: ModelFileError.self) { _ = try ONNXImporter().model(bytes: Array(bytes[..<count])) }
        }
        for index in bytes.indices {
            for bit in 0 ..< 8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                // Many are other networks, or differ where nobody looks.
                _ = try? ONNXImporter().model(bytes: flipped)
            }
        }
    }

    @Test func unsupportedOperators() throws {
        let einsum = try error { $0.graph.node[0].opType = "Einsum" }
        #expect(einsum.contains("node 'the Conv' (Einsum): expected an operator"))
        #expect(try error { $0.graph.node[0].domain = "com.example" }.contains("(com.example.Conv)"))
        #expect(try error { $0.opsetImport[0].version = 3 }.contains("version 7 or newer"))
        #expect(try error { $0.opsetImport = [] }.contains("opset_import"))
    }

    @Test func cyclesAndMissingValues() throws {
        let cycle = try error { model in
            model.graph.node = [node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b"), node("Relu", ["b"], "y")]
        }
        #expect(cycle.contains("wait for each other"))
        #expect(try error { $0.graph.node[0].input = ["y", "w"] }.contains("wait for each other"))
        #expect(try error { $0.graph.node[0].input = ["z", "w"] }.contains("'z' is not"))
        #expect(try error { $0.graph.node.append(node("Relu", ["x"], "y")) }.contains("one node that computes it"))
        #expect(try error { $0.graph.output = [] }.contains("outputs"))
        #expect(try error { $0.graph.output.append($0.graph.input[0]) }.contains("told which to take"))
        #expect(try error { $0.graph.input.append($0.graph.output[0]) }.contains("inputs"))
        #expect(try error { $0.graph.output[0].name = "w" }.contains("depend on the images"))
        #expect(try error { $0.graph.output[0].name = "nowhere" }.contains("depend on the images"))
    }

    @Test func longChains() throws {
        let chain = try error { model in
            model.graph.node = (0 ..< 60_000).map { node("Relu", [$0 == 0 ? "x" : "v\($0)"], "v\($0 + 1)") }
            model.graph.output[0].name = "v60000"
        }
        #expect(chain.contains("at most 16384 layers"))
        #expect(try error { model in
            model.graph.node = Array(repeating: node("Relu", ["x"], ""), count: 70_000)
        }.contains("at most 65536 nodes"))
    }

    @Test func deepMessages() throws {
        // A tensor type of a sequence of a sequence and so on.
        var bytes: [UInt8] = []
        for _ in 0 ..< 2000 {
            var field: [UInt8] = [0x22]
            var count = bytes.count + 2
            while count > 127 {
                field.append(UInt8(count & 127 | 128))
                count >>= 7
            }
            field.append(UInt8(count))
            bytes = field + [0x0A, 0x00] + bytes
        }
        #expect(throws: ModelFileError.self) { _ = try ONNXImporter().model(bytes: bytes) }
    }

    @Test func wrongSizes() throws {
        #expect(try error { $0.graph.initializer[0].dims = [4, 3, 2, 3] }.contains("72 values"))
        #expect(try error { $0.graph.initializer[0].dims = [4, -3, 2, 2] }.contains("tensor 'w'"))
        #expect(try error { $0.graph.initializer[0].dims = Array(repeating: 1 << 32, count: 4) }.contains("tensor 'w'"))
        #expect(try error { $0.graph.initializer[0].dims = Array(repeating: 1, count: 1000) }.contains("sizes"))
        #expect(try error { $0.graph.initializer[0].rawData = Data([1, 2, 3]) }.contains("48 values"))
        #expect(try error { $0.graph.initializer[0].dims = [4, 2, 2, 3] }.contains("weights for 3 channels"))
        #expect(try error { $0.graph.initializer[0].dims = [2, 6, 2, 2] }.contains("weights for 3 channels"))
        #expect(try error { $0.graph.initializer[0].dims = [48] }.contains("weights of"))
        #expect(try error { $0.graph.initializer[0].dataType = 8 }.contains("values of type 8"))
        for size: Int64 in [0, 1, 1 << 40, .max] {
            #expect(try error { $0.graph.input[0].type.tensorType.shape.dim[2].dimValue = size } != "imported")
        }
        #expect(try error { $0.graph.input[0].type.tensorType.shape.dim = [] }.contains("input 'x'"))
        // A name for each value of the output would take long.
        let large = try error { $0.graph.input[0].type.tensorType.shape.dim[2].dimValue = 1 << 20 }
        #expect(large.contains("262144 values"))
    }

    @Test func absurdAttributes() throws {
        for attributes: [String: [Int64]] in [
            ["strides": [0, 1]], ["strides": [.max, .max]], ["pads": [-1, 0, 0, 0]], ["pads": [.max, 0, .max, 0]],
            ["pads": [1]], ["dilations": [.min, 1]], ["dilations": [1 << 19, 1]], ["kernel_shape": [3, 3]],
            ["group": [0]], ["group": [-1]], ["group": [2]], ["group": [.max]], ["strides": []],
        ] {
            let text = try error { $0.graph.node[0] = node("Conv", ["x", "w"], "y", attributes) }
            #expect(text != "imported", "\(attributes)")
        }
        for (kind, shape): (String, [Int64]) in [
            ("Reshape", [1, .max, .max]), ("Reshape", [-1, -1]), ("Reshape", [0, 0, 0, 0, 0]), ("Reshape", [1, 7, -1]),
            ("Reshape", Array(repeating: 1, count: 100)), ("Expand", [1, 2]), ("Unsqueeze", [1, 1]),
            ("Squeeze", [1]), ("Gather", [3]), ("ReduceMean", [1]), ("Pad", [0, 0, 1]), ("Pad", [.max]),
        ] {
            let text = try error { model in
                model.opsetImport[0].version = 18
                model.graph.initializer.append(integers("shape", shape))
                model.graph.node.append(node(kind, ["y", "shape"], "z"))
                model.graph.output[0].name = "z"
            }
            #expect(text.contains("(\(kind))"), "\(kind) \(shape): \(text)")
        }
    }

    /// Constants that a short file would make large.
    @Test func largeConstants() throws {
        for (kind, values): (String, [Int64]) in [
            ("ConstantOfShape", [1 << 20, 1 << 20]), ("ConstantOfShape", [.max, .max]), ("ConstantOfShape", [-1]),
        ] {
            let text = try error { model in
                model.graph.initializer.append(integers("shape", values))
                model.graph.node = [node(kind, ["shape"], "c"), node("Add", ["x", "c"], "y")]
            }
            #expect(text.contains("(\(kind))"), "\(text)")
        }
        let range = try error { model in
            model.graph.initializer += [integers("a", [0]), integers("b", [1 << 50]), integers("c", [1])]
            model.graph.node = [node("Range", ["a", "b", "c"], "r"), node("Add", ["x", "r"], "y")]
        }
        #expect(range.contains("(Range)"))
        let doubling = try error { model in
            model.graph.node = (0 ..< 60).map { node("Concat", ["c\($0)", "c\($0)"], "c\($0 + 1)", ["axis": [0]]) }
            model.graph.node.append(node("Add", ["x", "c60"], "y"))
            model.graph.initializer.append(integers("c0", [1, 2, 3]))
        }
        #expect(doubling.contains("(Concat)"))
        let arithmetic = try error { model in
            model.graph.initializer += [integers("a", [.max]), integers("b", [0])]
            model.graph.node = [node("Mul", ["a", "a"], "c"), node("Add", ["x", "c"], "y")]
        }
        #expect(arithmetic.contains("(Mul)"))
        #expect(try error { model in
            model.graph.initializer += [integers("a", [.min]), integers("b", [0])]
            model.graph.node = [node("Div", ["a", "b"], "c"), node("Add", ["x", "c"], "y")]
        }.contains("(Div)"))
    }

    /// Names are made such that a model file can hold them.
    @Test func longAndStrangeNames() throws {
        for name in ["\u{7}\n\u{202E}", String(repeating: "\u{1F600}", count: 300), "", "e\u{301}"] {
            let bytes: [UInt8] = try model { model in
                model.graph.name = name
                model.graph.input[0].name = name + "x"
                model.graph.node = [node("Relu", [name + "x"], name + "r"), node("Relu", [name + "r"], "y")]
                for index in 0 ..< 2 { model.graph.node[index].name = name }
            }.serializedBytes()
            let model = try ONNXImporter().model(bytes: bytes)
            let file = try Model.writer(model.network, parameters: model.parameters, labels: model.labels).serialized()
            #expect(try Model(SafetensorsFile(bytes: file)).network == model.network)
        }
    }

    @Test func numbersThatAreNone() throws {
        #expect(try error { $0.graph.initializer[0].floatData[7] = .nan }.contains("finite"))
        #expect(try error { $0.graph.initializer[0].floatData[7] = .infinity }.contains("finite"))
        #expect(try error { model in
            model.graph.initializer.append(integers("zero", [0]))
            model.graph.node.append(node("Div", ["y", "zero"], "z"))
            model.graph.output[0].name = "z"
        }.contains("division by zero"))
    }

    @Test func externalData() throws {
        let folder = TemporaryFolder()
        let values = (0 ..< 48).map(Float.init).withUnsafeBytes { Data($0) }
        try values.write(to: URL(fileURLWithPath: folder.file("weights.bin")))
        func outcome(_ fields: [String: String]) throws -> String {
            let model = try model { model in
                model.graph.initializer[0].floatData = []
                model.graph.initializer[0].dataLocation = .external
                model.graph.initializer[0].externalData = fields.sorted { $0.key < $1.key }.map { key, value in
                    var entry = Onnx_StringStringEntryProto()
                    entry.key = key
                    entry.value = value
                    return entry
                }
            }
            let path = folder.file("model.onnx")
            try model.serializedData().write(to: URL(fileURLWithPath: path))
            do {
                _ = try ONNXImporter().model(contentsOf: path)
                return "imported"
            } catch {
                return error.description
            }
        }
        #expect(try outcome(["location": "weights.bin"]) == "imported")
        #expect(try outcome(["location": "weights.bin", "offset": "0", "length": "192"]) == "imported")
        #expect(try outcome(["location": "weights.bin", "offset": "4"]).contains("192 bytes"))
        #expect(try outcome(["location": "weights.bin", "offset": "-4"]).contains("offset"))
        #expect(try outcome(["location": "weights.bin", "offset": "\(Int.max)"]).contains("192 bytes"))
        #expect(try outcome(["location": "weights.bin", "length": "191"]).contains("192 bytes"))
        #expect(try outcome(["location": "weights.bin", "length": "x"]).contains("length"))
        for location in ["", "/etc/hostname", "../weights.bin", "a/../../weights.bin", "missing.bin", "."] {
            #expect(try outcome(["location": location]).contains("external data"), "\(location)")
        }
        #expect(try outcome([:]).contains("external data"))
    }

    @Test func externalDataOfBytes() throws {
        let text = try error { model in
            model.graph.initializer[0].floatData = []
            model.graph.initializer[0].dataLocation = .external
        }
        #expect(text.contains("inside the model"))
    }

    @Test func notFiles() throws {
        let folder = TemporaryFolder()
        for path in [folder.file("missing.onnx"), folder.path, "/dev/zero"] {
            #expect(throws: ModelFileError.self) { _ = try ONNXImporter().model(contentsOf: path) }
        }
    }
}
