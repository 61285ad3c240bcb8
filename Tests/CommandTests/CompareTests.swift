import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct CompareTests {
    private func comparison(_ more: String..., epochs: Int = 2) -> [String] {
        ["compare", "--data", "mnist:images", "--batch-size", "16", "--learning-rate", "0.02", "--epochs", "\(epochs)",
         "--densities", "0.1,0.01", "--methods", "sparse,multiplier", "--seeds", "1,2", "--threads", "1", "--output",
         "sweep", "--json"] + more
    }

    private static let reportFiles =
        ["report.html", "points.csv", "runs.csv"]
        + ["parameters", "multiply-adds", "latency", "training-time"].flatMap {
            ["accuracy-\($0).svg", "accuracy-\($0).png"]
        }

    @Test func twoProcessesShareTheWork() async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = comparison("--wait")
        async let first = gossamer.succeed(arguments)
        async let second = gossamer.succeed(arguments)
        let outcomes = try await [first, second]
        let answers = try outcomes.map { try $0.json(CompareAnswer.self) }
        for outcome in outcomes {
            let held = outcome.errorLines.filter { $0.hasPrefix("another process trains") }
            #expect(Set(held).count == held.count, "each holder is named once: \(held)")
            #expect(!outcome.errors.contains("[9/8]"), "\(outcome)")
        }
        // Two densities, two methods, two seeds.
        #expect(answers.map(\.completed).reduce(0, +) == 8)
        for answer in answers {
            #expect(answer.failed == 0 && answer.heldElsewhere == 0)
            #expect(answer.runs.count == 8)
            #expect(answer.runs.allSatisfy { $0.status == "completed" && ($0.results?.testAccuracy ?? 0) > 0.5 })
        }
        for file in Self.reportFiles { #expect(gossamer.exists("sweep/report/" + file), "\(file)") }
        #expect(try gossamer.text("sweep/report/runs.csv").split(whereSeparator: \.isNewline).count == 1 + 8)

        let models = try gossamer.snapshot().filter { $0.key.hasSuffix("model.safetensors") }
        #expect(models.count == 8)
        let again = try await gossamer.succeed(arguments).json(CompareAnswer.self)
        #expect(again.completed == 0 && again.skipped == 8)
        #expect(try gossamer.snapshot().filter { $0.key.hasSuffix("model.safetensors") } == models)

        try FileManager.default.removeItem(atPath: gossamer.path("sweep/report"))
        try await gossamer.succeed(["report", "sweep", "--title", "Again", "--output", "page"])
        for file in Self.reportFiles { #expect(gossamer.exists("page/" + file), "\(file)") }
        #expect(try gossamer.text("page/report.html").contains("<title>Again"))
    }

    @Test func aPointThatFailsDoesNotStopTheRest() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(comparison("--seeds", "1"))
        // The cheapest point, visited first, becomes an interrupted run whose checkpoint is damaged.
        let point = try #require(
            try FileManager.default.contentsOfDirectory(atPath: gossamer.path("sweep/points"))
                .first { $0.hasPrefix("multiplier-0.1-") })
        try gossamer.markInterrupted("sweep/points/\(point)")
        try gossamer.write([1, 2, 3], to: "sweep/points/\(point)/checkpoint/last.safetensors")

        let outcome = try await gossamer.run(comparison())
        #expect(outcome.status == 1, "\(outcome)")
        let answer = try outcome.json(CompareAnswer.self)
        #expect(answer.failed == 1 && answer.skipped == 3 && answer.completed == 4)
        let failure = try #require(answer.runs.first { $0.status == "failed" })
        #expect(failure.message?.contains("last.safetensors") == true)
        #expect(gossamer.exists("sweep/report/report.html"))

        let left = try await gossamer.succeed(comparison()).json(CompareAnswer.self)
        #expect(left.completed == 0, "failures are left alone until a retry is asked for")
        let retried = try await gossamer.succeed(comparison("--retry-failed")).json(CompareAnswer.self)
        #expect(retried.completed == 1 && retried.skipped == 7)
    }

    @Test func recordsPointsThatDiverge() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.run(comparison("--learning-rate", "1e9", "--seeds", "1"))
        #expect(outcome.status == 1, "\(outcome)")
        let answer = try outcome.json(CompareAnswer.self)
        #expect(answer.failed == 4 && answer.completed == 0)
        #expect(answer.runs.allSatisfy { $0.message?.contains("diverged") == true })
    }

    /// A process that was killed holds its point no longer than it takes another one to look.
    @Test(arguments: [SIGINT, SIGKILL]) func goesOnAfterAnInterruption(signal: Int32) async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = comparison(epochs: 40)
        let command = try gossamer.start(arguments)
        let outcome = try await command.outcome(ofSending: signal) {
            (try? gossamer.snapshot())?.keys.contains { $0.hasSuffix("best.safetensors") } ?? false
        }
        #expect(signal == SIGINT ? outcome.status == 130 : outcome.signal == SIGKILL, "\(outcome)")
        let answer = try await gossamer.succeed(arguments).json(CompareAnswer.self)
        #expect(answer.completed + answer.skipped == 8 && answer.completed > 0)
        #expect(answer.runs.allSatisfy { $0.status == "completed" })
    }

    /// Other processes have begun every point, and none has a record yet.
    @Test func saysWhereOthersHoldEveryPoint() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(comparison("--seeds", "1"))
        for point in try FileManager.default.contentsOfDirectory(atPath: gossamer.path("sweep/points")) {
            try FileManager.default.removeItem(atPath: gossamer.path("sweep/points/\(point)"))
            try gossamer.write([], to: "sweep/claims/\(point)/2/heartbeat")
        }
        let outcome = try await gossamer.succeed(comparison("--seeds", "1"))
        let answer = try outcome.json(CompareAnswer.self)
        #expect(answer.heldElsewhere == 4 && answer.completed == 0 && answer.report == nil && answer.runs.isEmpty)
        // An interruption is one whether or not there is anything to report.
        let command = try gossamer.start(comparison("--seeds", "1", "--wait"))
        let errors = command.errorText
        let interrupted = try await command.outcome(ofSending: SIGINT) {
            errors().split(separator: "\n").filter { $0.hasPrefix("another process trains") }.count == 4
        }
        #expect(interrupted.status == 130, "\(interrupted)")
        #expect(interrupted.errorLines.last?.hasPrefix("interrupted") == true, "\(interrupted)")
    }

    @Test func choosesALearningRateForEachMethod() async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = comparison("--seeds", "1", "--learning-rates", "0.02,0.00001")
        let outcome = try await gossamer.succeed(arguments)
        #expect(outcome.errors.contains("choosing learning rates: 4 trainings"))
        #expect(outcome.errors.contains("learning rate of the method sparse: 0.02, with which random:0.01 reached"))
        let answer = try outcome.json(CompareAnswer.self)
        #expect(answer.completed == 4 && answer.runs.allSatisfy { $0.configuration.learningRate == 0.02 })
        #expect(try gossamer.text("sweep/report/report.html").contains("learning rate of the method multiplier: 0.02"))
        let again = try await gossamer.succeed(arguments)
        #expect(try again.json(CompareAnswer.self).skipped == 4 && !again.errors.contains("choosing"))
    }

    @Test func hybridsAddTheirMethod() async throws {
        let gossamer = try Gossamer.withImages()
        let answer = try await gossamer.succeed(
            comparison("--seeds", "1", "--methods", "dense", "--densities", "1", "--hybrids", "0.5x0.1", epochs: 1)
        ).json(CompareAnswer.self)
        #expect(Set(answer.runs.map(\.configuration.pattern)) == ["dense", "random:0.1"])
        #expect(Set(answer.runs.map(\.configuration.depthMultiplier)) == [1, 0.5])
    }

    /// The same paths with other contents are another comparison.
    @Test func refusesOtherContentsOfTheSameFiles() async throws {
        let gossamer = try Gossamer.withImages()
        func json(filters: Int) -> String {
            """
            {"name": "mine", "nodes": [
              {"name": "image", "layer": "input", "channels": 1, "height": 12, "width": 12},
              {"name": "convolution", "layer": "convolution", "filters": \(filters), "kernel": 3},
              {"name": "pool", "layer": "global-average-pooling"},
              {"name": "classes", "layer": "fully-connected", "units": 10}
            ]}
            """
        }
        let arguments = comparison("--seeds", "1", "--methods", "dense", "--densities", "1", "--network", "mine.json")
        try gossamer.write(json(filters: 4).utf8, to: "mine.json")
        try await gossamer.succeed(arguments)

        try gossamer.write(json(filters: 5).utf8, to: "mine.json")
        let network = try await gossamer.run(arguments)
        #expect(network.isOneLineFailure, "\(network)")
        #expect(network.errors.contains("network mine.json of other contents"), "\(network)")
        try gossamer.write(json(filters: 4).utf8, to: "mine.json")
        #expect(try await gossamer.succeed(arguments).json(CompareAnswer.self).skipped == 1)

        var labels = try gossamer.bytes("images/t10k-labels-idx1-ubyte")
        labels[labels.count - 1] ^= 1
        try gossamer.write(labels, to: "images/t10k-labels-idx1-ubyte")
        let data = try await gossamer.run(arguments)
        #expect(data.isOneLineFailure && data.errors.contains("data mnist:images of other contents"), "\(data)")
    }

    @Test func refusesAnotherComparisonInTheFolder() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(comparison("--seeds", "1"))
        let before = try gossamer.snapshot()
        let outcome = try await gossamer.run(comparison("--seeds", "1", epochs: 3))
        #expect(outcome.isOneLineFailure && outcome.errors.contains("epochs"), "\(outcome)")
        #expect(try gossamer.snapshot() == before)
    }
}
