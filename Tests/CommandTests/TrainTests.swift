import Foundation
import Testing

@Suite struct TrainTests {
    @Test func learnsAndLeavesItsFolder() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.succeed(gossamer.training("--json", epochs: 4))
        #expect(outcome.output.split(separator: "\n").count == 1, "only JSON on standard output")
        let answer = try outcome.json(TrainAnswer.self)
        #expect(answer.testAccuracy > 0.9)
        #expect(answer.testAccuracy <= 1)
        #expect(answer.seconds > 0)
        #expect(answer.parameters == 45_194)
        #expect(answer.modelBytes == (try gossamer.bytes("run/model.safetensors").count))
        let files = try FileManager.default.subpathsOfDirectory(atPath: gossamer.path("run"))
        #expect(
            Set(files) == [
                "run.json", "metrics.jsonl", "model.safetensors", "checkpoint", "checkpoint/last.safetensors",
                "checkpoint/best.safetensors", "events.out.tfevents.gossamer",
            ])
        let record = try JSONDecoder().decode(RunAnswer.self, from: Data(try gossamer.bytes("run/run.json")))
        #expect(record.status == "completed")
        #expect(record.results?.testAccuracy == answer.testAccuracy)
    }

    @Test func evaluatesToTheAccuracyThatTrainingReported() async throws {
        // Hard enough for mistakes: one epoch.
        let gossamer = try Gossamer.withImages()
        let trained = try await gossamer.succeed(gossamer.training("--json", "--learning-rate", "0.005", epochs: 1))
            .json(TrainAnswer.self)
        let evaluated = try await gossamer.succeed(
            ["evaluate", "--model", "run/model.safetensors", "--data", "mnist:images", "--threads", "2", "--json"]
        ).json(EvaluateAnswer.self)
        #expect(evaluated.accuracy == trained.testAccuracy)
        #expect(evaluated.images == 200)
        #expect(Double(evaluated.correct) / 200 == evaluated.accuracy)
    }

    @Test(arguments: ["dense", "random:0.1", "random:0.03"])
    func storesAndHoldsWhatTheCountsPredict(pattern: String) async throws {
        let gossamer = try Gossamer.withImages(SampleImages(side: 28, trainingCount: 40, testCount: 20))
        let arguments = gossamer.training("--pattern", pattern, "--json", epochs: 1)
        let cost = try await gossamer.succeed(["inspect", "--pattern", pattern, "--json"]).json(CostAnswer.self)
        func isWithinOnePercent(_ bytes: Int, of expected: Int) -> Bool {
            abs(Double(bytes - expected)) <= 0.01 * Double(expected)
        }

        let plan = try await gossamer.succeed(arguments + ["--dry-run"]).json(DryRunAnswer.self)
        #expect(!gossamer.exists("run"), "a dry run writes nothing")
        #expect(isWithinOnePercent(plan.memory.parameterBytes, of: 4 * cost.parameters))
        #expect(isWithinOnePercent(plan.memory.gradientBytes, of: 4 * cost.parameters))
        #expect(isWithinOnePercent(plan.memory.optimizerBytes, of: 4 * cost.parameters))
        #expect(plan.steps == 3)
        #expect(plan.estimatedSeconds > 0)

        let trained = try await gossamer.succeed(arguments).json(TrainAnswer.self)
        let model = try gossamer.bytes("run/model.safetensors")
        let headerLength = model.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(headerLength < 4096)
        #expect(
            isWithinOnePercent(trained.modelBytes, of: 8 + headerLength + 4 * cost.parameters + cost.indexBytes))
    }

    @Test func takesTheBestEpochWithAValidationSplit() async throws {
        let gossamer = try Gossamer.withImages()
        let answer = try await gossamer.succeed(gossamer.training("--validation-split", "0.2", "--json", epochs: 4))
            .json(TrainAnswer.self)
        let lines = try gossamer.metrics("run")
        #expect(lines.compactMap(\.validationAccuracy).max() == answer.validationAccuracy)
    }

    @Test func replacesARunOnlyWhenForced() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training(epochs: 1))
        let model = try gossamer.bytes("run/model.safetensors")
        try await gossamer.succeed(gossamer.training("--force", "--seed", "2", epochs: 1))
        #expect(try gossamer.bytes("run/model.safetensors") != model)
    }

    /// `script` gives the command a terminal.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")), arguments: [30, 60, 200])
    func progressFitsTheTerminal(columnCount: Int) async throws {
        let gossamer = try Gossamer.withImages()
        let words = [try Gossamer.executable()] + gossamer.training()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/script")
        process.currentDirectoryURL = URL(filePath: gossamer.folder)
        let line = words.map { "'\($0)'" }.joined(separator: " ")
        process.arguments = ["-qec", "stty cols \(columnCount); \(line) >/dev/null", "/dev/null"]
        let outcome = try await RunningCommand(process).outcome()
        #expect(outcome.status == 0, "\(outcome)")
        let bars = outcome.output.split(whereSeparator: { $0 == "\r" || $0.isNewline })
            .map { $0.replacing("\u{1B}[K", with: "") }.filter { $0.hasPrefix("epoch 1/2 ") }
        #expect(!bars.isEmpty, "\(outcome)")
        for bar in bars { #expect(bar.count < columnCount, "\(bar)") }
        #expect(columnCount < 200 || bars.allSatisfy { $0.contains("━") || $0.contains("╌") })
    }

    /// Standard error is no terminal here.
    @Test func printsPlainLinesWithoutATerminal() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.succeed(gossamer.training())
        for text in [outcome.output, outcome.errors] {
            #expect(!text.contains("\u{1B}"))
            #expect(!text.contains("\r"))
        }
        #expect(outcome.errors.contains("epoch 2"))
        #expect(outcome.output.contains("test accuracy"))
    }
}

extension Gossamer {
    func metrics(_ run: String) throws -> [EpochAnswer] {
        try lines(run).filter { !$0.contains("\"change\"") }.map {
            try JSONDecoder().decode(EpochAnswer.self, from: Data($0.utf8))
        }
    }

    /// The lines of `metrics.jsonl` that tell of changed connections.
    func changes(_ run: String) throws -> [String] { try lines(run).filter { $0.contains("\"change\"") } }

    private func lines(_ run: String) throws -> [String] {
        try text(run + "/metrics.jsonl").split(separator: "\n").map(String.init)
    }
}
