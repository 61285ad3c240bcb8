/// Collects named tensors and writes them as one safetensors file.
///
/// The bytes follow from the contents alone: tensors lie in the reference implementation's order (the widest elements
/// first, then by name), metadata is sorted by key, and the header is padded with spaces to a multiple of 8 bytes.
public struct SafetensorsWriter: Sendable {
    public var metadata: [String: String]
    private var entries: [Entry] = []

    private struct Entry {
        let name: String
        let type: SafetensorsType
        let shape: [Int]
        let byteCount: Int
        let write: @Sendable (AtomicFile.Sink) throws(ModelFileError) -> Void
    }

    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds a tensor. The values are shared, not copied.
    ///
    /// - Parameters:
    ///   - name: at most 1024 bytes, of one tensor only.
    ///   - shape: sizes, outermost first; their product is the number of values.
    public mutating func add<Element: SafetensorsElement>(_ name: String, shape: [Int], values: [Element]) {
        precondition(elementCount(shape) == values.count, "\(name): \(values.count) values for shape \(shape)")
        let byteCount = values.count * MemoryLayout<Element>.stride
        entries.append(
            Entry(name: name, type: Element.safetensorsType, shape: shape, byteCount: byteCount) {
                (sink: AtomicFile.Sink) throws(ModelFileError) in
                try writeBytes(of: values, to: sink)
            })
    }

    /// Writes the file beside `path` and renames it: the file that was there stays whole until the new one is.
    ///
    /// - Parameter durable: wait until the file would survive a loss of power.
    /// - Throws: `unwritable`, or `malformed` where a name appears twice, is too long or is reserved.
    public func write(to path: String, durable: Bool = true) throws(ModelFileError) {
        let sorted = sortedEntries
        let header = try header(of: sorted, file: path)
        try AtomicFile.write(to: path, durable: durable) { (sink: AtomicFile.Sink) throws(ModelFileError) in
            try writeBytes(of: header, to: sink)
            for entry in sorted { try entry.write(sink) }
        }
    }

    /// The bytes of the file.
    public func serialized() throws(ModelFileError) -> [UInt8] {
        let sorted = sortedEntries
        var result = try header(of: sorted, file: "safetensors bytes")
        result.reserveCapacity(result.count + sorted.reduce(0) { $0 + $1.byteCount })
        for entry in sorted {
            try entry.write { (bytes: UnsafeRawBufferPointer) throws(ModelFileError) in
                result.append(contentsOf: bytes)
            }
        }
        return result
    }

    private var sortedEntries: [Entry] {
        entries.sorted { ($1.type.rank, $0.name) < ($0.type.rank, $1.name) }
    }

    /// The header with its length before it.
    private func header(of sorted: [Entry], file: String) throws(ModelFileError) -> [UInt8] {
        try checkLimits(file: file)
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\(quoted(SafetensorsHeader.metadataKey)):{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for entry in sorted {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = offset + entry.byteCount
            members.append(
                """
                \(quoted(entry.name)):{"dtype":"\(entry.type.rawValue)","shape":[\(shape)],\
                "data_offsets":[\(offset),\(end)]}
                """)
            offset = end
        }
        var json = [UInt8]("{\(members.joined(separator: ","))}".utf8)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -json.count & 7))
        guard json.count <= SafetensorsHeader.largestByteCount else {
            throw .malformed(
                file: file, field: "header", expected: "at most \(SafetensorsHeader.largestByteCount) bytes")
        }
        let length = UInt64(json.count)
        return (0 ..< 8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + json
    }

    /// What is written must be readable again.
    private func checkLimits(file: String) throws(ModelFileError) {
        for (field, count, limit) in [
            ("header", entries.count, SafetensorsHeader.largestTensorCount),
            (SafetensorsHeader.metadataKey, metadata.count, SafetensorsHeader.largestMetadataCount),
        ] where count > limit {
            throw .malformed(file: file, field: field, expected: "at most \(limit) entries")
        }
        var seen: Set<String> = [SafetensorsHeader.metadataKey]
        for entry in entries {
            func malformed(_ expected: String) -> ModelFileError {
                .malformed(file: file, field: "tensor \(entry.name)", expected: expected)
            }
            if !seen.insert(entry.name).inserted { throw malformed("a name that is not taken") }
            if entry.shape.count > SafetensorsHeader.largestRank {
                throw malformed("at most \(SafetensorsHeader.largestRank) sizes")
            }
        }
        for name in seen.union(metadata.keys) where quoted(name).utf8.count - 2 > SafetensorsHeader.longestName {
            throw .malformed(
                file: file, field: "name \(name)", expected: "at most \(SafetensorsHeader.longestName) bytes")
        }
    }
}

private func writeBytes<Element: SafetensorsElement>(
    of values: [Element], to sink: AtomicFile.Sink
) throws(ModelFileError) {
    try values.withUnsafeBufferPointer { (buffer) throws(ModelFileError) in try sink(UnsafeRawBufferPointer(buffer)) }
}

/// A JSON string, escaped as the reference implementation does.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\u{8}": result += "\\b"
        case "\u{c}": result += "\\f"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0}" ..< "\u{20}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
