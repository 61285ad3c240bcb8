import GossamerImages
import Testing

@Suite struct DecodingTests {
    /// Versions of libjpeg may round a pixel differently.
    @Test(arguments: ImageFixture.names)
    func pixelsAreThoseOfPillow(name: String) throws {
        let fixture = try ImageFixture(name)
        let image = try PixelImage(decoding: fixture.bytes, name: name)
        let difference = try #require(image.largestDifference(from: fixture.expected), "\(image.shape)")
        #expect(difference <= (name.hasSuffix(".jpg") ? 1 : 0))
    }

    @Test(arguments: ImageFixture.names)
    func everyTruncationIsAnError(name: String) throws {
        let bytes = try ImageFixture(name).bytes
        // The last bytes only say that the image ends here.
        let end = bytes.count - (name.hasSuffix(".jpg") ? 4 : 16)
        for count in 0 ..< end {
            #expect(throws: ImageError.self, "\(count) bytes") {
                try PixelImage(decoding: Array(bytes.prefix(count)), name: name)
            }
        }
    }

    @Test func whatIsNoImageIsNamed() {
        for bytes in [[], [0xff], Array("GIF89a and more".utf8)] as [[UInt8]] {
            let error = #expect(throws: ImageError.self) { try PixelImage(decoding: bytes, name: "photo\n.gif") }
            #expect(error?.description == "photo?.gif: it is not an image, expected JPEG or PNG")
        }
    }
}
