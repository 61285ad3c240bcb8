import Foundation
import GossamerTensors

/// One run of a comparison.
public struct ComparisonPoint: Hashable, Sendable {
    /// The name of the run's folder: the same for the same run in every process.
    public let id: String
    public let configuration: RunConfiguration
    public let cost: RunCost

    init(configuration: RunConfiguration, cost: RunCost) {
        self.configuration = configuration
        self.cost = cost
        id = Self.name(of: configuration)
    }

    /// Readable, and unique by a hash of everything that decides the result.
    private static func name(of configuration: RunConfiguration) -> String {
        var identity = configuration
        identity.threads = 0
        identity.recomputes = nil
        // The folder holds points of one network and one data set, so that their digests tell none apart.
        identity.inputs = nil
        let text = (try? JSONFile.encoder().encode(identity)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let hash = String(SeededGenerator.key(text), radix: 16)
        let method = switch configuration.method {
        case .dense: "dense"
        case .sparse: configuration.pattern
        case .multiplier: "multiplier-" + plain(configuration.depthMultiplier)
        case .hybrid: "multiplier-" + plain(configuration.depthMultiplier) + "-" + configuration.pattern
        }
        let safe = method.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
        return "\(String(safe.prefix(60)))-seed\(configuration.seed)-\(hash)"
    }
}

/// The points of a comparison, cheapest first, and what was asked for but has none.
public struct ComparisonPlan: Sendable {
    public let points: [ComparisonPoint]
    /// One line each, such as a density whose cost no depth multiplier reaches.
    public let notes: [String]

    /// In the order given.
    init(points: [ComparisonPoint]) {
        self.points = points
        notes = []
    }

    /// - Parameters:
    ///   - rates: methods without one have the settings' learning rate.
    ///   - cost: the exact cost of a configuration's network; throws what is wrong with it.
    /// - Throws: `option` for a request out of range, and what `cost` throws.
    public init(
        _ comparison: Comparison, rates: LearningRates = LearningRates(),
        cost: @escaping (RunConfiguration) throws -> RunCost
    ) throws {
        if let problem = comparison.pointsProblem {
            throw ExperimentError.option(name: problem.field, expected: problem.expected)
        }
        var builder = Builder(comparison: comparison, rates: rates, cost: cost)
        let methods = comparison.methods
        if methods.contains(.dense) || comparison.densities.contains(1) { try builder.add() }
        let densities = comparison.densities.filter { $0 < 1 }
        for density in densities {
            if methods.contains(.sparse) {
                for pattern in comparison.patterns {
                    try builder.add(pattern: PatternText(pattern).at(density: density))
                }
            }
            if methods.contains(.multiplier), let multiplier = try builder.multiplier(against: density) {
                try builder.add(depthMultiplier: multiplier)
            }
        }
        if methods.contains(.hybrid) {
            for hybrid in comparison.hybrids {
                try builder.add(
                    pattern: PatternText(comparison.patterns[0]).at(density: hybrid.density),
                    depthMultiplier: hybrid.depthMultiplier)
            }
        }
        points = builder.points.sorted {
            ($0.cost.multiplyAdds, $0.cost.parameters, $0.id) < ($1.cost.multiplyAdds, $1.cost.parameters, $1.id)
        }
        notes = builder.notes
    }
}

private struct Builder {
    let comparison: Comparison
    let rates: LearningRates
    let cost: (RunConfiguration) throws -> RunCost
    var points: [ComparisonPoint] = []
    var notes: [String] = []
    private var ids: Set<String> = []

    init(
        comparison: Comparison, rates: LearningRates, cost: @escaping (RunConfiguration) throws -> RunCost
    ) {
        self.comparison = comparison
        self.rates = rates
        self.cost = cost
    }

    /// Adds a point for every seed; two densities may well lead to the same one.
    mutating func add(pattern: String = "dense", depthMultiplier: Double = 1) throws {
        for seed in comparison.seeds {
            let configuration = configuration(pattern: pattern, depthMultiplier: depthMultiplier, seed: seed)
            let point = ComparisonPoint(configuration: configuration, cost: try cost(configuration))
            if ids.insert(point.id).inserted { points.append(point) }
        }
    }

    /// The depth multiplier that stands against a density; nil, with a note, if there is none.
    mutating func multiplier(against density: Double) throws -> Double? {
        let measure: (RunCost) -> Int
        switch comparison.pairing {
        case .paper: return density.squareRoot()
        case .parameters: measure = { $0.convolutionParameters }
        case .multiplyAdds: measure = { $0.multiplyAdds }
        }
        let pattern = PatternText(comparison.patterns[0]).at(density: density)
        let target = measure(try cost(configuration(pattern: pattern)))
        let solution = try DepthMultiplierSolver.solve(target: target) {
            measure(try cost(configuration(depthMultiplier: $0)))
        }
        if solution == nil {
            notes.append(
                "no depth multiplier has as few \(comparison.pairing == .parameters ? "parameters" : "multiply-adds")"
                    + " as \(pattern) (\(target))")
        }
        return solution?.multiplier
    }

    private func configuration(
        pattern: String = "dense", depthMultiplier: Double = 1, seed: UInt64? = nil
    ) -> RunConfiguration {
        var configuration = comparison.settings
        configuration.pattern = pattern
        configuration.depthMultiplier = depthMultiplier
        configuration.seed = seed ?? comparison.seeds[0]
        if let choice = rates[configuration.method] { configuration.learningRate = choice.learningRate }
        return configuration
    }
}
