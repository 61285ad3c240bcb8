import Foundation
import GossamerImages
import GossamerTensors
import Testing

@Suite struct ResizingTests {
    private static let image = try! ImageFixture("colour.png").expected

    static let resized = try! FileManager.default.contentsOfDirectory(atPath: ImageFixture.folder.path)
        .filter { $0.hasPrefix("resize-") }.sorted()

    @Test(arguments: resized)
    func pixelsAreThoseOfPillow(file: String) throws {
        let expected = try ImageFixture.pixels(file)
        let interpolation = try #require(Preprocessing.Interpolation(rawValue: String(file.split(separator: "-")[1])))
        let resized = Self.image.resized(to: PixelSize(expected.shape), interpolation: interpolation)
        let difference = try #require(resized.largestDifference(from: expected), "\(resized.shape)")
        #expect(difference <= 1)
    }

    @Test func aPartIsResizedAsIfItWereAlone() throws {
        let expected = try ImageFixture.pixels("part-bicubic-16x18.pixels")
        var window = ImageWindow(
            whole: PixelSize(height: 21, width: 26), resized: PixelSize(expected.shape))
        (window.top, window.left) = (3, 5)
        let part = Self.image.cut(window, size: PixelSize(expected.shape), interpolation: .bicubic)
        #expect(try #require(part.largestDifference(from: expected)) <= 1)
    }

    /// A window of the resized image is what would be cut out of the whole one.
    @Test(arguments: 0 ..< 200)
    func windowsAreCutOutOfTheWhole(seed: UInt64) {
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("windows"))
        let shape = Shape(
            channels: generator.index(below: 2) * 2 + 1, height: 1 + generator.index(below: 40),
            width: 1 + generator.index(below: 40))
        let image = PixelImage(
            shape: shape, pixels: (0 ..< shape.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
        let resized = PixelSize(height: 1 + generator.index(below: 60), width: 1 + generator.index(below: 60))
        let size = PixelSize(
            height: 1 + generator.index(below: resized.height), width: 1 + generator.index(below: resized.width))
        var window = ImageWindow(whole: PixelSize(shape), resized: resized)
        window.windowTop = generator.index(below: resized.height - size.height + 1)
        window.windowLeft = generator.index(below: resized.width - size.width + 1)
        let interpolation = generator.index(below: 2) == 0 ? Preprocessing.Interpolation.bilinear : .bicubic

        let whole = image.resized(to: resized, interpolation: interpolation)
        let cut = image.cut(window, size: size, interpolation: interpolation)
        var expected: [UInt8] = []
        for channel in 0 ..< shape.channels {
            for row in 0 ..< size.height {
                let start = (channel * resized.height + window.windowTop + row) * resized.width + window.windowLeft
                expected += whole.pixels[start ..< start + size.width]
            }
        }
        #expect(cut.pixels == expected, "seed \(seed): \(shape) to \(resized)")
    }

    @Test(arguments: [Preprocessing.Interpolation.bilinear, .bicubic])
    func aFlatImageStaysFlat(interpolation: Preprocessing.Interpolation) {
        for value in [0, 1, 127, 254, 255] as [UInt8] {
            let image = PixelImage(
                shape: Shape(channels: 1, height: 31, width: 17), pixels: [UInt8](repeating: value, count: 527))
            for size in [PixelSize(height: 5, width: 40), PixelSize(height: 90, width: 3)] {
                #expect(image.resized(to: size, interpolation: interpolation).pixels.allSatisfy { $0 == value })
            }
        }
    }
}
