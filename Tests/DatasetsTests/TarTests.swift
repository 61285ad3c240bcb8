import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct TarTests {
    private static let long = "train/" + String(repeating: "n", count: 150) + "/1.jpg"

    private func names(_ archive: [UInt8]) throws(DatasetError) -> [String] {
        try TarEntry.all(of: archive, name: "a.tar").map(\.name)
    }

    @Test func filesAreFoundWhereTheyLie() throws {
        var tar = TarBuilder()
        tar.add("train/", type: "5")
        tar.add("train/a/1.jpg", [1, 2, 3])
        tar.add("old/folder/")
        tar.add("empty", [])
        tar.add("last", [UInt8](repeating: 9, count: 512), type: "\0", magic: "")
        let archive = tar.finished()
        let entries = try TarEntry.all(of: archive, name: "a.tar")
        #expect(entries.map(\.name) == ["train/a/1.jpg", "empty", "last"])
        #expect(entries.map(\.byteCount) == [3, 0, 512])
        #expect(Array(archive[entries[0].offset...].prefix(3)) == [1, 2, 3])
        #expect(archive[entries[2].offset...].prefix(512).allSatisfy { $0 == 9 })
    }

    @Test func namesMayBeLong() throws {
        var tar = TarBuilder()
        tar.addLong(Self.long, [1])
        tar.add("b.jpg", prefix: "train/deep")
        tar.add(fields: [("mtime", "1.5"), ("path", "ä/" + Self.long)])
        tar.add("short", [2])
        tar.add(fields: [("comment", "for all")], type: "g")
        tar.add("target", [UInt8]("a/link's target".utf8), type: "K")
        tar.add("after", prefix: "not/posix", magic: "ustar  \0")
        #expect(try names(tar.finished()) == [Self.long, "train/deep/b.jpg", "ä/" + Self.long, "after"])
    }

    @Test func sizesMayBeBinaryOrFields() throws {
        var tar = TarBuilder()
        let content = [UInt8](repeating: 1, count: 300)
        tar.add("binary", content, size: [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 44])
        tar.add(fields: [("size", "300")])
        tar.add("field", content, size: Array("00000000000\0".utf8))
        tar.add("spaces", content, size: Array("        454 ".utf8))
        #expect(try TarEntry.all(of: tar.finished(), name: "a.tar").map(\.byteCount) == [300, 300, 300])
    }

    @Test func compressedArchivesReadTheSame() throws {
        var tar = TarBuilder()
        tar.add("a", [1])
        tar.addLong(Self.long, [UInt8](repeating: 7, count: 5000))
        let archive = tar.finished()
        let expected = try TarEntry.all(of: archive, name: "a.tar")
        #expect(try TarEntry.all(of: Samples.gzip(archive), name: "a.tar") == expected)
        for cut in [1, 512, 700, archive.count - 1] {
            let members = Samples.gzip(Array(archive[..<cut])) + Samples.gzip(Array(archive[cut...]))
            #expect(try TarEntry.all(of: members, name: "a.tar") == expected, "cut at \(cut)")
        }
    }

    @Test func theTwoLastBlocksMayBeMissing() throws {
        var tar = TarBuilder()
        tar.add("a", [1])
        #expect(try names(tar.bytes) == ["a"])
        #expect(try names(Samples.gzip(tar.bytes)) == ["a"])
        #expect(try names([]) == [])
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the error must say.
        let text: String
        let change: @Sendable (inout TarBuilder) -> Void

        init(_ description: String, _ text: String, _ change: @escaping @Sendable (inout TarBuilder) -> Void) {
            testDescription = description
            self.text = text
            self.change = change
        }
    }

    static let hostile = [
        Hostile("a name above the archive", "'../a.jpg'") { $0.add("../a.jpg") },
        Hostile("dots inside a name", "'train/../../a.jpg'") { $0.add("train/../../a.jpg") },
        Hostile("an absolute name", "'/etc/passwd'") { $0.add("/etc/passwd") },
        Hostile("a long absolute name", "path inside") { $0.addLong("/" + long) },
        Hostile("a field with dots", "'a/..'") {
            $0.add(fields: [("path", "a/..")])
            $0.add("a")
        },
        Hostile("no name", "''") { $0.add("") },
        Hostile("a symbolic link", "symbolic link") { $0.add("train/a/1.jpg", type: "2") },
        Hostile("a hard link", "hard link") { $0.add("train/a/1.jpg", type: "1") },
        Hostile("a device", "device") { $0.add("train/a/1.jpg", type: "3") },
        Hostile("a pipe", "pipe") { $0.add("train/a/1.jpg", type: "6") },
        Hostile("a sparse file", "sparse") { $0.add("train/a/1.jpg", type: "S") },
        Hostile("an unknown type", "type 90") { $0.add("train/a/1.jpg", type: "Z") },
        Hostile("a negative size", "size") { $0.add("a", size: [UInt8](repeating: 0xff, count: 12)) },
        Hostile("a size beyond all files", "size") {
            $0.add("a", size: [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        },
        Hostile("a size beyond this one", "no more than is left") { $0.add("a", size: Array("77777777777\0".utf8)) },
        Hostile("a size of garbage", "size") { $0.add("a", size: [0x80] + [UInt8](repeating: 0x7f, count: 11)) },
        Hostile("a size of letters", "size") { $0.add("a", size: Array("twelve\0     ".utf8)) },
        Hostile("a huge name", "at most 65536") { $0.add("n", [UInt8](repeating: 65, count: 70_000), type: "L") },
        Hostile("fields without a length", "damaged") { $0.add("f", Array("path=a\n".utf8), type: "x") },
        Hostile("fields that are too long", "damaged") { $0.add("f", Array("99 path=a\n".utf8), type: "x") },
        Hostile("a negative field", "damaged") { $0.add(fields: [("size", "-1")]) },
        Hostile("a name without a file", "after an extended header") { $0.add("n", Array("name".utf8), type: "L") },
    ]

    @Test(arguments: hostile) func isRefused(_ hostile: Hostile) throws {
        var tar = TarBuilder()
        tar.add("good", [1])
        hostile.change(&tar)
        for archive in [tar.finished(), Samples.gzip(tar.finished())] {
            let error = #expect(throws: DatasetError.self) { try names(archive) }
            let text = try #require(error).description
            #expect(text.hasPrefix("a.tar: ") && text.contains(hostile.text) && !text.contains("\n"), "\(text)")
        }
    }

    @Test func wrongChecksumsAreRefused() {
        var tar = TarBuilder()
        tar.add("a", [1])
        for place in [0, 130, 150, 300] {
            var archive = tar.finished()
            archive[place] ^= 1
            let error = #expect(throws: DatasetError.self) { try names(archive) }
            #expect(error?.description.contains("checksum") == true)
        }
    }

    @Test func truncatedArchivesAreRefused() throws {
        var tar = TarBuilder()
        tar.add("a", [UInt8](repeating: 1, count: 600))
        tar.addLong(Self.long, [2])
        let archive = tar.bytes
        // At a header an archive may end, whether or not it should.
        for count in 1 ..< archive.count where ![1536, archive.count].contains(count) {
            #expect(throws: DatasetError.self, "\(count) bytes") { try names(Array(archive.prefix(count))) }
        }
        let compressed = Samples.gzip(archive)
        for count in 2 ..< compressed.count {
            #expect(throws: DatasetError.self, "\(count) bytes") { try names(Array(compressed.prefix(count))) }
        }
    }

    @Test func damageNeverCrashes() {
        var tar = TarBuilder()
        tar.addLong(Self.long, [2])
        tar.add(fields: [("path", "b"), ("size", "1")])
        tar.add("c", [1])
        let archive = tar.finished()
        for seed in 0 ..< 3000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var damaged = archive
            for _ in 0 ... generator.index(below: 3) {
                let place = generator.index(below: damaged.count)
                damaged[place] = UInt8(truncatingIfNeeded: generator.next())
                // With a checksum that is right again, so that damage gets further.
                let start = place / 512 * 512
                let sum = damaged[start ..< start + 512].enumerated().reduce(0) {
                    $0 + ((148 ..< 156).contains($1.offset) ? 32 : Int($1.element))
                }
                let digits = String(sum, radix: 8)
                let field = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
                damaged.replaceSubrange(start + 148 ..< start + 156, with: Array(field.utf8))
            }
            do throws(DatasetError) {
                _ = try names(damaged)
            } catch {
                #expect(!error.description.contains("\n"), "seed \(seed)")
            }
        }
    }
}
