import CZlib

/// PNG files as no program would write them.
struct PNGBuilder {
    var width: UInt32
    var height: UInt32
    var bitDepth: UInt8 = 8
    /// 0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha.
    var colorType: UInt8 = 0
    var isInterlaced = false
    /// Filter bytes and rows, before compression.
    var rows: [UInt8] = []
    /// Chunks between the header and the pixels.
    var extra: [UInt8] = []

    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    func bytes() -> [UInt8] {
        let header = bigEndian(width) + bigEndian(height) + [bitDepth, colorType, 0, 0, isInterlaced ? 1 : 0]
        return Self.signature + Self.chunk("IHDR", header) + extra + Self.chunk("IDAT", Self.deflated(rows))
            + Self.chunk("IEND", [])
    }

    static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(UInt32(crc32(0, body, UInt32(body.count))))
    }

    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(bytes.count))
        var deflated = [UInt8](repeating: 0, count: Int(size))
        precondition(compress2(&deflated, &size, bytes, UInt(bytes.count), 9) == Z_OK)
        return Array(deflated[..<Int(size)])
    }
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
    (0 ..< 4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
}

/// A grey progressive JPEG that is the same everywhere: one scan with a bit for each block, and then any number of
/// scans of a few bytes each that go over all blocks and find nothing.
func progressiveBomb(width: Int, height: Int, scans: Int) -> [UInt8] {
    func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xff, marker, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
    }
    func scan(from first: UInt8, to last: UInt8, data: [UInt8]) -> [UInt8] {
        segment(0xda, [1, 1, 0, first, last, 0]) + data
    }
    let blocks = (width + 7) / 8 * ((height + 7) / 8)
    let oneCode = [UInt8](repeating: 0, count: 15)
    var bytes: [UInt8] = [0xff, 0xd8]
    bytes += segment(0xdb, [0] + [UInt8](repeating: 1, count: 64))
    bytes += segment(
        0xc2, [8, UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255), 1, 1, 0x11, 0])
    // The code 0 means: no difference, and an end of 2^14 to 2^15 - 1 blocks.
    bytes += segment(0xc4, [0x00, 1] + oneCode + [0])
    bytes += segment(0xc4, [0x10, 1] + oneCode + [0xe0])
    bytes += scan(from: 0, to: 0, data: [UInt8](repeating: 0, count: (blocks + 7) / 8))
    // Runs of 2^14 blocks: a zero and fourteen zeros.
    let runs = (blocks + (1 << 14) - 1) >> 14
    let empty = [UInt8](repeating: 0, count: (runs * 15 + 7) / 8)
    for _ in 0 ..< scans { bytes += scan(from: 1, to: 63, data: empty) }
    return bytes + [0xff, 0xd9]
}
