import Foundation
import GossamerModelFiles
import GossamerTestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test(arguments: [true, false]) func replacesAFileAndLeavesNothingElse(durable: Bool) throws {
        let folder = TemporaryFolder()
        let path = folder.file("run.json")
        try AtomicFile.write(to: path, contents: "old and longer".utf8, durable: durable)
        try AtomicFile.write(to: path, contents: "new".utf8, durable: durable)
        #expect(try bytes(ofFile: path) == Array("new".utf8))
        #expect(folder.contents == ["run.json"])
    }

    @Test func writesAnEmptyFile() throws {
        let folder = TemporaryFolder()
        try AtomicFile.write(to: folder.file("empty"), contents: [])
        #expect(try bytes(ofFile: folder.file("empty")).isEmpty)
    }

    @Test func keepsTheOrderOfPieces() throws {
        let folder = TemporaryFolder()
        let path = folder.file("pieces")
        try AtomicFile.write(to: path) { (sink: AtomicFile.Sink) throws(ModelFileError) in
            for piece: UInt8 in 0 ..< 100 {
                try withUnsafeBytes(of: piece) { (bytes) throws(ModelFileError) in try sink(bytes) }
            }
        }
        #expect(try bytes(ofFile: path) == Array(0 ..< 100))
    }

    @Test func anErrorHalfwayLeavesTheOldFile() throws {
        let folder = TemporaryFolder()
        let path = folder.file("checkpoint")
        try AtomicFile.write(to: path, contents: "old".utf8)
        let failure = ModelFileError.mismatch(file: "checkpoint", field: "test", expected: "an error")
        #expect(throws: failure) {
            try AtomicFile.write(to: path) { (sink: AtomicFile.Sink) throws(ModelFileError) in
                try withUnsafeBytes(of: 7) { (bytes) throws(ModelFileError) in try sink(bytes) }
                throw failure
            }
        }
        #expect(try bytes(ofFile: path) == Array("old".utf8))
        #expect(folder.contents == ["checkpoint"])
    }

    /// A limit on the size of files fails a write in its middle, as a full disk does.
    @Test func aFullDiskLeavesTheOldFile() async {
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            let path = folder.file("checkpoint")
            try AtomicFile.write(to: path, contents: "old".utf8)
            signal(SIGXFSZ, SIG_IGN)
            #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            #else
            let resource = RLIMIT_FSIZE
            #endif
            var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
            #expect(setrlimit(resource, &limit) == 0)

            let large = [UInt8](repeating: 1, count: 100_000)
            #expect { try AtomicFile.write(to: path, contents: large) } throws: { error in
                if case .unwritable(file: path, reason: _) = error as? ModelFileError { true } else { false }
            }
            var writer = SafetensorsWriter()
            writer.add("a", shape: [100_000], values: large)
            #expect(throws: ModelFileError.self) { try writer.write(to: path) }

            #expect(try bytes(ofFile: path) == Array("old".utf8))
            #expect(folder.contents == ["checkpoint"])
        }
    }

    @Test func refusesAMissingFolder() {
        let folder = TemporaryFolder()
        let path = folder.file("missing/run.json")
        #expect(throws: ModelFileError.unwritable(file: path, reason: "No such file or directory")) {
            try AtomicFile.write(to: path, contents: [1])
        }
    }

    @Test func replacesNeitherFoldersNorDevices() {
        let folder = TemporaryFolder()
        for path in [folder.path, "/dev/null"] {
            #expect(throws: ModelFileError.unwritable(file: path, reason: "not a regular file")) {
                try AtomicFile.write(to: path, contents: [1])
            }
        }
    }

    @Test func removesOnlyTheRemainsOfItsOwnFile() throws {
        let folder = TemporaryFolder()
        for name in ["model", ".model.partial-1a", ".model.partial-zz", ".other.partial-1a", "model.partial-1a"] {
            try AtomicFile.write(to: folder.file(name), contents: [1], durable: false)
        }
        AtomicFile.removeRemains(of: folder.file("model"))
        #expect(folder.contents == [".other.partial-1a", "model", "model.partial-1a"])
    }

    /// Readers of a file that is written again and again only ever see whole versions.
    @Test func readersSeeWholeFiles() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("state")
        try AtomicFile.write(to: path, contents: [UInt8](repeating: 0, count: 50_000), durable: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer: UInt8 in 1 ... 2 {
                group.addTask {
                    for _ in 0 ..< 50 {
                        let contents = [UInt8](repeating: writer, count: 50_000)
                        try AtomicFile.write(to: path, contents: contents, durable: false)
                    }
                }
            }
            for _ in 0 ..< 100 {
                let seen = try bytes(ofFile: path)
                #expect(seen.count == 50_000 && Set(seen).count == 1)
            }
            try await group.waitForAll()
        }
    }
}
