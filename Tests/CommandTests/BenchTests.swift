import Testing

@Suite struct BenchTests {
    @Test(arguments: [[], ["--training", "--batch", "16"]])
    func measuresInferenceAndTraining(more: [String]) async throws {
        let network = ["--network", "mnist", "--pattern", "random:0.1", "--image-size", "12"]
        let outcome = try await Gossamer().succeed(
            ["bench", "--threads", "1", "--seconds", "0.05", "--json"] + network + more)
        #expect(outcome.output.split(separator: "\n").count == 1)
        let answer = try outcome.json(BenchAnswer.self)
        #expect(answer.minMilliseconds > 0)
        #expect(answer.medianMilliseconds >= answer.minMilliseconds)
        #expect(answer.runs > 1)
        #expect(answer.threads == 1)
        #expect(answer.batch == (more.isEmpty ? 1 : 16))
        // More than the weights, less than a machine.
        #expect(answer.peakMemoryBytes > 45_194 * 4)
        #expect(answer.peakMemoryBytes < 1 << 32)
    }

    @Test func timesTwoPatternsInTurns() async throws {
        let outcome = try await Gossamer().succeed([
            "bench", "--pattern", "random:0.1", "--against", "dense", "--threads", "1", "--image-size", "12",
            "--seconds", "0.05", "--json",
        ])
        let answer = try outcome.json(BenchAnswer.self)
        let dense = try #require(answer.against)
        let ratio = try #require(answer.ratio)
        #expect(dense.parameters > answer.parameters)
        #expect(abs(ratio - answer.medianMilliseconds / dense.medianMilliseconds) < 1e-9 * ratio)
    }

    @Test func timesEachLayer() async throws {
        let outcome = try await Gossamer().succeed([
            "bench", "--pattern", "random:0.1", "--threads", "2", "--image-size", "12", "--seconds", "0.05", "--layers",
            "--json",
        ])
        let layers = try #require(try outcome.json(BenchAnswer.self).layers)
        // Bounds are taken along by their convolutions.
        #expect(layers.map(\.layer) == [
            "convolution", "max-pooling", "convolution", "max-pooling", "convolution", "fully-connected",
        ])
        for layer in layers {
            #expect(layer.medianMilliseconds > 0)
            #expect((layer.kernel != nil) == (layer.multiplyAdds > 0))
        }
        #expect(outcome.errors.contains("multiply-adds"))
        let refused = try await Gossamer().run(["bench", "--layers", "--training"])
        #expect(refused.status == 64)
        #expect(refused.errors.contains("--layers times inference of one network"))
    }
}
