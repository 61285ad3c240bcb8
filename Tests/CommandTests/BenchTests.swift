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
}
