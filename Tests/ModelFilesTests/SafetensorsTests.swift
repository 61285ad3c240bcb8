import GossamerModelFiles
import GossamerTensors
import GossamerTestSupport
import Testing

@Suite struct SafetensorsTests {
    /// Random files, written and read from memory and from disk, come back with the same bits.
    @Test(arguments: 0 ..< 60) func roundTrip(seed: UInt64) throws {
        let drawn = RandomFile(seed: seed)
        let folder = TemporaryFolder()
        let path = folder.file("model.safetensors")
        try drawn.writer.write(to: path, durable: false)
        let serialized = try drawn.writer.serialized()
        #expect(try bytes(ofFile: path) == serialized, "RandomFile(seed: \(seed))")
        for file in [try SafetensorsFile(contentsOf: path), try SafetensorsFile(bytes: serialized)] {
            #expect(file.metadata == drawn.metadata, "RandomFile(seed: \(seed))")
            #expect(file.names == drawn.tensors.keys.sorted(), "RandomFile(seed: \(seed))")
            for (name, tensor) in drawn.tensors {
                #expect(try tensor.isEqual(to: file, name), "RandomFile(seed: \(seed)), tensor \(name)")
            }
        }
    }

    @Test func bytesDoNotDependOnTheOrderOfAdding() throws {
        var first = SafetensorsWriter(metadata: ["b": "1", "a": "2"])
        first.add("x", shape: [2], values: [1, 2] as [Float])
        first.add("y", shape: [], values: [3] as [Float])
        first.add("z", shape: [1], values: [4] as [Int64])
        var second = SafetensorsWriter(metadata: ["a": "2", "b": "1"])
        second.add("z", shape: [1], values: [4] as [Int64])
        second.add("y", shape: [], values: [3] as [Float])
        second.add("x", shape: [2], values: [1, 2] as [Float])
        let bytes = try first.serialized()
        #expect(try second.serialized() == bytes)
        let length = bytes[0 ..< 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length % 8 == 0)
        #expect(try SafetensorsFile(bytes: bytes).tensors.map(\.name) == ["z", "x", "y"])
    }

    @Test func readsStraightIntoABuffer() throws {
        var writer = SafetensorsWriter()
        writer.add("w", shape: [2, 2], values: [1, 2, 3, 4] as [Float])
        let file = try SafetensorsFile(bytes: try writer.serialized())
        let buffer = AlignedBuffer<Float>(count: 5)
        try file.read("w", into: UnsafeMutableBufferPointer(start: buffer.pointer, count: 4))
        #expect((0 ..< 5).map { buffer[$0] } == [1, 2, 3, 4, 0])
        let expected = ModelFileError.mismatch(
            file: "safetensors bytes", field: "tensor w", expected: "5 values, found 4")
        #expect(throws: expected) {
            try file.read("w", into: UnsafeMutableBufferPointer(start: buffer.pointer, count: 5))
        }
    }

    @Test func saysWhatTheFileLacks() throws {
        var writer = SafetensorsWriter()
        writer.add("w", shape: [2, 3], values: [Float](repeating: 1, count: 6))
        let file = try SafetensorsFile(bytes: try writer.serialized(), path: "m.safetensors")
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "no error"
        }
        #expect(message { _ = try file.floats("v") } == "m.safetensors: tensor v: expected a tensor of this name")
        #expect(
            message { _ = try file.values("w", as: Int32.self) }
                == "m.safetensors: tensor w: expected dtype I32, found F32")
        #expect(
            message { _ = try file.floats("w", shape: [3, 2]) }
                == "m.safetensors: tensor w: expected shape [3, 2], found [2, 3]")
    }

    @Test func refusesToWriteWhatItCouldNotRead() throws {
        let folder = TemporaryFolder()
        let path = folder.file("model.safetensors")
        var repeated = SafetensorsWriter()
        repeated.add("a", shape: [], values: [1] as [Float])
        repeated.add("a", shape: [], values: [1] as [Float])
        var reserved = SafetensorsWriter()
        reserved.add("__metadata__", shape: [], values: [1] as [Float])
        var long = SafetensorsWriter()
        long.add(String(repeating: "n", count: 1025), shape: [], values: [1] as [Float])
        var deep = SafetensorsWriter()
        deep.add("a", shape: [Int](repeating: 1, count: 33), values: [1] as [Float])
        let longKey = SafetensorsWriter(metadata: [String(repeating: "k", count: 1025): ""])
        let manyKeys = SafetensorsWriter(
            metadata: Dictionary(uniqueKeysWithValues: (0 ... 10_000).map { ("\($0)", "") }))
        for writer in [repeated, reserved, long, deep, longKey, manyKeys] {
            #expect { try writer.write(to: path) } throws: { error in
                if case .malformed = error as? ModelFileError { true } else { false }
            }
        }
        #expect(folder.contents == [])
    }

    @Test func acceptsTheLongestNamesAndShapes() throws {
        let name = String(repeating: "n", count: 1024)
        var writer = SafetensorsWriter(metadata: [name: ""])
        writer.add(name, shape: [Int](repeating: 1, count: 32), values: [1] as [Float])
        #expect(try SafetensorsFile(bytes: try writer.serialized()).floats(name).values == [1])
    }

    @Test func refusesWhatIsNoFile() {
        let folder = TemporaryFolder()
        #expect(throws: ModelFileError.unreadable(file: folder.path, reason: "not a regular file")) {
            try SafetensorsFile(contentsOf: folder.path)
        }
        #expect(throws: ModelFileError.unreadable(file: folder.file("a"), reason: "No such file or directory")) {
            try SafetensorsFile(contentsOf: folder.file("a"))
        }
    }

    @Test func errorsAreOneLine() {
        let error = ModelFileError.malformed(
            file: "a\nb", field: "tensor \u{1b}[31m\u{202e}" + String(repeating: "x", count: 9999), expected: "more")
        #expect(error.description.hasPrefix("a?b: tensor ?[31m?x"))
        #expect(error.description.count < 300)
    }
}

