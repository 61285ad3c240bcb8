import CZlib
import Foundation
import GossamerDatasets
import GossamerTensors

/// Files and images that the tests make up.
enum Samples {
    /// An IDX file of unsigned bytes.
    static func idx(sizes: [Int], elements: [UInt8], magic: [UInt8]? = nil) -> [UInt8] {
        var bytes = magic ?? [0, 0, 8, UInt8(sizes.count)]
        for size in sizes { bytes += (0 ..< 4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } }
        return bytes + elements
    }

    static func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0 ..< count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    /// A gzip stream: zlib's own stream without its header and checksum, between those of gzip.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(bytes.count))
        var deflated = [UInt8](repeating: 0, count: Int(size))
        precondition(compress2(&deflated, &size, bytes, UInt(bytes.count), 9) == Z_OK)
        let checksum = crc32(0, bytes, UInt32(bytes.count))
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + deflated[2 ..< Int(size) - 4]
            + littleEndian(Int(checksum)) + littleEndian(bytes.count)
    }

    private static func littleEndian(_ value: Int) -> [UInt8] {
        (0 ..< 4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// Random images whose labels go round the classes, or as given.
    static func images(count: Int, shape: Shape, classCount: Int = 10, seed: UInt64 = 1) -> LabelledImages {
        var generator = SeededGenerator(seed: seed)
        return LabelledImages(
            name: "sample", shape: shape, pixels: randomBytes(count * shape.count, seed: seed &+ 1),
            labels: (0 ..< count).map { _ in Int32(generator.index(below: classCount)) },
            classNames: (0 ..< classCount).map { "class \($0)" })
    }

    /// Calls `body` with a new folder that is removed afterwards.
    static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gossamer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.path)
    }

    static func write(_ bytes: [UInt8], _ folder: String, _ file: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(file)"))
    }
}
