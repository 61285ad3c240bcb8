import Foundation
import GossamerExperiments
import GossamerTensors
import GossamerTestSupport
import Testing

@Suite struct ComparisonTests {
    private func cost(_ configuration: RunConfiguration) -> RunCost { configuration.sampleCost }

    @Test func thePaperPairsWithTheSquareRoot() throws {
        let comparison = Comparison(settings: .sample(), densities: [1, 0.1, 0.04], seeds: [1, 2])
        let plan = try ComparisonPlan(comparison, cost: cost)
        #expect(plan.points.count == 10 && plan.notes.isEmpty)
        let multipliers = Set(plan.points.filter { $0.configuration.method == .multiplier }
            .map(\.configuration.depthMultiplier))
        #expect(multipliers == [Double(0.1).squareRoot(), 0.2])
        #expect(Set(plan.points.map(\.id)).count == 10)
        let costs = plan.points.map(\.cost.multiplyAdds)
        #expect(costs == costs.sorted())
    }

    @Test(arguments: [Comparison.Pairing.parameters, .multiplyAdds]) func solvedPairsCostNoMore(
        _ pairing: Comparison.Pairing
    ) throws {
        let measure: (RunCost) -> Int = { pairing == .parameters ? $0.convolutionParameters : $0.multiplyAdds }
        for density in [0.5, 0.1, 0.03, 0.01] {
            let comparison = Comparison(settings: .sample(), densities: [density], pairing: pairing, seeds: [7])
            let plan = try ComparisonPlan(comparison, cost: cost)
            let sparse = try #require(plan.points.first { $0.configuration.method == .sparse })
            let scaled = try #require(plan.points.first { $0.configuration.method == .multiplier })
            #expect(measure(scaled.cost) <= measure(sparse.cost))
            // Any wider network, by one filter of the widest layer, costs more.
            var wider = scaled.configuration
            wider.depthMultiplier = ((wider.depthMultiplier * 512).rounded(.up) + 1) / 512
            #expect(measure(wider.sampleCost) > measure(sparse.cost), "density \(density)")
        }
    }

