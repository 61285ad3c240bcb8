/// What the tests read of the JSON that commands print; the names are the promise.
struct CostAnswer: Decodable, Hashable {
    let parameters: Int
    let parametersWithoutClassifier: Int
    let convolutionParameters: Int
    let multiplyAdds: Int
    let connections: Int
    let weightBytes: Int
    let indexBytes: Int
}

struct BenchAnswer: Decodable {
    let medianMilliseconds: Double
    let minMilliseconds: Double
    let peakMemoryBytes: Int
    let runs: Int
    let batch: Int
    let threads: Int
    let parameters: Int
    let against: Against?
    let ratio: Double?
    let layers: [Layer]?

    struct Layer: Decodable {
        let layer: String
        let kernel: String?
        let multiplyAdds: Int
        let medianMilliseconds: Double
    }

    struct Against: Decodable {
        let medianMilliseconds: Double
        let parameters: Int
    }
}

struct TrainAnswer: Decodable {
    let testAccuracy: Double
    let validationAccuracy: Double?
    let seconds: Double
    let parameters: Int
    let modelBytes: Int
}

struct EvaluateAnswer: Decodable {
    struct ClassAnswer: Decodable {
        let name: String
        let images: Int
        let correct: Int
    }

    let topFiveAccuracy: Double
    let classes: [ClassAnswer]
    let confusion: [[Int]]
    let accuracy: Double
    let images: Int
    let correct: Int
}

struct PredictAnswer: Decodable {
    struct ClassAnswer: Decodable {
        let index: Int
        let name: String
        let probability: Double
    }

    let image: String
    let classes: [ClassAnswer]
}

struct DryRunAnswer: Decodable {
    struct Memory: Decodable {
        let parameterBytes: Int
        let gradientBytes: Int
        let optimizerBytes: Int
        let activationBytes: Int
    }

    let parameters: Int
    let memory: Memory
    let steps: Int
    let estimatedSeconds: Double
}

struct CompareAnswer: Decodable {
    let completed: Int
    let skipped: Int
    let failed: Int
    let heldElsewhere: Int
    let report: String?
    let runs: [RunAnswer]
}

struct DesignAnswer: Decodable {
    struct Rival: Decodable {
        let parameters: Int
        let testAccuracy: Double
    }

    let choice: String
    let parameters: Int
    let multiplyAdds: Int
    let epochs: Int
    let testAccuracy: Double
    let seconds: Double
    let seed: UInt64
    let isWithinBudget: Bool
    let candidates: Int
    let comparedWith: Rival?
}

/// `run.json`, or a run in the answer of `compare`.
struct RunAnswer: Decodable {
    struct Configuration: Decodable {
        let pattern: String
        let depthMultiplier: Double
        let learningRate: Double
        let seed: Int
    }

    struct Results: Decodable { let testAccuracy: Double }

    let configuration: Configuration
    let status: String
    let message: String?
    let results: Results?
}

/// A line of `metrics.jsonl`, without its time.
struct EpochAnswer: Decodable, Hashable {
    let epoch: Int
    let trainingLoss: Double
    let trainingAccuracy: Double
    let validationAccuracy: Double?
}
