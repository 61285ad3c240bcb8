/// A plain tar file, read at any place.
final class TarFile: TarSource, Sendable {
    let file: FileBytes

    init(_ file: FileBytes) { self.file = file }

    var name: String { file.path }
    var byteCountLimit: Int { file.byteCount }

    func read(_ count: Int, at offset: Int, field: String, orEnd: Bool) throws(DatasetError) -> [UInt8]? {
        if orEnd, offset == file.byteCount { return nil }
        guard count <= file.byteCount - offset else {
            throw .truncated(
                file: name, field: "\(field) at byte \(offset)", expectedBytes: count,
                foundBytes: max(0, file.byteCount - offset))
        }
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { target in
            Result { () throws(DatasetError) in try file.read(into: target, at: offset) }
        }
        try result.get()
        return bytes
    }
}

/// A tar archive that is read from its beginning to its end: one in gzip, or in memory.
final class TarStream: TarSource {
    private let reader: ByteReader
    /// Bytes that were read or skipped.
    private var position = 0

    init(_ reader: ByteReader) { self.reader = reader }

    var name: String { reader.name }
    var byteCountLimit: Int { reader.byteCountLimit }

    /// The bytes of a file.
    ///
    /// - Precondition: the file does not begin before what was read already.
    func content(of entry: TarEntry) throws(DatasetError) -> [UInt8] {
        try read(entry.byteCount, at: entry.offset, field: "image", orEnd: false)!
    }

    /// - Precondition: `offset` is not before what was read already.
    func read(_ count: Int, at offset: Int, field: String, orEnd: Bool) throws(DatasetError) -> [UInt8]? {
        precondition(offset >= position)
        position += try reader.skip(offset - position)
        guard position == offset else {
            throw .truncated(
                file: name, field: "\(field) at byte \(offset)", expectedBytes: count, foundBytes: 0)
        }
        if orEnd, try reader.isAtEnd() { return nil }
        let bytes = try reader.bytes(count, field: "\(field) at byte \(offset)")
        position += count
        return bytes
    }
}
