import GossamerExperiments
import GossamerTestSupport
import Testing

/// Learning rates that are chosen by trainings that only pretend.
@Suite struct LearningRateTests {
    private func comparison(densities: [Double] = [1, 0.1, 0.04, 0.01]) -> Comparison {
        Comparison(settings: .sample(), densities: densities, seeds: [3, 4], learningRates: [0.05, 0.2, 0.4])
    }

    private func plan(_ comparison: Comparison, _ rates: LearningRates = LearningRates()) throws -> ComparisonPlan {
        try ComparisonPlan(comparison, rates: rates) { $0.sampleCost }
    }

    /// Sparse networks like the largest rate, narrow ones the middle one, and the dense one diverges with all but the
    /// smallest.
    private func train(_ search: LearningRateSearch, in folder: ComparisonFolder, fails: Bool = false) throws {
        try folder.rateTrials.makeFolders()
        let runner = ComparisonRunner(folder: folder.rateTrials, context: .sample) { configuration, _, _ in
            let rate = configuration.learningRate
            guard !fails, configuration.method != .dense || rate < 0.1 else {
                throw ExperimentError.option(name: "loss", expected: "a finite one")
            }
            let best = configuration.method == .sparse ? 0.4 : 0.2
            return RunResults(testAccuracy: 0.5, validationAccuracy: 0.9 - abs(rate - best), trainingSeconds: 1)
        }
        _ = try runner.run(search.plan)
    }

    @Test func eachMethodGetsItsOwnOnceAndForAll() throws {
        let temporary = TemporaryFolder()
        let folder = ComparisonFolder(path: temporary.path)
        let comparison = try folder.open(comparison())
        let search = LearningRateSearch(
            comparison, try plan(comparison).points, known: LearningRates(), validationFraction: 0.1)
        let configurations = search.plan.points.map(\.configuration)
        #expect(configurations.count == 9)
        #expect(configurations.allSatisfy { $0.validationFraction == 0.1 && $0.seed == 3 })
        #expect(Set(configurations.map(\.pattern)) == ["dense", "random:0.04"])
        #expect(Set(configurations.map(\.depthMultiplier)) == [1, 0.2])

        try train(search, in: folder)
        let rates = try search.settle(in: folder) { false }
        #expect(rates[.dense]?.learningRate == 0.05 && rates[.sparse]?.learningRate == 0.4)
        #expect(rates[.multiplier]?.learningRate == 0.2 && rates[.multiplier]?.network == "depth multiplier 0.2")
        let note = "learning rate of the method sparse: 0.4, with which random:0.04"
        #expect(rates.notes.contains { $0.hasPrefix(note) })
        for point in try plan(comparison, rates).points.map(\.configuration) {
            #expect(point.learningRate == rates[point.method]!.learningRate && point.validationFraction == 0)
        }

        // Another middling network changes nothing any more, and other rates are another comparison.
        let more = try folder.open(self.comparison(densities: [0.5, 0.3, 0.2]))
        let known = try folder.loadRates()
        #expect(known == rates)
        let again = LearningRateSearch(more, try plan(more).points, known: known, validationFraction: 0.1)
        #expect(again.plan.points.isEmpty)
        var others = comparison
        others.learningRates = [0.1]
        let error = try #require(throws: ExperimentError.self) { try folder.open(others) }
        #expect(error.description.contains("holds a comparison with learning rates 0.05,0.2,0.4, not 0.1"))
    }

    @Test func aMethodThatNoRateTrainsIsNamed() throws {
        let temporary = TemporaryFolder()
        let folder = ComparisonFolder(path: temporary.path)
        let comparison = try folder.open(comparison())
        let search = LearningRateSearch(
            comparison, try plan(comparison).points, known: LearningRates(), validationFraction: 0.1)
        try train(search, in: folder, fails: true)
        let error = try #require(throws: ExperimentError.self) { try search.settle(in: folder) { false } }
        #expect(error.description.contains("the method dense can be trained; loss: expected a finite one"))
    }

    @Test func ratesOutOfRangeAreRefused() throws {
        for rates in [[], [0], [-1, 0.1], [.infinity]] as [[Double]] {
            var comparison = comparison()
            comparison.learningRates = rates
            #expect(throws: ExperimentError.self) { try plan(comparison) }
        }
    }
}
