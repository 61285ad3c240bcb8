import Foundation
import Testing

@Suite struct ExportTests {
    private struct Answer: Decodable {
        let network: String
        let file: String
        let fileBytes: Int
    }

    @Test(arguments: ["dense", "random:0.1,block=4"]) func writesNetworks(pattern: String) async throws {
        let result = try await Gossamer().succeed([
            "export", "--network", "mnist", "--pattern", pattern, "--output", "mnist.onnx", "--json",
        ])
        let answer = try result.json(Answer.self)
        #expect(answer.network == "mnist" && answer.file == "mnist.onnx")
        // Weights, biases and a little around them, whatever the pattern.
        #expect((4 * 1_663_370 ..< 4 * 1_663_370 + 4000).contains(answer.fileBytes))
    }

    @Test func writesModels() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training("--pattern", "random:0.1", epochs: 1))
        let text = try await gossamer.succeed(
            ["export", "--model", "run/model.safetensors", "--output", "model.onnx", "--fold-batch-normalization"])
        #expect(text.output.contains("model.onnx"))
    }

    @Test func failsInOneLine() async throws {
        let gossamer = try Gossamer()
        let error = try await gossamer.run(["export", "--network", "mnist", "--output", "missing/mnist.onnx"])
        #expect(error.status == 1 && error.errors.contains("missing/mnist.onnx: cannot be written"))
    }
}
