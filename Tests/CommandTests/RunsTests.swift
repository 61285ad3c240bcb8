import Foundation
import Testing

@Suite struct RunsTests {
    private struct Line: Decodable {
        let folder: String
        let record: RunAnswer
    }

    private func list(_ gossamer: Gossamer, _ more: String...) async throws -> [Line] {
        try await gossamer.succeed(["runs", ".", "--json"] + more).json([Line].self)
    }

    @Test func listsWhatTheFoldersHold() async throws {
        let gossamer = try Gossamer.withImages(SampleImages(trainingCount: 20, testCount: 10))
        #expect(try await list(gossamer).isEmpty)
        try await gossamer.succeed(gossamer.training(output: "some/sparse"))
        try await gossamer.succeed(gossamer.training("--pattern", "dense", output: "dense"))
        _ = try await gossamer.run(gossamer.training("--learning-rate", "1e9", "--epochs", "20", output: "bad"))
        #expect(try await list(gossamer).count == 3)
        let sparse = try await list(gossamer, "--method", "sparse", "--status", "completed")
        #expect(sparse.map { $0.folder.hasSuffix("some/sparse") } == [true])
        #expect(try await list(gossamer, "--status", "failed").map { $0.folder.hasSuffix("bad") } == [true])

        try await gossamer.succeed(["runs", "some", "--csv", "epochs.csv"])
        let table = try gossamer.text("epochs.csv").split(whereSeparator: \.isNewline)
        #expect(table.count == 1 + 2 && table[1].hasPrefix("sparse,"), "\(table)")
        let columns = table[0].split(separator: ",", omittingEmptySubsequences: false)
        let values = table[1].split(separator: ",", omittingEmptySubsequences: false)
        let place = try #require(columns.firstIndex(of: "connections"))
        #expect(values.count == columns.count && Int(values[place]) ?? 0 > 0, "\(table)")

        // A page of one run: a row and a matrix for each sparse convolution.
        try await gossamer.succeed(["report", "some/sparse"])
        let page = try gossamer.text("some/sparse/report/report.html")
        #expect(page.components(separatedBy: "class=\"matrix\"").count - 1 == 2 && page.contains("Accuracy by epoch"))
        #expect(gossamer.exists("some/sparse/report/training-loss.png"))
        let unfinished = try await gossamer.run(["report", "bad"])
        #expect(unfinished.status == 1 && unfinished.errors.contains("status: expected completed"), "\(unfinished)")

        let itself = try await gossamer.succeed(["runs", "some/sparse", "--json"]).json([Line].self)
        #expect(itself.count == 1)

        // Without a place for the index, the folders are read.
        try gossamer.write([], to: "file")
        let unwritable = ["XDG_CACHE_HOME": gossamer.path("file")]
        let direct = try await gossamer.run(["runs", ".", "--json", "--method", "sparse"], environment: unwritable)
        #expect(direct.status == 0 && direct.errorLines.count == 1, "\(direct)")
        #expect(direct.errors.contains("the index is not used") && direct.errors.contains("file/gossamer"))
        #expect(try direct.json([Line].self).count == 2)

        // The folders are the truth: neither the index nor an old entry matters.
        try FileManager.default.removeItem(atPath: gossamer.path("cache"))
        #expect(try await list(gossamer).count == 3)
        try FileManager.default.removeItem(atPath: gossamer.path("dense"))
        #expect(try await list(gossamer).count == 2)
    }
}
