import Foundation
import GossamerImages
import GossamerTensors
import Testing

/// Files that ask for much, or are not what they seem.
@Suite struct HostileImageTests {
    private func expectError(
        _ bytes: [UInt8], _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ImageError.self, sourceLocation: sourceLocation) {
            try PixelImage(decoding: bytes, name: "image")
        }
        #expect(
            error?.description.hasPrefix("image: ") == true && error?.description.contains(text) == true
                && error?.description.contains("\n") == false,
            "\(String(describing: error))", sourceLocation: sourceLocation)
    }

    @Test func sizesAreRefusedBeforeMemoryIsTaken() throws {
        expectError(progressiveBomb(width: 65000, height: 65000, scans: 0).prefix(200) + [], "65000 x 65000")
        expectError(PNGBuilder(width: 65535, height: 65535).bytes(), "65535 x 65535")
        expectError(PNGBuilder(width: 1 << 16, height: 1).bytes(), "PNG")
        expectError(PNGBuilder(width: 0xffff_ffff, height: 0xffff_ffff).bytes(), "PNG")
        expectError(PNGBuilder(width: 0, height: 1).bytes(), "PNG")
        // A JPEG header without width.
        var bytes = try ImageFixture("grey.jpg").bytes
        let frame = try #require(bytes.indices.first { bytes[$0] == 0xff && bytes[$0 + 1] == 0xc0 })
        (bytes[frame + 7], bytes[frame + 8]) = (0, 0)
        expectError(bytes, "JPEG")
    }

    @Test func manyScansAreRefused() throws {
        let few = try PixelImage(decoding: progressiveBomb(width: 200, height: 100, scans: 5), name: "few")
        #expect(few.shape == Shape(channels: 1, height: 100, width: 200))
        expectError(progressiveBomb(width: 8000, height: 8000, scans: 2000), "scans")
    }

    @Test func pixelsThatNeverComeAreAnError() {
        var png = PNGBuilder(width: 8000, height: 8000, colorType: 2)
        png.rows = [UInt8](repeating: 0, count: 100_000)
        expectError(png.bytes(), "PNG")
        png.isInterlaced = true
        expectError(png.bytes(), "PNG")
    }

    @Test func textsAndProfilesThatInflateAreNotRead() throws {
        var png = PNGBuilder(width: 2, height: 1)
        png.rows = [0, 7, 9]
        let bomb = PNGBuilder.deflated([UInt8](repeating: 65, count: 1 << 24))
        png.extra = PNGBuilder.chunk("zTXt", Array("k\0\0".utf8) + bomb)
            + PNGBuilder.chunk("iCCP", Array("p\0\0".utf8) + bomb)
        #expect(try PixelImage(decoding: png.bytes(), name: "texts").pixels == [7, 9])
    }

    @Test func wrongChecksumsAreErrors() throws {
        for name in ImageFixture.names where name.hasSuffix(".png") {
            var bytes = try ImageFixture(name).bytes
            // The header's, the end's, and one in the pixels.
            for place in [29, bytes.count - 1, bytes.count - 13] {
                bytes[place] ^= 1
                expectError(bytes, "PNG")
                bytes[place] ^= 1
            }
        }
    }

    /// Any change to any byte gives an image or an error.
    @Test(arguments: ImageFixture.names) func damageNeverCrashes(name: String) throws {
        let bytes = try ImageFixture(name).bytes
        var generator = SeededGenerator(seed: 1, keys: SeededGenerator.key(name))
        for _ in 0 ..< 300 {
            var damaged = bytes
            for _ in 0 ... generator.index(below: 3) {
                damaged[generator.index(below: damaged.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            do throws(ImageError) {
                let image = try PixelImage(decoding: damaged, name: name)
                #expect(image.pixels.count == image.shape.count)
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }
}

@Suite struct PNGKindTests {
    @Test func sixteenBitsAreRounded() throws {
        var png = PNGBuilder(width: 3, height: 1, bitDepth: 16, colorType: 2)
        png.rows = [0] + [0x0000, 0xffff, 0x8080, 0x807f, 0x00ff, 0x0001, 0x1234, 0xfe00, 0xff7f].flatMap {
            [UInt8($0 >> 8), UInt8($0 & 255)]
        }
        let image = try PixelImage(decoding: png.bytes(), name: "deep")
        #expect(image.shape == Shape(channels: 3, height: 1, width: 3))
        #expect(image.pixels == [0, 128, 18, 255, 1, 253, 128, 0, 255])
    }

    @Test func greyOfFewBitsFillsTheRange() throws {
        var png = PNGBuilder(width: 4, height: 1, bitDepth: 2)
        png.rows = [0, 0b00_01_10_11]
        #expect(try PixelImage(decoding: png.bytes(), name: "grey").pixels == [0, 85, 170, 255])
    }

    @Test func interlacedRowsFindTheirPlace() throws {
        // Adam7 of 8 x 8 pixels whose values are their places.
        var png = PNGBuilder(width: 8, height: 8)
        png.isInterlaced = true
        let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        for (left, top, right, down) in passes {
            for row in stride(from: top, to: 8, by: down) {
                png.rows += [0] + stride(from: left, to: 8, by: right).map { UInt8(8 * row + $0) }
            }
        }
        #expect(try PixelImage(decoding: png.bytes(), name: "adam").pixels == Array(0 ..< 64))
    }

    @Test func whatIsTransparentShowsWhite() throws {
        var png = PNGBuilder(width: 3, height: 1, colorType: 4)
        png.rows = [0, 100, 255, 100, 0, 100, 128]
        #expect(try PixelImage(decoding: png.bytes(), name: "alpha").pixels == [100, 255, 177])
        var keyed = PNGBuilder(width: 2, height: 1)
        keyed.rows = [0, 5, 6]
        keyed.extra = PNGBuilder.chunk("tRNS", [0, 5])
        #expect(try PixelImage(decoding: keyed.bytes(), name: "key").pixels == [255, 6])
    }
}