/// A file with random names, shapes, types, values and metadata.
struct RandomFile {
    var metadata: [String: String] = [:]
    var tensors: [String: Values] = [:]
    var writer = SafetensorsWriter()

    enum Values {
        case uint8([Int], [UInt8]), uint16([Int], [UInt16]), int32([Int], [Int32]), int64([Int], [Int64])
        /// Floats are kept and compared as bits, so that NaN payloads and signed zeros count.
        case float([Int], [UInt32]), double([Int], [UInt64])

        func isEqual(to file: SafetensorsFile, _ name: String) throws -> Bool {
            switch self {
            case .uint8(let shape, let values): try file.values(name, as: UInt8.self) == (shape, values)
            case .uint16(let shape, let values): try file.values(name, as: UInt16.self) == (shape, values)
            case .int32(let shape, let values): try file.values(name, as: Int32.self) == (shape, values)
            case .int64(let shape, let values): try file.values(name, as: Int64.self) == (shape, values)
            case .float(let shape, let bits): try file.floats(name, shape: shape).values.map(\.bitPattern) == bits
            case .double(_, let bits): try file.values(name, as: Double.self).values.map(\.bitPattern) == bits
            }
        }
    }

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("RandomFile"))
        for _ in 0 ..< generator.index(below: 4) {
            metadata[Self.text(&generator)] = Self.text(&generator)
        }
        writer.metadata = metadata
        for _ in 0 ..< generator.index(below: 8) {
            let name = Self.text(&generator)
            if tensors[name] == nil && name != "__metadata__" { add(name, &generator) }
        }
    }

    private mutating func add(_ name: String, _ generator: inout SeededGenerator) {
        let shape = (0 ..< generator.index(below: 4)).map { _ in generator.index(below: 6) }
        let count = shape.reduce(1, *)
        func draw<T: FixedWidthInteger>(_: T.Type) -> [T] {
            (0 ..< count).map { _ in T(truncatingIfNeeded: generator.next()) }
        }
        func add<T: SafetensorsElement>(_ values: [T], _ kept: Values) {
            writer.add(name, shape: shape, values: values)
            tensors[name] = kept
        }
        switch generator.index(below: 6) {
        case 0: let values = draw(UInt8.self); add(values, .uint8(shape, values))
        case 1: let values = draw(UInt16.self); add(values, .uint16(shape, values))
        case 2: let values = draw(Int32.self); add(values, .int32(shape, values))
        case 3: let values = draw(Int64.self); add(values, .int64(shape, values))
        case 4: let bits = draw(UInt32.self); add(bits.map(Float.init(bitPattern:)), .float(shape, bits))
        default: let bits = draw(UInt64.self); add(bits.map(Double.init(bitPattern:)), .double(shape, bits))
        }
    }

    /// Text of every kind that a header must escape or encode.
    static func text(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "conv1.weight", "\"", "\\", "/", "\n", "\u{0}", "\u{1f}", "\u{7f}", "\u{e9}", "\u{1f578}", "{", " ",
        ]
        return (0 ..< generator.index(below: 6)).map { _ in pieces[generator.index(below: pieces.count)] }.joined()
    }
}
