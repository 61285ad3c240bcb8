import GossamerExperiments
import GossamerTensors

/// Runs of an invented comparison: accuracies follow a rule and a seed, not a measurement.
enum SampleComparison {
    static func configurations(densities: [Double] = [0.1, 0.03, 0.01], seeds: [UInt64] = [1, 2, 3])
        -> [RunConfiguration]
    {
        seeds.flatMap { seed in
            [.sample(seed: seed)]
                + densities.flatMap { density in
                    [
                        RunConfiguration.sample(pattern: "random:\(density)", seed: seed),
                        .sample(depthMultiplier: density.squareRoot(), seed: seed),
                    ]
                }
        }
    }

    /// Sparse networks lose little accuracy as they shrink, scaled ones more.
    static func record(_ configuration: RunConfiguration) -> RunRecord {
        var generator = SeededGenerator(
            seed: configuration.seed, keys: SeededGenerator.key(configuration.pattern),
            UInt64(configuration.depthMultiplier * 1e6))
        let loss = 0.02 * (1 - (configuration.density ?? 1)) + 0.06 * (1 - configuration.depthMultiplier)
        let cost = configuration.sampleCost
        let share = Double(cost.multiplyAdds) / 13_883_136
        return .sample(
            configuration, accuracy: 0.925 - loss + 0.004 * (Double(generator.uniform()) - 0.5),
            latency: 0.05 + 0.4 * share + 0.01 * Double(generator.uniform()), seconds: 20 + 100 * share)
    }

    static func records() -> [RunRecord] { configurations().map(record) }
}
