import Foundation
import GossamerModelFiles
import GossamerTestSupport
import Testing

/// Files written by the Python package `safetensors` (Scripts/make-fixtures.py).
@Suite struct SafetensorsInteroperabilityTests {
    @Test func readsEveryType() throws {
        let file = try SafetensorsFile(contentsOf: fixture("safetensors/every-type.safetensors"))
        #expect(file.names == ["bytes", "doubles", "empty", "floats", "ints", "longs", "scalar", "words"])
        #expect(try file.values("bytes", as: UInt8.self) == ([3], [0, 127, 255]))
        #expect(try file.values("words", as: UInt16.self) == ([2], [1, 65535]))
        #expect(try file.values("ints", as: Int32.self) == ([1, 2], [.min, .max]))
        #expect(try file.values("longs", as: Int64.self) == ([2, 1], [.min, .max]))
        #expect(try file.values("doubles", as: Double.self) == ([2], [0.1, -.infinity]))
        #expect(try file.floats("floats") == ([2, 2], [0.1, -1.5, .leastNonzeroMagnitude, .greatestFiniteMagnitude]))
        #expect(try file.floats("empty") == ([0, 3], []))
        #expect(try file.floats("scalar") == ([], [42]))
        #expect(file.metadata == ["format": "pt"])
    }

    @Test func readsMetadata() throws {
        let file = try SafetensorsFile(contentsOf: fixture("safetensors/metadata.safetensors"))
        #expect(file.metadata == ["text": "quote \" backslash \\ slash / line\nbell \u{7} \u{e9} \u{1f578}"])
        #expect(file.names == ["\u{e9} \"name\""])
    }

    @Test func readsAFileWithoutTensors() throws {
        let file = try SafetensorsFile(contentsOf: fixture("safetensors/no-tensors.safetensors"))
        #expect(file.names.isEmpty && file.metadata.isEmpty)
    }

    /// The writer gives the very bytes of the reference implementation.
    @Test(arguments: ["every-type", "metadata", "no-tensors"]) func writesTheSameBytes(name: String) throws {
        let path = fixture("safetensors/\(name).safetensors")
        let file = try SafetensorsFile(contentsOf: path)
        var writer = SafetensorsWriter(metadata: file.metadata)
        for name in file.names.reversed() {
            func copy<Element: SafetensorsElement>(_: Element.Type) throws {
                let (shape, values) = try file.values(name, as: Element.self)
                writer.add(name, shape: shape, values: values)
            }
            switch try file.tensor(name).type {
            case .uint8: try copy(UInt8.self)
            case .uint16: try copy(UInt16.self)
            case .int32: try copy(Int32.self)
            case .int64: try copy(Int64.self)
            case .float32: try copy(Float.self)
            case .float64: try copy(Double.self)
            case .float16, .bfloat16: Issue.record("no fixture has these")
            }
        }
        #expect(try writer.serialized() == bytes(ofFile: path))
    }

    @Test func readsEveryFixture() throws {
        let enumerator = try #require(FileManager.default.enumerator(atPath: fixture("")))
        let paths = enumerator.compactMap { $0 as? String }.filter { $0.hasSuffix(".safetensors") }
        #expect(paths.count > 90)
        for path in paths where !path.hasPrefix("safetensors/") {
            let file = try SafetensorsFile(contentsOf: fixture(path))
            for tensor in file.tensors where tensor.type == .float32 {
                #expect(try file.floats(tensor.name).values.allSatisfy(\.isFinite), "\(path), \(tensor.name)")
            }
            // What runs of ONNX files gave needs none.
            guard !path.hasPrefix("onnx/") else { continue }
            let hyperparameters = try #require(file.metadata["hyperparameters"], "\(path)")
            #expect(try JSONSerialization.jsonObject(with: Data(hyperparameters.utf8)) is [String: Any])
        }
    }
}
