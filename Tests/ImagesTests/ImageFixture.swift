import Foundation
import GossamerImages
import GossamerTensors

/// A file of Tests/Fixtures/images: an image, and the pixels that Pillow has for it.
struct ImageFixture: CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    let expected: PixelImage

    init(_ name: String) throws {
        description = name
        bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: name)))
        expected = try Self.pixels(name + ".pixels")
    }

    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/images")

    static let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()

    static func pixels(_ name: String) throws -> PixelImage { try pixels(at: folder.appending(path: name)) }

    /// Reads a file of channels, height, width and bytes.
    static func pixels(at file: URL) throws -> PixelImage {
        let bytes = [UInt8](try Data(contentsOf: file))
        func size(_ place: Int) -> Int { (0 ..< 4).reduce(0) { $0 | Int(bytes[4 * place + $1]) << (8 * $1) } }
        return PixelImage(
            shape: Shape(channels: size(0), height: size(1), width: size(2)), pixels: Array(bytes[12...]))
    }
}

extension PixelImage {
    /// The largest difference of two pixels, or nil where the shapes differ.
    func largestDifference(from other: PixelImage) -> Int? {
        guard shape == other.shape else { return nil }
        return zip(pixels, other.pixels).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
    }
}
