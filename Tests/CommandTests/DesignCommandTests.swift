import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct DesignCommandTests {
    private static let base = [
        "design", "--data", "mnist:images", "--batch-size", "16", "--learning-rate", "0.02", "--threads", "1",
        "--output", "small", "--json",
    ]

    @Test func aNetworkUnderABudgetIsFoundAndTrained() async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = Self.base + ["--max-parameters", "40k", "--epochs", "4", "--seed", "7"]
        let answer = try await gossamer.succeed(arguments).json(DesignAnswer.self)
        #expect(answer.parameters <= 40_000 && answer.isWithinBudget && answer.candidates > 3)
        #expect(answer.testAccuracy > 0.5 && answer.seconds > 0 && !answer.choice.isEmpty && answer.seed == 7)
        #expect(answer.comparedWith.map { $0.parameters <= 40_000 } == true)
        for file in ["choice/model.safetensors", "rival/model.safetensors", "report/report.html",
                     "report/candidates.csv", "report/accuracy-latency.png"] {
            #expect(gossamer.exists("small/" + file), "\(file)")
        }
        let inspected = try await gossamer.succeed(
            ["inspect", "--model", "small/choice/model.safetensors", "--json"]).json(CostAnswer.self)
        #expect(inspected.parameters == answer.parameters)

        // Nothing is trained again.
        let models = try gossamer.snapshot().filter { $0.key.hasSuffix("model.safetensors") }
        let again = try await gossamer.succeed(arguments).json(DesignAnswer.self)
        #expect(again.choice == answer.choice && again.testAccuracy == answer.testAccuracy)
        #expect(try gossamer.snapshot().filter { $0.key.hasSuffix("model.safetensors") } == models)
        let other = try await gossamer.run(Self.base + ["--max-parameters", "50k", "--epochs", "4", "--seed", "7"])
        #expect(other.status == 1 && other.errors.contains("holds a design with parameters at most 40000, not 50000"))
    }

    @Test func aTimeLimitDecidesTheEpochs() async throws {
        let gossamer = try Gossamer.withImages()
        let answer = try await gossamer.succeed(
            Self.base + ["--max-madds", "1M", "--max-training-time", "1h", "--parallel", "2"]).json(DesignAnswer.self)
        #expect(answer.epochs == 40 && answer.multiplyAdds <= 1_000_000)
    }
}
