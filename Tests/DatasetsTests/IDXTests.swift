import CZlib
import Foundation
import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct IDXTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func imagesRoundTripPlainAndCompressed(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (count, height, width) = (
            1 + generator.index(below: 40), 1 + generator.index(below: 70), 1 + generator.index(below: 70))
        let pixels = Samples.randomBytes(count * height * width, seed: seed)
        let plain = Samples.idx(sizes: [count, height, width], elements: pixels)
        for bytes in [plain, Samples.gzip(plain)] {
            let images = try IDX.images(bytes: bytes, name: "seed \(seed)")
            #expect(images.count == count && images.height == height && images.width == width)
            #expect(images.pixels == pixels)
        }
    }

    @Test(arguments: [1, 7, 65_527, 65_528, 65_529, 200_000])
    func labelsRoundTripPlainAndCompressed(count: Int) throws {
        let labels = Samples.randomBytes(count, seed: 3)
        let plain = Samples.idx(sizes: [count], elements: labels)
        for bytes in [plain, Samples.gzip(plain)] {
            #expect(try IDX.labels(bytes: bytes, name: "labels") == labels)
        }
    }

    @Test func readsFiles() throws {
        try Samples.withFolder { folder in
            let plain = Samples.idx(sizes: [2, 3, 4], elements: Array(0 ..< 24))
            try Samples.write(plain, folder, "a")
            try Samples.write(Samples.gzip(plain), folder, "b")
            #expect(try IDX.images(file: "\(folder)/a") == IDX.images(file: "\(folder)/b"))
            #expect(throws: DatasetError.fileMissing(file: "\(folder)/c")) { try IDX.labels(file: "\(folder)/c") }
            #expect(throws: DatasetError.unreadable(file: folder, reason: "it is not a regular file")) {
                try IDX.labels(file: folder)
            }
        }
    }

    @Test func namedPipeIsRejectedWithoutWaiting() throws {
        try Samples.withFolder { folder in
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            #expect(throws: DatasetError.unreadable(file: "\(folder)/pipe", reason: "it is not a regular file")) {
                try IDX.labels(file: "\(folder)/pipe")
            }
        }
    }

    // MARK: Malformed

    private static let valid = Samples.idx(sizes: [3, 4, 5], elements: Samples.randomBytes(60, seed: 1))

    @Test func everyTruncationIsReported() {
        for bytes in [Self.valid, Samples.gzip(Self.valid)] {
            for length in 0 ..< bytes.count { expectFailure(Array(bytes.prefix(length)), "truncated to \(length)") }
        }
    }

    @Test func everyTrailingByteIsReported() {
        #expect(throws: DatasetError.trailingBytes(file: "f", after: "pixels")) {
            try IDX.images(bytes: Self.valid + [0], name: "f")
        }
        #expect(throws: DatasetError.trailingBytes(file: "f", after: "pixels")) {
            try IDX.images(bytes: Samples.gzip(Self.valid + [0]), name: "f")
        }
        #expect(throws: DatasetError.trailingBytes(file: "f", after: "the gzip stream")) {
            try IDX.images(bytes: Samples.gzip(Self.valid) + [0], name: "f")
        }
    }

    @Test func everyChangedBitOfTheChecksumIsReported() {
        let compressed = Samples.gzip(Self.valid)
        for bit in 0 ..< 64 {
            var changed = compressed
            changed[compressed.count - 8 + bit / 8] ^= 1 << (bit % 8)
            #expect(throws: DatasetError.corruptGzip(
                file: "f", reason: bit < 32 ? "incorrect data check" : "incorrect length check")
            ) {
                try IDX.images(bytes: changed, name: "f")
            }
        }
    }

    @Test func wrongMagicNumberNamesBoth() {
        let labels = Samples.idx(sizes: [2], elements: [0, 1])
        #expect(throws: DatasetError.invalidField(
            file: "f", field: "magic number", found: "0x00000801",
            expected: "0x00000803 (unsigned bytes in 3 dimensions)")
        ) {
            try IDX.images(bytes: labels, name: "f")
        }
        // 32-bit floats, which this reader does not take.
        expectFailure(Samples.idx(sizes: [1, 1, 1], elements: [0, 0, 0, 0], magic: [0, 0, 0x0d, 3]), "floats")
    }

    @Test(arguments: [[0, 4, 5], [3, 0, 5], [3, 4, 0]])
    func zeroSizesAreReported(sizes: [Int]) {
        let field = ["number of images", "image height", "image width"][sizes.firstIndex(of: 0)!]
        #expect(throws: DatasetError.invalidField(file: "f", field: field, found: "0", expected: "at least 1")) {
            try IDX.images(bytes: Samples.idx(sizes: sizes, elements: []), name: "f")
        }
    }

    @Test(arguments: [[1, 8193, 1], [1, 1, 0xffff_ffff], [0xffff_ffff, 8192, 8192], [1 << 20, 256, 256]])
    func absurdSizesAreReportedBeforeTheirPixelsAreRead(sizes: [Int]) {
        let bytes = Samples.idx(sizes: sizes, elements: [1, 2, 3])
        expectFailure(bytes, "\(sizes)")
        expectFailure(Samples.gzip(bytes), "\(sizes)")
    }

    /// A size that the limits allow, but that no file of so few bytes could hold, allocates nothing.
    @Test func sizesAreComparedWithTheFile() {
        let bytes = Samples.idx(sizes: [1 << 10, 1 << 10, 1 << 10], elements: [1, 2, 3])
        #expect(throws: DatasetError.invalidField(
            file: "f", field: "number of pixels", found: "1073741824",
            expected: "at most the 19 bytes that a file of this size can hold")
        ) {
            try IDX.images(bytes: bytes, name: "f")
        }
        expectFailure(Samples.gzip(bytes), "compressed")
    }

    /// 64 MB of zeros in 64 KB, of which the header asks for one: reading stops at the second.
    @Test func gzipBombStopsAtTheSizeOfTheHeader() {
        let bomb = Samples.gzip(
            Samples.idx(sizes: [1, 1, 1], elements: [UInt8](repeating: 0, count: 1 << 26)))
        #expect(throws: DatasetError.trailingBytes(file: "f", after: "pixels")) {
            try IDX.images(bytes: bomb, name: "f")
        }
    }

    @Test func changedBytesNeverCrash() {
        let files = [Self.valid, Samples.gzip(Self.valid)]
        var generator = SeededGenerator(seed: 11)
        for _ in 0 ..< 5_000 {
            var bytes = files[generator.index(below: 2)]
            for _ in 0 ... generator.index(below: 4) {
                bytes[generator.index(below: bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            if let images = try? IDX.images(bytes: bytes, name: "f") {
                #expect(images.pixels.count == images.count * images.height * images.width)
            }
        }
    }

    @Test func messagesAreOneLine() {
        let error = DatasetError.fileMissing(file: "a\nb\u{1b}[2J")
        #expect(error.description == "a?b?[2J: no such file, plain or with .gz")
    }

    private func expectFailure(_ bytes: [UInt8], _ what: String) {
        do {
            _ = try IDX.images(bytes: bytes, name: "f")
            Issue.record("\(what): was read")
        } catch {
            #expect(error.description.hasPrefix("f: "), "\(what)")
            #expect(!error.description.contains("\n"), "\(what)")
        }
    }
}
