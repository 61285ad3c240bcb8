import GossamerModelFiles
import GossamerTensors
import GossamerTestSupport
import Testing

/// A file that must be refused with a clear error.
struct HostileFile: Sendable, CustomTestStringConvertible {
    let name: String
    /// A part of the error's line.
    let error: String
    let bytes: [UInt8]

    var testDescription: String { name }

    /// - Parameters:
    ///   - length: what the file says about its header; the truth by default.
    ///   - data: bytes after the header.
    init(_ name: String, _ error: String, _ header: String, length: UInt64? = nil, data: Int = 0) {
        self.init(name, error, bytes: Array(header.utf8), length: length, data: data)
    }

    init(_ name: String, _ error: String, bytes header: [UInt8], length: UInt64? = nil, data: Int = 0) {
        self.name = name
        self.error = error
        let length = length ?? UInt64(header.count)
        bytes = (0 ..< 8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + header
            + [UInt8](repeating: 0, count: data)
    }

    init(_ name: String, _ error: String, file: [UInt8]) {
        (self.name, self.error, bytes) = (name, error, file)
    }

    /// A header of one tensor `a`.
    static func tensor(
        _ type: String = "\"F32\"", shape: String = "[2]", offsets: String = "[0,8]", more: String = ""
    ) -> String {
        "{\"a\":{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)\(more)}}"
    }

    static func two(_ first: String, _ second: String, names: (String, String) = ("a", "b")) -> String {
        """
        {"\(names.0)":{"dtype":"U8","shape":[2],"data_offsets":\(first)},\
        "\(names.1)":{"dtype":"U8","shape":[2],"data_offsets":\(second)}}
        """
    }
}

private let lengths = [
    HostileFile("empty file", "header length", file: []),
    HostileFile("seven bytes", "header length", file: [2, 0, 0, 0, 0, 0, 0]),
    HostileFile("length only", "header length", "", length: 2),
    HostileFile("length zero", "{ as its first byte", "{}", length: 0),
    HostileFile("length one beyond the file", "at most the 2 bytes that follow, found 3", "{}", length: 3),
    HostileFile("length just above the bound", "at most 100000000 bytes", "{}", length: 100_000_001),
    HostileFile("length of 2^63", "at most 100000000 bytes", "{}", length: 1 << 63),
    HostileFile("length of 2^64 - 1", "at most 100000000 bytes", "{}", length: .max),
    HostileFile("length too short", "at byte 20", HostileFile.tensor(), length: 20, data: 8),
]

private let syntax = [
    HostileFile("white space first", "{ as its first byte", " {}"),
    HostileFile("an array", "{ as its first byte", "[]"),
    HostileFile("byte order mark", "{ as its first byte", "\u{feff}{}"),
    HostileFile("zeros", "{ as its first byte", bytes: [0, 0, 0, 0]),
    HostileFile("open object", "at byte 1", "{"),
    HostileFile("comma only", "\" at byte 1", "{,}"),
    HostileFile("comma at the end", "\" at byte", "{\"__metadata__\":{},}"),
    HostileFile("two objects", "nothing after", "{}{}"),
    HostileFile("zero padding", "nothing after", "{}\0\0"),
    HostileFile("unquoted name", "\" at byte 1", "{a:1}"),
    HostileFile("name without value", ": at byte", "{\"a\"}"),
    HostileFile("string for a tensor", "{ at byte", "{\"a\":\"b\"}"),
    HostileFile("null for a tensor", "{ at byte", "{\"a\":null}"),
    HostileFile("invalid UTF-8", "UTF-8", bytes: Array("{\"".utf8) + [0xff, 0xfe] + Array("\":{}}".utf8)),
    HostileFile("overlong UTF-8", "UTF-8", bytes: Array("{\"".utf8) + [0xc0, 0x80] + Array("\":{}}".utf8)),
    HostileFile("control character in a name", "control character", "{\"a\nb\":{}}"),
    HostileFile("backslash at the end", "closing quote", "{\"a\\"),
    HostileFile("backslash before the last quote", "closing quote", "{\"a\\\""),
    HostileFile("unknown escape", "JSON escape", "{\"\\x41\":{}}"),
    HostileFile("short escape", "hexadecimal", "{\"\\u12\":{}}"),
    HostileFile("escape without digits", "hexadecimal", "{\"\\uzzzz\":{}}"),
    HostileFile("lone high surrogate", "surrogate pair", "{\"\\ud800\":{}}"),
    HostileFile("lone low surrogate", "surrogate pair", "{\"\\udc00\":{}}"),
    HostileFile("high surrogate twice", "surrogate pair", "{\"\\ud800\\ud800\":{}}"),
    HostileFile("cut surrogate pair", "surrogate pair", "{\"\\ud800\\u\":{}}"),
    HostileFile("name of 1025 bytes", "at most 1024 bytes", "{\"\(String(repeating: "n", count: 1025))\":{}}"),
    HostileFile("deep arrays", "{ at byte", "{\"a\":" + String(repeating: "[", count: 1_000_000)),
    HostileFile("deep objects", "dtype, shape", String(repeating: "{\"a\":", count: 1_000_000)),
    HostileFile("deep shape", "a whole number",
        HostileFile.tensor(shape: String(repeating: "[", count: 1_000_000))),
]

private let tensors = [
    HostileFile("no fields", "dtype, shape and two data_offsets", "{\"a\":{}}"),
    HostileFile("no dtype", "dtype, shape", "{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}"),
    HostileFile("no shape", "dtype, shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}"),
    HostileFile("no offsets", "dtype, shape", "{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}"),
    HostileFile("repeated field", "once each, found dtype", HostileFile.tensor(more: ",\"dtype\":\"F32\""), data: 8),
    HostileFile("unknown field", "once each, found more", HostileFile.tensor(more: ",\"more\":1"), data: 8),
    HostileFile("unknown dtype", "a dtype of U8, U16, F16, BF16, I32, F32, F64, I64, found Q8",
        HostileFile.tensor("\"Q8\""), data: 8),
    HostileFile("dtype of the format, not supported", "found F8_E4M3",
        HostileFile.tensor("\"F8_E4M3\"", offsets: "[0,4]"), data: 4),
    HostileFile("dtype in lower case", "found f32", HostileFile.tensor("\"f32\""), data: 8),
    HostileFile("dtype a number", "\" at byte", HostileFile.tensor("32"), data: 8),
    HostileFile("negative size", "a whole number", HostileFile.tensor(shape: "[-2]"), data: 8),
    HostileFile("size minus zero", "a whole number", HostileFile.tensor(shape: "[-0]", offsets: "[0,0]")),
    HostileFile("fractional size", "] at byte", HostileFile.tensor(shape: "[2.0]"), data: 8),
    HostileFile("size with exponent", "] at byte", HostileFile.tensor(shape: "[2e0]"), data: 8),
    HostileFile("size with leading zero", "a whole number", HostileFile.tensor(shape: "[02]"), data: 8),
    HostileFile("size a string", "a whole number", HostileFile.tensor(shape: "[\"2\"]"), data: 8),
    HostileFile("size of 2^63", "below 2^63",
        HostileFile.tensor(shape: "[9223372036854775808]"), data: 8),
    HostileFile("size of many digits", "below 2^63",
        HostileFile.tensor(shape: "[\(String(repeating: "9", count: 99))]")),
    HostileFile("shape a number", "[ at byte", HostileFile.tensor(shape: "2"), data: 8),
    HostileFile("33 sizes", "at most 32",
        HostileFile.tensor(shape: "[\(String(repeating: "1,", count: 32))1]"), data: 4),
    HostileFile("overflowing product", "fewer than 2^63",
        HostileFile.tensor(shape: "[4294967296,4294967296]"), data: 8),
    HostileFile("overflowing product that ends in zero", "fewer than 2^63",
        HostileFile.tensor(shape: "[4294967296,4294967296,0]", offsets: "[0,0]")),
    HostileFile("product that wraps to the right size", "fewer than 2^63",
        HostileFile.tensor(shape: "[4611686018427387905,4]", offsets: "[0,16]"), data: 16),
    HostileFile("overflowing bytes", "fewer than 2^63", HostileFile.tensor(shape: "[4611686018427387904]"), data: 8),
]

private let ranges = [
    HostileFile("one offset", "two data_offsets", HostileFile.tensor(offsets: "[0]"), data: 8),
    HostileFile("three offsets", "at most 2", HostileFile.tensor(offsets: "[0,8,16]"), data: 8),
    HostileFile("offsets backwards", "8 bytes apart, found 8 and 0", HostileFile.tensor(offsets: "[8,0]"), data: 8),
    HostileFile("range too short", "8 bytes apart", HostileFile.tensor(offsets: "[0,7]"), data: 7),
    HostileFile("range too long", "8 bytes apart", HostileFile.tensor(offsets: "[0,9]"), data: 9),
    HostileFile("range at the end of the address space", "8 bytes apart",
        HostileFile.tensor(offsets: "[9223372036854775807,7]"), data: 8),
    HostileFile("range beyond the file", "data: expected 8 bytes, found 7", HostileFile.tensor(), data: 7),
    HostileFile("a terabyte in a small file", "data: expected 1099511627776 bytes, found 8",
        HostileFile.tensor(shape: "[274877906944]", offsets: "[0,1099511627776]"), data: 8),
    HostileFile("bytes after the last tensor", "data: expected 8 bytes, found 9", HostileFile.tensor(), data: 9),
    HostileFile("data without tensors", "data: expected 0 bytes, found 1", "{}", data: 1),
    HostileFile("hole before the first", "data_offsets from 0, found 1", HostileFile.two("[1,3]", "[3,5]"), data: 5),
    HostileFile("hole between", "tensor b: expected data_offsets from 2, found 3",
        HostileFile.two("[0,2]", "[3,5]"), data: 5),
    HostileFile("overlap", "tensor b: expected data_offsets from 2, found 1",
        HostileFile.two("[0,2]", "[1,3]"), data: 3),
    HostileFile("same range twice", "data_offsets from 2, found 0", HostileFile.two("[0,2]", "[0,2]"), data: 2),
    HostileFile("empty tensor inside another", "tensor b: expected data_offsets from 2, found 1",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]}}", data: 2),
    HostileFile("same name twice", "tensor a: expected to appear once",
        HostileFile.two("[0,2]", "[2,4]", names: ("a", "a")), data: 4),
    HostileFile("same name twice, once escaped", "tensor a: expected to appear once",
        HostileFile.two("[0,2]", "[2,4]", names: ("a", "\\u0061")), data: 4),
]

