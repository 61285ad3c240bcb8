/// The checked header of a safetensors file: its metadata and where each tensor lies.
struct SafetensorsHeader {
    /// The reference implementation's bound.
    static let largestByteCount = 100_000_000
    /// Bounds of ours, far above any real file, so that a hostile header costs little more than its size.
    static let longestName = 1024
    static let largestRank = 32
    static let largestTensorCount = 1_000_000
    static let largestMetadataCount = 10_000
    static let metadataKey = "__metadata__"

    private(set) var metadata: [String: String] = [:]
    /// In the order of their data.
    private(set) var tensors: [SafetensorsTensor] = []
    private(set) var indices: [String: Int] = [:]

    /// The header's length from the first 8 bytes of a file of `fileByteCount` bytes.
    static func byteCount(
        prefix: [UInt8], fileByteCount: Int, file: String
    ) throws(ModelFileError) -> Int {
        func malformed(_ expected: String) -> ModelFileError {
            .malformed(file: file, field: "header length", expected: expected)
        }
        guard prefix.count == 8, fileByteCount >= 8 else {
            throw malformed("8 bytes, found a file of \(fileByteCount)")
        }
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(largestByteCount) else {
            throw malformed("at most \(largestByteCount) bytes, found \(length)")
        }
        guard length <= UInt64(fileByteCount - 8) else {
            throw malformed("at most the \(fileByteCount - 8) bytes that follow, found \(length)")
        }
        return Int(length)
    }

    /// - Parameters:
    ///   - json: the header without its length.
    ///   - dataByteCount: bytes after the header.
    init(json: [UInt8], dataByteCount: Int, file: String) throws(ModelFileError) {
        var scanner = HeaderScanner(file: file, bytes: json)
        guard json.first == UInt8(ascii: "{") else { throw scanner.malformed("{ as its first byte") }
        var hasMetadata = false
        try scanner.members(longestName: Self.longestName) {
            (scanner: inout HeaderScanner, name: String) throws(ModelFileError) in
            if name == Self.metadataKey {
                scanner.field = name
                if hasMetadata { throw scanner.malformed("to appear once") }
                hasMetadata = true
                metadata = try Self.metadata(&scanner)
            } else {
                scanner.field = "tensor \(name)"
                if tensors.count == Self.largestTensorCount {
                    throw scanner.malformed("at most \(Self.largestTensorCount) tensors")
                }
                tensors.append(try Self.tensor(name, &scanner))
            }
            scanner.field = "header"
        }
        try scanner.end()
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
        }
        try indexNames(file: file)
        try checkCoverage(dataByteCount: dataByteCount, file: file)
    }

    private static func metadata(_ scanner: inout HeaderScanner) throws(ModelFileError) -> [String: String] {
        var result: [String: String] = [:]
        try scanner.members(longestName: longestName) {
            (scanner: inout HeaderScanner, key: String) throws(ModelFileError) in
            if result.count == largestMetadataCount {
                throw scanner.malformed("at most \(largestMetadataCount) keys")
            }
            let value = try scanner.string(longest: largestByteCount)
            if result.updateValue(value, forKey: key) != nil { throw scanner.malformed("the key \(key) once") }
        }
        return result
    }

    private static func tensor(_ name: String, _ scanner: inout HeaderScanner) throws(ModelFileError)
        -> SafetensorsTensor
    {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.members(longestName: longestName) {
            (scanner: inout HeaderScanner, key: String) throws(ModelFileError) in
            switch (key, typeName, shape, offsets) {
            case ("dtype", nil, _, _): typeName = try scanner.string(longest: longestName)
            case ("shape", _, nil, _): shape = try scanner.integers(limit: largestRank)
            case ("data_offsets", _, _, nil): offsets = try scanner.integers(limit: 2)
            default: throw scanner.malformed("dtype, shape and data_offsets once each, found \(key)")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw scanner.malformed("dtype, shape and two data_offsets")
        }
        guard let type = SafetensorsType(rawValue: typeName) else {
            let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
            throw scanner.malformed("a dtype of \(known), found \(typeName)")
        }
        guard let count = elementCount(shape + [type.byteCount]) else {
            throw scanner.malformed("a shape of fewer than 2^63 bytes")
        }
        guard offsets[0] <= offsets[1], offsets[1] - offsets[0] == count else {
            throw scanner.malformed("data_offsets \(count) bytes apart, found \(offsets[0]) and \(offsets[1])")
        }
        return SafetensorsTensor(name: name, type: type, shape: shape, byteRange: offsets[0] ..< offsets[1])
    }

    private mutating func indexNames(file: String) throws(ModelFileError) {
        indices.reserveCapacity(tensors.count)
        for (index, tensor) in tensors.enumerated() where indices.updateValue(index, forKey: tensor.name) != nil {
            throw .malformed(file: file, field: "tensor \(tensor.name)", expected: "to appear once")
        }
    }

    /// The tensors must cover the data without holes or overlaps.
    private func checkCoverage(dataByteCount: Int, file: String) throws(ModelFileError) {
        var end = 0
        for tensor in tensors {
            guard tensor.byteRange.lowerBound == end else {
                throw .malformed(
                    file: file, field: "tensor \(tensor.name)",
                    expected: "data_offsets from \(end), found \(tensor.byteRange.lowerBound)")
            }
            end = tensor.byteRange.upperBound
        }
        guard end == dataByteCount else {
            throw .malformed(file: file, field: "data", expected: "\(end) bytes, found \(dataByteCount)")
        }
    }
}
