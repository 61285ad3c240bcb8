/// Tar archives as programs write them, and as they should not.
struct TarBuilder {
    private(set) var bytes: [UInt8] = []

    mutating func add(
        _ name: String, _ content: [UInt8] = [], type: Character = "0", prefix: String = "", size: [UInt8]? = nil,
        magic: String = "ustar\0"
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, _ place: Int) {
            for (offset, byte) in text.enumerated() { block[place + offset] = byte }
        }
        put(name.utf8.prefix(100), 0)
        put("0000644\0".utf8, 100)
        put(size ?? Array((Self.octal(content.count, digits: 11) + "\0").utf8), 124)
        block[156] = type.asciiValue!
        put(magic.utf8, 257)
        put(prefix.utf8.prefix(155), 345)
        put("        ".utf8, 148)
        put((Self.octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ").utf8, 148)
        bytes += block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// In GNU's way.
    mutating func addLong(_ name: String, _ content: [UInt8] = []) {
        add("././@LongLink", Array(name.utf8) + [0], type: "L")
        add(name, content)
    }

    /// In POSIX's way.
    mutating func add(fields: [(String, String)], type: Character = "x") {
        var text: [UInt8] = []
        for (key, value) in fields {
            let rest = " \(key)=\(value)\n".utf8
            // The length counts its own digits.
            let length = (1 ... 9).lazy.map { rest.count + $0 }.first { "\($0)".utf8.count == $0 - rest.count }!
            text += Array("\(length)".utf8) + rest
        }
        add("fields", text, type: type)
    }

    func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private static func octal(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