private let metadata = [
    HostileFile("metadata null", "{ at byte", "{\"__metadata__\":null}"),
    HostileFile("metadata a list", "{ at byte", "{\"__metadata__\":[]}"),
    HostileFile("metadata with a number", "__metadata__: expected \" at byte", "{\"__metadata__\":{\"epoch\":1}}"),
    HostileFile("metadata with an object", "\" at byte", "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}"),
    HostileFile("metadata twice", "to appear once", "{\"__metadata__\":{},\"__metadata__\":{}}"),
    HostileFile("metadata of 10,001 keys", "at most 10000 keys",
        "{\"__metadata__\":{" + (0 ... 10_000).map { "\"\($0)\":\"\"" }.joined(separator: ",") + "}}"),
    HostileFile("metadata key twice", "the key a once", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"),
]

@Suite struct SafetensorsHostileTests {
    @Test(arguments: lengths + syntax + tensors + ranges + metadata)
    func isRefused(_ hostile: HostileFile) throws {
        #expect { try SafetensorsFile(bytes: hostile.bytes, path: "model") } throws: { error in
            guard case .malformed = error as? ModelFileError else { return false }
            #expect("\(error)".contains(hostile.error), "\(error)")
            return true
        }
        let folder = TemporaryFolder()
        try AtomicFile.write(to: folder.file("model"), contents: hostile.bytes, durable: false)
        #expect(throws: ModelFileError.self) { try SafetensorsFile(contentsOf: folder.file("model")) }
    }

    /// Unusual, but within the format.
    @Test(arguments: [
        HostileFile("no tensors", "", "{}"),
        HostileFile("padded", "", "{}      "),
        HostileFile("white space everywhere", "", "{ \"__metadata__\"\n:\t{ } ,\r\n\"a\" : { \"dtype\" : \"U8\" , "
            + "\"shape\" : [ 2 , 1 ] , \"data_offsets\" : [ 0 , 2 ] } } ", data: 2),
        HostileFile("fields in another order", "",
            "{\"a\":{\"data_offsets\":[0,2],\"shape\":[2],\"dtype\":\"U8\"}}", data: 2),
        HostileFile("tensors in another order", "", HostileFile.two("[2,4]", "[0,2]"), data: 4),
        HostileFile("zero before a huge size", "",
            HostileFile.tensor(shape: "[0,9223372036854775807]", offsets: "[0,0]")),
        HostileFile("empty tensors at one place", "",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]}}"),
        HostileFile("escaped surrogate pair", "",
            "{\"__metadata__\":{\"\\ud83d\\udd78\\u00e9\\/\":\"\\b\\f\\n\\r\\t\"}}"),
        HostileFile("empty name", "", "{\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", data: 1),
    ])
    func isAccepted(_ file: HostileFile) throws {
        let file = try SafetensorsFile(bytes: file.bytes)
        for name in file.names { try read(name, file) }
    }

    @Test func escapesAreDecoded() throws {
        let file = HostileFile("", "", "{\"__metadata__\":{\"\\ud83d\\udd78\\u00E9\\/\":\"\\b\\f\\n\\r\\t\\\"\\\\\"}}")
        #expect(try SafetensorsFile(bytes: file.bytes).metadata == ["\u{1f578}\u{e9}/": "\u{8}\u{c}\n\r\t\"\\"])
    }

    /// Damaged files are refused or read, without a crash.
    @Test(arguments: 0 ..< 100) func damagedFiles(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("damage"))
        let whole = try RandomFile(seed: seed).writer.serialized()
        for _ in 0 ..< 50 {
            var bytes = whole
            for _ in 0 ... generator.index(below: 3) where !bytes.isEmpty {
                let place = generator.index(below: bytes.count)
                switch generator.index(below: 4) {
                case 0: bytes.removeSubrange(place...)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("{}[]\",:0\\".utf8)[generator.index(below: 9)], at: place)
                default: bytes[place] ^= 1 << generator.index(below: 8)
                }
            }
            do throws(ModelFileError) {
                let file = try SafetensorsFile(bytes: bytes)
                for name in file.names { try read(name, file) }
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }

    /// Every tensor of an accepted file can be read.
    private func read(_ name: String, _ file: SafetensorsFile) throws(ModelFileError) {
        let tensor = try file.tensor(name)
        let count = switch tensor.type {
        case .uint8: try file.values(name, as: UInt8.self).values.count
        case .uint16: try file.values(name, as: UInt16.self).values.count
        case .float16, .bfloat16: try file.floatsOfAnyPrecision(name).count
        case .int32: try file.values(name, as: Int32.self).values.count
        case .int64: try file.values(name, as: Int64.self).values.count
        case .float32: try file.floats(name).values.count
        case .float64: try file.values(name, as: Double.self).values.count
        }
        #expect(count == tensor.count)
    }
}
