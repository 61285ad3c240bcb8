import Foundation
import GossamerTensors
import Testing

@Suite(.timeLimit(.minutes(10))) struct ResumeTests {
    static let epochs = 60
    static let variants: [[String]] = [
        [], ["--validation-split", "0.2", "--augmentation", "flip,shift=1"],
        ["--pattern", "random:0.2", "--grow", "from=0.02,double-every=250,by=gradient", "--explore",
         "by=gradient,every=90"],
        ["--pattern", "random:0.1", "--grow", "channels-from=0.25,double-every=300,initial=scaled", "--ema", "0.9"],
        ["--pattern", "random:0.2", "--prune", "density=0.3,over=40,removals-per-epoch=1", "--explore",
         "by=random,every=70", "--distribution", "erdos-renyi-kernel", "--optimizer", "adam"],
    ]

    /// Lines of the run's metrics so far, whole or not.
    private static func lineCount(_ gossamer: Gossamer) -> Int {
        (try? gossamer.text("run/metrics.jsonl"))?.split(separator: "\n").count ?? 0
    }

    private func expectSameRun(
        _ gossamer: Gossamer, _ name: String, as reference: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let model = try gossamer.bytes(name + "/model.safetensors")
        #expect(
            try model == gossamer.bytes(reference + "/model.safetensors"), "other bits", sourceLocation: sourceLocation)
        let lines = try gossamer.metrics(name)
        #expect(lines.map(\.epoch) == Array(1 ... Self.epochs), sourceLocation: sourceLocation)
        #expect(try lines == gossamer.metrics(reference), sourceLocation: sourceLocation)
        #expect(try gossamer.changes(name) == gossamer.changes(reference), sourceLocation: sourceLocation)
    }

    @Test(arguments: variants) func goesOnAfterControlC(variant: [String]) async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = { (output: String) in gossamer.training(output: output, epochs: Self.epochs) + variant }
        try await gossamer.succeed(arguments("whole"))
        let command = try gossamer.start(arguments("run"))
        let outcome = try await command.outcome(ofSending: SIGINT) { Self.lineCount(gossamer) >= 3 }
        #expect(outcome.status == 130, "\(outcome)")
        #expect(outcome.errorLines.last?.contains("--resume") == true)
        #expect(gossamer.exists("run/checkpoint/last.safetensors"))
        #expect(!gossamer.exists("run/model.safetensors"))
        #expect(try gossamer.text("run/run.json").contains("interrupted"))
        try await gossamer.succeed(arguments("run") + ["--resume", "--threads", "3"])
        try expectSameRun(gossamer, "run", as: "whole")
    }

    /// Kills a training eight times, at instants that a seed draws, some of them before the training is under way.
    @Test(arguments: variants) func goesOnAfterKills(variant: [String]) async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = { (output: String) in gossamer.training(output: output, epochs: Self.epochs) + variant }
        try await gossamer.succeed(arguments("whole"))
        var generator = SeededGenerator(seed: 7)
        for round in 0 ..< 8 {
            let more = round == 0 ? [] : ["--resume", "--threads", "\(1 + round % 3)"]
            let linesBefore = Self.lineCount(gossamer)
            let command = try gossamer.start(arguments("run") + more)
            let delay = generator.index(below: 30)
            let outcome = try await command.outcome(ofSending: SIGKILL, afterMilliseconds: delay) {
                round % 2 == 1 || Self.lineCount(gossamer) > linesBefore + 1
            }
            try #require(outcome.signal == SIGKILL, "round \(round): \(outcome)")
        }
        try await gossamer.succeed(arguments("run") + ["--resume", "--threads", "2"])
        try expectSameRun(gossamer, "run", as: "whole")
        let hidden = try FileManager.default.contentsOfDirectory(atPath: gossamer.path("run/checkpoint"))
        #expect(Set(hidden) == ["last.safetensors", "best.safetensors"], "no remains of killed processes")
        // Nothing is left to do, which is no error.
        try await gossamer.succeed(arguments("run") + ["--resume"])
        try expectSameRun(gossamer, "run", as: "whole")
    }

    @Test func refusesToResumeWhatIsNotThere() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.run(gossamer.training("--resume"))
        #expect(outcome.isOneLineFailure, "\(outcome)")
        #expect(!gossamer.exists("run"))
    }

    @Test func refusesToResumeAnotherRun() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training())
        let before = try gossamer.snapshot()
        for (option, value) in [
            ("--pattern", "random:0.2"), ("--seed", "2"), ("--epochs", "3"), ("--learning-rate", "0.03"),
        ] {
            let outcome = try await gossamer.run(gossamer.training("--resume", option, value))
            let name = option.dropFirst(2).replacing("-", with: " ")
            #expect(outcome.errorLines.last?.contains(name) == true, "\(outcome)")
            #expect(outcome.isOneLineFailure && outcome.errors.contains(", not \(value);"), "\(outcome)")
        }
        #expect(try gossamer.snapshot() == before)
    }

    @Test(arguments: ["run.json", "checkpoint/last.safetensors", "checkpoint/best.safetensors"])
    func refusesDamagedFiles(name: String) async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = gossamer.training("--validation-split", "0.2")
        try await gossamer.succeed(arguments)
        try gossamer.markInterrupted("run")
        let whole = try gossamer.bytes("run/" + name)
        for damaged in [[], Array(whole.prefix(700)), [UInt8](repeating: 0xFF, count: 64)] {
            try gossamer.write(damaged, to: "run/" + name)
            let outcome = try await gossamer.run(arguments + ["--resume"])
            #expect(outcome.isOneLineFailure && outcome.errors.contains(name), "\(outcome)")
        }
        try gossamer.write(whole, to: "run/" + name)
        try await gossamer.succeed(arguments + ["--resume"])
    }

    @Test func leavesACompletedRunAsItIs() async throws {
        let gossamer = try Gossamer.withImages()
        let first = try await gossamer.succeed(gossamer.training("--json"))
        let before = try gossamer.snapshot()
        let again = try await gossamer.succeed(gossamer.training("--resume", "--json"))
        #expect(again.errors.contains("already completed"))
        #expect(again.output == first.output)
        #expect(try gossamer.snapshot() == before)
    }

    @Test func namesTheFlagsForAFolderInUse() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training())
        let outcome = try await gossamer.run(gossamer.training())
        #expect(outcome.status == 1 && outcome.errorLines.count == 1, "\(outcome)")
        for flag in ["--resume", "--force", "--output"] { #expect(outcome.errors.contains(flag)) }
    }

    /// The record says one network, the checkpoint beside it is of another.
    @Test func refusesCheckpointsOfAnotherNetwork() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training())
        try gossamer.markInterrupted("run")
        try await gossamer.succeed(gossamer.training("--pattern", "random:0.2", output: "other"))
        let checkpoint = "checkpoint/last.safetensors"
        try gossamer.write(try gossamer.bytes("other/" + checkpoint), to: "run/" + checkpoint)
        let outcome = try await gossamer.run(gossamer.training("--resume"))
        #expect(outcome.isOneLineFailure, "\(outcome)")
        #expect(outcome.errors.contains(checkpoint))
    }
}
