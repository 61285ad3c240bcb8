import Foundation
import GossamerExperiments
import GossamerTestSupport
import Testing

@Suite struct RunFolderTests {
    @Test func recordSurvivesTheFile() throws {
        let temporary = TemporaryFolder()
        let folder = try RunFolder.create(at: temporary.path + "/a/b/")
        var record = RunRecord.sample(.sample(pattern: "random:0.1"), accuracy: 0.875)
        record.dataNote = "a note with \"quotes\" and /slashes"
        try folder.save(record)
        #expect(try folder.load() == record)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run.json"])
    }

    @Test func anExistingRunIsReplacedOnlyByForce() throws {
        let temporary = TemporaryFolder()
        let folder = try RunFolder.create(at: temporary.path + "/run")
        try folder.save(.sample(.sample()))
        let other = folder.path + "/notes.txt"
        try "kept".write(toFile: other, atomically: true, encoding: .utf8)
        #expect(throws: ExperimentError.runExists(folder: folder.path)) { try RunFolder.create(at: folder.path) }
        #expect(folder.hasRecord)
        _ = try RunFolder.create(at: folder.path, force: true)
        #expect(!folder.holdsRun)
        #expect(FileManager.default.fileExists(atPath: other))
    }

    struct Line: Codable, Equatable {
        var epoch: Int
        var loss: Double
    }

    @Test func metricsSurviveACutLine() throws {
        let temporary = TemporaryFolder()
        let folder = RunFolder(path: temporary.path + "/run")
        #expect(try folder.metrics(Line.self).isEmpty)
        try folder.appendMetrics(Line(epoch: 1, loss: 0.5))
        let handle = try #require(FileHandle(forWritingAtPath: folder.metricsPath))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"epoch\":2,\"lo".utf8))
        try handle.close()
        try folder.appendMetrics(Line(epoch: 2, loss: .infinity))
        #expect(try folder.metrics(Line.self) == [Line(epoch: 1, loss: 0.5), Line(epoch: 2, loss: .infinity)])
        try folder.replaceMetrics(with: [Line(epoch: 1, loss: 0.5)])
        #expect(try folder.metrics(Line.self) == [Line(epoch: 1, loss: 0.5)])
    }

    /// Each change of a good file, and the words that its error must have.
    static let hostile: [(String, String, String)] = [
        ("\"epochs\" : 4", "\"epochs\" : \"four\"", "configuration.epochs"),
        ("\"epochs\" : 4", "\"epochs\" : 4e40", "contents"),
        ("\"epochs\" : 4", "\"epochs\" : -4", "configuration.epochs"),
        ("\"momentum\" : 0.9,", "", "configuration.momentum"),
        ("\"momentum\" : 0.9,", "\"momentum\" : 0.9, \"optimizer\" : \"adm\",", "configuration.optimizer"),
        ("\"momentum\" : 0.9,", "\"momentum\" : 0.9, \"averageDecay\" : 2,", "configuration.averageDecay"),
        ("\"formatVersion\" : 1", "\"formatVersion\" : 2", "formatVersion"),
        ("\"status\" : \"completed\"", "\"status\" : \"done\"", "status"),
        ("\"epochs\" : 4", "\"epochs\" : 0", "configuration.epochs"),
        ("\"batchSize\" : 128", "\"batchSize\" : 100000", "configuration.batchSize"),
        ("\"labelSmoothing\" : 0", "\"labelSmoothing\" : 1", "configuration.labelSmoothing"),
        ("\"testImages\" : 10", "\"testImages\" : 0", "results.testImages"),
        ("\"testAccuracy\" : 0.5", "\"testAccuracy\" : 90.5", "results.testAccuracy"),
        ("\"testAccuracy\" : 0.5", "\"testAccuracy\" : \"nan\"", "results.testAccuracy"),
        ("\"trainingSeconds\" : 60", "\"trainingSeconds\" : -1", "results.trainingSeconds"),
        ("\"connections\" : ", "\"connections\" : -", "cost.connections"),
        ("\"depthMultiplier\" : 1", "\"depthMultiplier\" : 0", "configuration.depthMultiplier"),
    ]

    @Test(arguments: hostile.indices) func hostileFieldIsNamed(_ index: Int) throws {
        let (old, new, field) = Self.hostile[index]
        let temporary = TemporaryFolder()
        let folder = RunFolder(path: temporary.path)
        var record = RunRecord.sample(.sample(), accuracy: 0.5)
        record.results?.testImages = 10
        try folder.save(record)
        let text = try String(contentsOfFile: folder.recordPath, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new)
            .write(toFile: folder.recordPath, atomically: true, encoding: .utf8)
        let error = try #require(throws: ExperimentError.self) { try folder.load() }
        guard case .invalid(let file, let named, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(file == folder.recordPath && named == field)
        #expect(!error.description.contains("\n"))
    }

    @Test func everyTruncationIsAnError() throws {
        let temporary = TemporaryFolder()
        let folder = RunFolder(path: temporary.path)
        try folder.save(.sample(.sample()))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.recordPath))
        for count in stride(from: 0, to: bytes.count - 2, by: 7) {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: folder.recordPath))
            #expect(throws: ExperimentError.self, "cut to \(count) bytes") { try folder.load() }
        }
    }

    @Test func filesThatAreNoRecord() throws {
        let temporary = TemporaryFolder()
        let folder = RunFolder(path: temporary.path)
        #expect(throws: ExperimentError.self) { try folder.load() }
        for contents in [String(repeating: "[", count: 100_000), "\u{0}\u{1}\u{2}", "null", "[]", "{}"] {
            try contents.write(toFile: folder.recordPath, atomically: true, encoding: .utf8)
            #expect(throws: ExperimentError.self) { try folder.load() }
        }
        try Data(count: 2 << 20).write(to: URL(fileURLWithPath: folder.recordPath))
        let error = try #require(throws: ExperimentError.self) { try folder.load() }
        #expect(error.description.contains("larger than"))
        try FileManager.default.removeItem(atPath: folder.recordPath)
        try FileManager.default.createDirectory(atPath: folder.recordPath, withIntermediateDirectories: false)
        #expect(throws: ExperimentError.unreadable(file: folder.recordPath, reason: "not a regular file")) {
            try folder.load()
        }
    }

    @Test func machineIsDescribed() {
        let machine = Machine.current(instructionSet: "avx2")
        #expect(machine.cores > 0 && machine.memoryBytes > 0 && machine.instructionSet == "avx2")
        #expect(!machine.processor.isEmpty && !machine.operatingSystem.contains("\""))
    }
}
