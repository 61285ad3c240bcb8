import Foundation
import GossamerExperiments
import GossamerTestSupport
import Testing

@Suite struct RunIndexTests {
    private func save(_ configuration: RunConfiguration, at path: String, accuracy: Double? = 0.9) throws -> RunFolder {
        let folder = RunFolder(path: path)
        try folder.save(.sample(configuration, accuracy: accuracy))
        return folder
    }

    @Test func findsRunsInAnyTreeAndAnswersQueries() throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/it's [odd]%"
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        let dense = try save(.sample(), at: root + "/a")
        let sparse = try save(.sample(pattern: "random:0.1"), at: root + "/b/c/points/x")
        let other = try save(.sample(network: "o'brien\" --", data: "d"), at: root + "/b/d", accuracy: nil)
        #expect(try index.refresh(from: root).added == 3)
        #expect(try index.runs().map(\.folder.path) == [dense, sparse, other].map(\.path))
        #expect(try index.runs(method: .sparse).map(\.record.configuration.pattern) == ["random:0.1"])
        #expect(try index.runs(network: "o'brien\" --").map(\.folder) == [other])
        #expect(try index.runs(data: "fashion-mnist", status: .completed).count == 2)
        #expect(try index.runs(network: "mnist", data: "d").isEmpty)
    }

    @Test func refreshReadsOnlyWhatChanged() throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/runs"
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        let first = try save(.sample(seed: 1), at: root + "/1")
        _ = try save(.sample(seed: 2), at: root + "/2")
        let third = try save(.sample(seed: 3), at: root + "/3")
        _ = try index.refresh(from: root)
        #expect(try index.refresh(from: root).unchanged == 3)
        try first.save(.sample(.sample(seed: 1), accuracy: 0.5))
        try third.clear()
        let refresh = try index.refresh(from: root)
        #expect((refresh.added, refresh.updated, refresh.removed, refresh.unchanged) == (0, 1, 1, 1))
        #expect(try index.runs().map(\.record.results?.testAccuracy) == [0.5, 0.9])
    }

    @Test func treesSideBySideAreKeptApart() throws {
        let temporary = TemporaryFolder()
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        _ = try save(.sample(), at: temporary.path + "/runs/a")
        _ = try save(.sample(), at: temporary.path + "/runs2/a")
        _ = try index.refresh(from: temporary.path + "/runs")
        _ = try index.refresh(from: temporary.path + "/runs2")
        _ = try index.refresh(from: temporary.path + "/runs/")
        #expect(try index.runs().count == 2)
    }

    @Test func damagedRecordsAreReportedAndTheRestIsKept() throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/runs"
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        let bad = try save(.sample(seed: 1), at: root + "/1")
        _ = try save(.sample(seed: 2), at: root + "/2")
        _ = try index.refresh(from: root)
        try "{".write(toFile: bad.recordPath, atomically: true, encoding: .utf8)
        let refresh = try index.refresh(from: root)
        #expect(refresh.problems.count == 1 && refresh.removed == 1)
        #expect(try index.runs().map(\.record.configuration.seed) == [2])
    }

    @Test func anIndexInMemoryAnswersToo() throws {
        let temporary = TemporaryFolder()
        let index = try RunIndex()
        _ = try save(.sample(), at: temporary.path + "/runs/a")
        #expect(try index.refresh(from: temporary.path + "/runs").added == 1)
        #expect(try index.runs(method: .dense).count == 1 && index.runs(method: .sparse).isEmpty)
    }

    @Test func aFolderThatIsARunItselfIsKnownAndForgotten() throws {
        let temporary = TemporaryFolder()
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        let run = try save(.sample(), at: temporary.path + "/run")
        #expect(try index.refresh(from: run.path).added == 1)
        #expect(try index.refresh(from: run.path).unchanged == 1)
        try run.clear()
        #expect(try index.refresh(from: run.path).removed == 1)
        #expect(try index.runs().isEmpty)
    }

    /// Each way to spoil the database file, given its bytes.
    private static let damages: [@Sendable (Data) -> Data] = [
        { _ in Data("not a database at all, but long enough to be looked at".utf8) },
        { $0.prefix($0.count / 2) },
        { $0.prefix(100) + Data(repeating: 0xa5, count: max(0, $0.count - 100)) },
        // The schema's version, at byte 60.
        { $0.prefix(60) + Data([0, 0, 0, 99]) + $0.dropFirst(64) },
    ]

    @Test(arguments: damages.indices) func aDamagedOrOlderIndexIsRebuilt(_ damage: Int) throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/runs"
        let cache = temporary.path + "/cache"
        for seed in 0 ..< 40 { _ = try save(.sample(seed: UInt64(seed)), at: "\(root)/\(seed)") }
        do { _ = try RunIndex(cacheFolder: cache).refresh(from: root) }
        let file = URL(fileURLWithPath: cache + "/runs.sqlite")
        let bytes = try Data(contentsOf: file)
        try Self.damages[damage](bytes).write(to: file)
        let index = try RunIndex(cacheFolder: cache)
        _ = try index.refresh(from: root)
        #expect(try index.runs().count == 40)
        #expect(try index.rebuild(from: root).added == 40)
        #expect(try index.runs().count == 40)
    }

    @Test func severalProcessesMayOpenOneIndex() throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/runs"
        for seed in 0 ..< 20 { _ = try save(.sample(seed: UInt64(seed)), at: "\(root)/\(seed)") }
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            // Each with a connection of its own, as processes have.
            let count = try? {
                let index = try RunIndex(cacheFolder: temporary.path + "/cache")
                _ = try index.refresh(from: root)
                return try index.runs().count
            }()
            #expect(count == 20)
        }
    }

    @Test func linksAreNotFollowed() throws {
        let temporary = TemporaryFolder()
        let root = temporary.path + "/runs"
        _ = try save(.sample(), at: root + "/a")
        try FileManager.default.createSymbolicLink(atPath: root + "/loop", withDestinationPath: root)
        let index = try RunIndex(cacheFolder: temporary.path + "/cache")
        #expect(try index.refresh(from: root).added == 1)
    }
}