    @Test func theSolverFindsTheHighestStepNotAbove() throws {
        for seed in 0 ..< 200 {
            var generator = SeededGenerator(seed: UInt64(seed), keys: SeededGenerator.key("solver test"))
            let widths = (0 ..< 4).map { _ in 1 + generator.index(below: 300) }
            let count: (Double) -> Int = { multiplier in
                let scaled = widths.map { Int((multiplier * Double($0)).rounded(.up)) }
                return zip(scaled, scaled.dropFirst()).reduce(0) { $0 + 9 * $1.0 * $1.1 }
            }
            let target = generator.index(below: count(1) * 5 / 4)
            // Every step that exists, by brute force: just below the multipliers at which a width changes.
            let ends = widths.flatMap { width in (1 ... width).map { Double($0) / Double(width) - 1e-10 } }
            let steps = Set((ends + [1]).map(count))
            let expected = steps.filter { $0 <= target }.max()
            let solution = DepthMultiplierSolver.solve(target: target, cost: count)
            #expect(solution?.cost == expected, "seed \(seed)")
            if let solution { #expect(count(solution.multiplier) == solution.cost, "seed \(seed)") }
        }
    }

    @Test func aBudgetThatNoMultiplierMeetsIsNoted() throws {
        let comparison = Comparison(settings: .sample(), densities: [0.1], pairing: .parameters, seeds: [1])
        let plan = try ComparisonPlan(comparison) { configuration in
            var cost = configuration.sampleCost
            if configuration.method == .multiplier { cost.convolutionParameters += 1_000_000 }
            return cost
        }
        #expect(!plan.points.contains { $0.configuration.method == .multiplier })
        #expect(plan.notes.count == 1 && plan.notes[0].contains("random:0.1"))
    }

    @Test func blocksAndHybridsAreOtherPoints() throws {
        let comparison = Comparison(
            settings: .sample(), methods: [.sparse, .hybrid], densities: [0.1], patterns: ["random", "random,block=4"],
            hybrids: [.init(depthMultiplier: 0.5, density: 0.01)], seeds: [1])
        let plan = try ComparisonPlan(comparison, cost: cost)
        #expect(Set(plan.points.map(\.configuration.pattern)) == ["random:0.1", "random:0.1,block=4", "random:0.01"])
        let names = plan.points.map(\.id)
        #expect(names.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9.-]+/) != nil })
    }

    @Test func aPointKeepsItsNameWhateverTheThreads() throws {
        func id(_ change: (inout RunConfiguration) -> Void) throws -> String {
            var settings = RunConfiguration.sample()
            change(&settings)
            let comparison = Comparison(settings: settings, methods: [.dense], densities: [], seeds: [1])
            return try ComparisonPlan(comparison, cost: cost).points[0].id
        }
        let name = try id { _ in }
        #expect(try id { $0.threads = 64 } == name)
        #expect(try id { $0.epochs = 5 } != name)
        #expect(try id { $0.data = "../../x" } != name)
    }

    @Test func requestsOfEqualSettingsShareAFolder() throws {
        let temporary = TemporaryFolder()
        let folder = ComparisonFolder(path: temporary.path + "/comparison")
        let first = Comparison(settings: .sample(), densities: [0.1], seeds: [1])
        #expect(try folder.open(first) == first)
        var second = first
        second.densities = [0.03]
        second.seeds = [2, 1]
        second.settings.threads = 7
        let both = try folder.open(second)
        #expect(both.densities == [0.1, 0.03] && both.seeds == [1, 2])
        #expect(try folder.load() == both)
        second.settings.epochs = 9
        let error = try #require(throws: ExperimentError.self) { try folder.open(second) }
        #expect(error.description.contains("epochs 4, not 9"))
        #expect(try folder.load() == both)
    }

    @Test func otherContentsOfNetworkOrDataAreRefused() throws {
        let temporary = TemporaryFolder()
        let folder = ComparisonFolder(path: temporary.path + "/comparison")
        var first = Comparison(settings: .sample(network: "mine.json"), densities: [0.1], seeds: [1])
        _ = try folder.open(first)
        // A folder from before the contents were recorded takes them on.
        first.settings.inputs = InputDigests(network: "aa", data: "bb")
        _ = try folder.open(first)
        let recorded = try folder.load()
        #expect(recorded.settings.inputs == first.settings.inputs)
        for (inputs, words) in [
            (InputDigests(network: "cc", data: "bb"), "network mine.json of other contents, digest aa, not cc"),
            (InputDigests(network: "aa", data: "dd"), "data fashion-mnist of other contents, digest bb, not dd"),
        ] {
            first.settings.inputs = inputs
            let error = try #require(throws: ExperimentError.self) { try folder.open(first) }
            #expect(error.description.contains(words), "\(error)")
        }
        #expect(try folder.load() == recorded)
    }

    @Test func requestsWithoutPointsAreRefusedBeforeTheirCostIsAsked() throws {
        let good = Comparison(settings: .sample(), densities: [0.1], pairing: .parameters, seeds: [1])
        let changes: [(inout Comparison) -> Void] = [
            { $0.seeds = [] }, { $0.patterns = [] }, { $0.patterns = ["random:0.5"] }, { $0.densities = [] },
        ]
        for (index, change) in changes.enumerated() {
            var bad = good
            change(&bad)
            #expect(throws: ExperimentError.self, "change \(index)") { try ComparisonPlan(bad, cost: cost) }
        }
    }

    @Test func requestsOutOfRangeAreRefused() throws {
        let temporary = TemporaryFolder()
        let folder = ComparisonFolder(path: temporary.path)
        let good = Comparison(settings: .sample(), densities: [0.1], seeds: [1])
        let changes: [(inout Comparison) -> Void] = [
            { $0.densities = [0] }, { $0.densities = [1.5] }, { $0.densities = [.nan] }, { $0.densities = [] },
            { $0.seeds = [] }, { $0.patterns = ["dense"] }, { $0.patterns = ["random:0.5,block=4"] },
            { $0.methods = [] }, { $0.methods = [.hybrid] },
            { $0.hybrids = [.init(depthMultiplier: 2, density: 0.1)] }, { $0.settings.batchSize = 0 },
        ]
        for (index, change) in changes.enumerated() {
            var bad = good
            change(&bad)
            #expect(throws: ExperimentError.self, "change \(index)") { try folder.open(bad) }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.requestPath))
    }
}
