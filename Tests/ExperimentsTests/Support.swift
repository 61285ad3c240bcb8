import Foundation
import GossamerExperiments
import GossamerTensors

extension RunConfiguration {
    static func sample(
        pattern: String = "dense", depthMultiplier: Double = 1, seed: UInt64 = 1, network: String = "mnist",
        data: String = "fashion-mnist"
    ) -> RunConfiguration {
        RunConfiguration(
            network: network, data: data, pattern: pattern, depthMultiplier: depthMultiplier, epochs: 4,
            batchSize: 128, learningRate: 0.1, schedule: "cosine", weightDecay: 5e-4, seed: seed, threads: 2)
    }

    /// The exact convolution weights and multiply-adds of the paper's network for MNIST on 28 x 28 images.
    var sampleCost: RunCost {
        let density = density ?? 1
        func width(_ channels: Int) -> Int { Int((depthMultiplier * Double(channels)).rounded(.up)) }
        func fanIn(_ channels: Int) -> Int { max(1, Int((density * Double(channels)).rounded(.up))) }
        let (a, b, c) = (width(32), width(64), width(512))
        let connections = [a, fanIn(a) * b, fanIn(b) * c]
        let weights = connections[0] * 25 + connections[1] * 25 + connections[2] * 49
        let parameters = weights + a + b + c + 10 * c + 10
        return RunCost(
            parameters: parameters, parametersWithoutClassifier: parameters - 10 * c - 10,
            convolutionParameters: weights,
            multiplyAdds: connections[0] * 25 * 784 + connections[1] * 25 * 196 + connections[2] * 49 + 10 * c,
            connections: connections.reduce(0, +))
    }
}

extension RunRecord {
    static func sample(
        _ configuration: RunConfiguration, accuracy: Double? = 0.9, latency: Double? = 1, seconds: Double = 60
    ) -> RunRecord {
        var record = RunRecord(
            configuration: configuration, commandLine: ["gossamer", "compare", "--data", configuration.data],
            programVersion: "0.1.0", machine: .sample, started: Date(timeIntervalSince1970: 1_700_000_000))
        record.cost = configuration.sampleCost
        if let accuracy {
            record.status = .completed
            record.finished = Date(timeIntervalSince1970: 1_700_000_100)
            record.results = RunResults(
                testAccuracy: accuracy, trainingSeconds: seconds, singleImageLatencyMilliseconds: latency,
                trainingStepMilliseconds: seconds / 2, trainingMemoryBytes: 200_000_000,
                modelFileBytes: configuration.sampleCost.parameters * 4 + 2000)
        } else {
            record.status = .failed
            record.message = "the loss is not finite in step 12"
        }
        return record
    }
}

extension Machine {
    static let sample = Machine(
        hostName: "box", processor: "A Processor 9000", cores: 2, memoryBytes: 24 << 30,
        operatingSystem: "Debian GNU/Linux 12 (bookworm)", instructionSet: "avx512")
}

extension ComparisonRunner.Context {
    static let sample = ComparisonRunner.Context(
        commandLine: ["gossamer", "compare"], programVersion: "0.1.0", machine: .sample)
}
