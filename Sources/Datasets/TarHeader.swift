/// One header block of a tar file, checked.
struct TarHeader {
    static let blockByteCount = 512

    enum Kind: Equatable {
        case file, folder
        /// The name of the next entry, in GNU's way.
        case longName
        /// Fields of the next entry, in POSIX's way (pax), or of all.
        case fields, globalFields
        /// GNU's name of a link's target, which nobody needs.
        case longLinkName
        /// Links, devices, pipes and whatever else is no file: the text says what.
        case other(String)
    }

    let name: String
    let kind: Kind
    /// Bytes of content that follow.
    let size: Int

    /// - Returns: nil for a block of zeros, which ends the file.
    /// - Throws: ``DatasetError`` naming the archive and the byte where the header begins.
    init?(_ block: UnsafeRawBufferPointer, archive: String, offset: Int) throws(DatasetError) {
        precondition(block.count == Self.blockByteCount)
        if block.allSatisfy({ $0 == 0 }) { return nil }
        func error(_ field: String, _ found: String, _ expected: String) -> DatasetError {
            .invalidField(
                file: archive, field: "\(field) of the entry at byte \(offset)", found: found, expected: expected)
        }
        guard let checksum = Self.octal(block[148 ..< 156]), Self.checksums(of: block).contains(checksum) else {
            throw error("checksum", "wrong", "the sum of the header's bytes; is it a tar file?")
        }
        guard let size = Self.number(block[124 ..< 136]), size >= 0 else {
            throw error("size", "not a number of bytes", "0 or more, in octal digits")
        }
        self.size = size
        var name = Self.text(block[0 ..< 100])
        // POSIX keeps the first part of a long name in a field of its own; GNU uses its place for something else.
        if block[257 ..< 263].elementsEqual("ustar\0".utf8), block[345] != 0 {
            name = Self.text(block[345 ..< 500]) + "/" + name
        }
        self.name = name
        kind = Self.kind(block[156], name)
    }

    private static func kind(_ type: UInt8, _ name: String) -> Kind {
        switch UnicodeScalar(type) {
        // Before POSIX a folder was a file whose name ends in a slash.
        case "0", "\0", "7": name.hasSuffix("/") ? .folder : .file
        case "5": .folder
        case "L": .longName
        case "K": .longLinkName
        case "x": .fields
        case "g": .globalFields
        case "1": .other("a hard link")
        case "2": .other("a symbolic link")
        case "3", "4": .other("a device")
        case "6": .other("a named pipe")
        case "S": .other("a sparse file")
        default: .other("of unknown type \(type)")
        }
    }

    /// Up to the first zero.
    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or 95 bits of a binary number behind a bit that says so.
    private static func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = bytes.first, first & 0x80 != 0 else { return octal(bytes) }
        // 0xff begins a negative number; larger ones than 2^50 are no sizes.
        guard first == 0x80, bytes.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
        let value = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return value < 1 << 50 ? Int(value) : nil
    }

    /// Digits between spaces or zeros; nil for anything else.
    private static func octal(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        guard digits.allSatisfy({ (0x30 ... 0x37).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }

    /// The sum of all bytes, those of the checksum itself taken as spaces; some programs summed signed bytes.
    private static func checksums(of block: UnsafeRawBufferPointer) -> [Int] {
        var (plain, signed) = (8 * 0x20, 8 * 0x20)
        for (place, byte) in block.enumerated() where !(148 ..< 156).contains(place) {
            plain += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return [plain, signed]
    }
}

/// Fields of a pax header: lines of `LENGTH KEY=VALUE`.
struct TarFields {
    private(set) var path: String?
    private(set) var size: Int?

    /// Nil where the lines are damaged.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), space - rest.startIndex <= 9,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { return nil }
            let line = rest[(space + 1) ..< rest.startIndex + length]
            guard line.last == 0x0a, let equals = line.firstIndex(of: 0x3d) else { return nil }
            let value = String(decoding: line[(equals + 1) ..< line.endIndex - 1], as: UTF8.self)
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "path": path = value
            case "size":
                guard let number = Int(value), number >= 0, number < 1 << 50 else { return nil }
                size = number
            default: break
            }
            rest = rest.dropFirst(length)
        }
    }
}
