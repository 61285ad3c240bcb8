import Foundation
import Testing

/// What goes wrong during a training leaves the last good checkpoint.
@Suite(.timeLimit(.minutes(10))) struct FailureTests {
    @Test func divergenceStopsWithAMessage() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.run(gossamer.training("--learning-rate", "1e9"))
        #expect(outcome.status == 1, "\(outcome)")
        let last = try #require(outcome.errorLines.last)
        #expect(last.hasPrefix("Error: ") && last.contains("diverged") && last.contains("not finite"))
        #expect(!gossamer.exists("run/model.safetensors"))
        let record = try JSONDecoder().decode(RunAnswer.self, from: Data(try gossamer.bytes("run/run.json")))
        #expect(record.status == "failed")
        #expect(record.message?.contains("diverged") == true)
    }

    @Test func divergenceKeepsTheLastGoodCheckpoint() async throws {
        let gossamer = try Gossamer.withImages()
        // Well in the first epoch, far too fast in the second.
        let schedule = "step:every=1,factor=1e9"
        let outcome = try await gossamer.run(gossamer.training("--schedule", schedule, epochs: 3))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errorLines.last?.contains("epoch 2") == true)
        #expect(try gossamer.metrics("run").map(\.epoch) == [1])
        let checkpoint = try gossamer.bytes("run/checkpoint/last.safetensors")
        // It can be read, and leads to the same end.
        let again = try await gossamer.run(gossamer.training("--schedule", schedule, "--resume", epochs: 3))
        #expect(again.status == 1)
        #expect(again.errorLines.last == outcome.errorLines.last)
        #expect(try gossamer.bytes("run/checkpoint/last.safetensors") == checkpoint)
    }

    /// Lets a run begin, then limits the size of files so that the next checkpoint does not fit.
    @Test func aFullDiskLeavesTheOldCheckpoint() async throws {
        let gossamer = try Gossamer.withImages()
        let epochs = 40
        try await gossamer.succeed(gossamer.training(output: "whole", epochs: epochs))
        let command = try gossamer.start(gossamer.training(epochs: epochs))
        let interrupted = try await command.outcome(ofSending: SIGINT) {
            gossamer.exists("run/checkpoint/last.safetensors")
        }
        #expect(interrupted.status == 130, "\(interrupted)")
        let checkpoint = try gossamer.bytes("run/checkpoint/last.safetensors")
        let files = try gossamer.snapshot().keys.sorted()

        let resume = gossamer.training("--resume", epochs: epochs)
        for limit in [4096, 65_536, checkpoint.count / 512 * 512 - 512] {
            let full = try await gossamer.run(resume, fileSizeLimit: limit)
            #expect(full.status == 1, "\(full)")
            let last = try #require(full.errorLines.last)
            #expect(last.hasPrefix("Error: ") && last.contains("cannot be written"), "\(last)")
            #expect(try gossamer.bytes("run/checkpoint/last.safetensors") == checkpoint)
            #expect(try gossamer.snapshot().keys.sorted() == files, "no half-written file")
        }
        try await gossamer.succeed(resume)
        #expect(try gossamer.bytes("run/model.safetensors") == gossamer.bytes("whole/model.safetensors"))
    }

    @Test func noDiskAtAllIsRefusedAtOnce() async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.run(gossamer.training(), fileSizeLimit: 0)
        // Not even the message can be stored: standard error is a file as well.
        #expect(outcome.status == 1, "\(outcome)")
        #expect(!gossamer.exists("run/checkpoint/last.safetensors"))
    }

    /// A device that is always full, as standard output and standard error.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func trainingOutlivesItsListeners() async throws {
        let gossamer = try Gossamer.withImages()
        let script = Process()
        script.executableURL = URL(filePath: "/bin/sh")
        script.currentDirectoryURL = URL(filePath: gossamer.folder)
        script.arguments = ["-c", "exec \"$0\" \"$@\" >/dev/full 2>/dev/full", try Gossamer.executable()]
            + gossamer.training()
        let outcome = try await RunningCommand(script).outcome()
        #expect(outcome.signal == nil)
        #expect(outcome.status == 1, "what could not be printed is an error")
        #expect(gossamer.exists("run/model.safetensors"))
    }
}
