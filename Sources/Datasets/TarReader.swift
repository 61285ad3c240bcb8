/// A file in a tar archive: its name, and where its bytes lie.
public struct TarEntry: Hashable, Sendable {
    public let name: String
    /// In the archive, inflated where it is compressed.
    public let offset: Int
    public let byteCount: Int

    /// The files of an archive in memory, plain or in gzip.
    ///
    /// - Parameter name: what error messages call the archive.
    public static func all(of bytes: [UInt8], name: String) throws(DatasetError) -> [TarEntry] {
        let reader = try ByteReader(name: name, bytes: bytes, allowsMembers: true)
        var archive = TarReader(TarStream(reader))
        var entries: [TarEntry] = []
        while let entry = try archive.next() { entries.append(entry) }
        return entries
    }
}

/// Walks over the files of a tar archive: ustar, GNU's long names and POSIX's pax headers.
///
/// Nothing is unpacked, so that a name can do no harm; names that try (absolute, or with `..`) and entries that are
/// neither files nor folders are refused all the same, as what they mean here is anyone's guess.
struct TarReader {
    private let archive: any TarSource
    /// Where the next header begins.
    private var offset = 0

    /// The longest name, and the most bytes of fields, that are read.
    private static let longestName = 1 << 16
    private static let longestFields = 1 << 20

    init(_ archive: any TarSource) { self.archive = archive }

    /// The next file, or nil at the end. The source stands at the file's first byte.
    mutating func next() throws(DatasetError) -> TarEntry? {
        var name: String?
        var size: Int?
        while let header = try readHeader() {
            switch header.kind {
            case .longName:
                name = try text(header, longest: Self.longestName)
            case .fields:
                guard let fields = TarFields(try content(header, longest: Self.longestFields)) else {
                    throw invalid("extended header", "damaged", "lines of 'LENGTH KEY=VALUE'")
                }
                name = fields.path ?? name
                size = fields.size ?? size
            case .globalFields, .longLinkName:
                try skip(header.size)
            case .folder:
                try skip(0)
                (name, size) = (nil, nil)
            case .file:
                return try file(name ?? header.name, size ?? header.size)
            case .other(let what):
                throw .invalidField(
                    file: archive.name, field: "entry '\(name ?? header.name)'", found: what,
                    expected: "a file or a folder")
            }
        }
        guard name == nil, size == nil else { throw invalid("end", "reached after an extended header", "a file") }
        return nil
    }

    private func readHeader() throws(DatasetError) -> TarHeader? {
        // Without the two blocks of zeros some programs end where the last content ends.
        guard let block = try archive.read(TarHeader.blockByteCount, at: offset, field: "header", orEnd: true) else {
            return nil
        }
        let (name, offset) = (archive.name, offset)
        let result = block.withUnsafeBytes { bytes in
            Result { () throws(DatasetError) in try TarHeader(bytes, archive: name, offset: offset) }
        }
        return try result.get()
    }

    private mutating func file(_ name: String, _ size: Int) throws(DatasetError) -> TarEntry {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.hasPrefix("/"), !parts.contains("..") else {
            throw .invalidField(
                file: archive.name, field: "an entry's name", found: "'\(name)'",
                expected: "a path inside the archive")
        }
        let start = offset + TarHeader.blockByteCount
        try skip(size)
        return TarEntry(name: name, offset: start, byteCount: size)
    }

    private mutating func text(_ header: TarHeader, longest: Int) throws(DatasetError) -> String {
        String(decoding: try content(header, longest: longest).prefix { $0 != 0 }, as: UTF8.self)
    }

    private mutating func content(_ header: TarHeader, longest: Int) throws(DatasetError) -> [UInt8] {
        guard header.size <= longest else {
            throw invalid("size of an extended header", "\(header.size)", "at most \(longest)")
        }
        let bytes = try archive.read(
            header.size, at: offset + TarHeader.blockByteCount, field: "extended header", orEnd: false)
        try skip(header.size)
        return bytes ?? []
    }

    /// Goes on to the header behind content of `size` bytes, which is padded to whole blocks.
    private mutating func skip(_ size: Int) throws(DatasetError) {
        guard size <= archive.byteCountLimit - offset - TarHeader.blockByteCount else {
            throw invalid("size of the entry", "\(size)", "no more than is left of the archive")
        }
        let blocks = (size + TarHeader.blockByteCount - 1) / TarHeader.blockByteCount
        offset += (1 + blocks) * TarHeader.blockByteCount
    }

    private func invalid(_ field: String, _ found: String, _ expected: String) -> DatasetError {
        .invalidField(file: archive.name, field: "\(field) at byte \(offset)", found: found, expected: expected)
    }
}

/// What a tar archive is read from, at places that only grow where it is compressed.
protocol TarSource: AnyObject {
    /// What error messages call the archive.
    var name: String { get }
    /// No more bytes than these can be in it.
    var byteCountLimit: Int { get }

    /// Bytes at a place; nil where the source ends there and `orEnd` allows it.
    func read(_ count: Int, at offset: Int, field: String, orEnd: Bool) throws(DatasetError) -> [UInt8]?
}
