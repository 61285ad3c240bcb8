import Foundation
import GossamerExperiments
import Testing

@Suite struct ReportSummaryTests {
    private func runs(
        _ configuration: RunConfiguration, _ accuracies: [Double], latency: Double? = 1
    ) -> [RunRecord] {
        accuracies.enumerated().map { index, accuracy in
            var seeded = configuration
            seeded.seed = UInt64(index + 1)
            let seconds = Double(seeded.sampleCost.multiplyAdds) * 1e-5
            return .sample(seeded, accuracy: accuracy, latency: latency, seconds: seconds)
        }
    }

    @Test func meansAndDeviationsOverSeeds() throws {
        let sample = try #require(Sample([2, 4, 4, 4, 5, 5, 7, 9]))
        #expect(sample.mean == 5 && abs(sample.deviation! - (32.0 / 7).squareRoot()) < 1e-12)
        #expect(Sample([3])?.deviation == nil && Sample([3])?.mean == 3)
        #expect(Sample([]) == nil)
        let summary = try ReportSummary(runs(.sample(), [0.9, 0.92, 0.94]) + [.sample(.sample(seed: 9), accuracy: nil)])
        let dense = try #require(summary.dense)
        #expect(abs(dense.accuracy.mean - 0.92) < 1e-12 && abs(dense.accuracy.deviation! - 0.02) < 1e-12)
        #expect(dense.accuracy.count == 3 && summary.failures.count == 1)
    }

    @Test func pointsAreGroupedBySettingsAndNotBySeedOrThreads() throws {
        var records = runs(.sample(pattern: "random:0.1"), [0.8, 0.9])
        records[1].configuration.threads = 16
        #expect(try ReportSummary(records).points.count == 1)
        records[1].configuration.epochs = 99
        #expect(try ReportSummary(records).points.count == 2)
    }

    /// What grows has connections left out at first: it is never the dense network that others are measured by.
    @Test func whatGrowsIsASeriesOfItsOwn() throws {
        var grown = RunConfiguration.sample()
        grown.growth = "from=0.25,within=0.5"
        var grownHybrid = RunConfiguration.sample(pattern: "random:0.1", depthMultiplier: 0.5)
        grownHybrid.growth = "from=0.025,within=0.5"
        let all = [
            grown, .sample(), grownHybrid, .sample(pattern: "random:0.1", depthMultiplier: 0.5),
        ].map { RunRecord.sample($0) }
        for records in [all, all.reversed()] {
            let summary = try ReportSummary(records)
            #expect(summary.dense?.configuration.growth == nil)
            #expect(summary.series.map(\.name) == ["dense", "dense (grown)", "hybrid", "hybrid (grown)"])
            #expect(summary.points.map(\.label) == ["dense", "100 % grown", "×0.5, 10 %", "×0.5, 10 % grown"])
        }
        #expect(grown.method == .sparse && grownHybrid.method == .hybrid)
        #expect(grown.sizeName == "dense, grown from=0.25,within=0.5")
    }

    @Test func runsOfTwoDataSetsAreNotMixed() throws {
        let records = [RunRecord.sample(.sample()), .sample(.sample(data: "other"))]
        let error = try #require(throws: ExperimentError.self) { try ReportSummary(records) }
        #expect(error.description.contains("mnist on other"))
        #expect(throws: ExperimentError.self) { try ReportSummary([]) }
    }

    /// Dense, a sparse network and a depth multiplier of nearly equal convolution parameters.
    private func trio(sparse: [Double], multiplier: [Double]) throws -> ReportSummary {
        try ReportSummary(
            runs(.sample(), [0.92, 0.921]) + runs(.sample(pattern: "random:0.1"), sparse)
                + runs(.sample(depthMultiplier: 0.32), multiplier))
    }

    @Test func runsOfOtherContentsAreNotMixed() throws {
        var records = [RunRecord.sample(.sample(seed: 1)), .sample(.sample(seed: 2)), .sample(.sample(seed: 3))]
        records[0].configuration.inputs = InputDigests(network: "a", data: "b")
        #expect(try ReportSummary(records).points.count == 1)
        records[2].configuration.inputs = InputDigests(network: "a", data: "c")
        let error = try #require(throws: ExperimentError.self) { try ReportSummary(records) }
        #expect(error.description.contains("the data differs"))
    }

    /// With one seed, what the number of test images can tell apart decides.
    @Test func differencesWithinTheSamplingErrorAreTies() throws {
        func verdict(_ sparse: Double, images: Int?) throws -> Verdict {
            var records = runs(.sample(pattern: "random:0.1"), [sparse]) + runs(.sample(depthMultiplier: 0.32), [0.9])
            for index in records.indices { records[index].results?.testImages = images }
            return try #require(try ReportSummary(records).verdicts.first { $0.axis == .convolutionParameters })
        }
        let near = try verdict(0.904, images: 10_000)
        let error = ((0.904 * 0.096 + 0.9 * 0.1) / 10_000).squareRoot()
        #expect(near.seedSpread == nil && abs(near.samplingError! - error) < 1e-12 && near.spread == near.samplingError)
        #expect(near.outcome == .ties)
        #expect(try verdict(0.905, images: 10_000).outcome == .wins)
        #expect(try verdict(0.895, images: 10_000).outcome == .loses)
        #expect(try verdict(0.905, images: 100).outcome == .ties)
        let unknown = try verdict(0.901, images: nil)
        #expect(unknown.spread == nil && unknown.outcome == .wins)
    }

    @Test func theLargerOfBothSpreadsCounts() throws {
        func verdict(_ sparse: [Double], images: Int) throws -> Verdict {
            var records = runs(.sample(pattern: "random:0.1"), sparse)
                + runs(.sample(depthMultiplier: 0.32), [0.9, 0.9])
            for index in records.indices { records[index].results?.testImages = images }
            return try #require(try ReportSummary(records).verdicts.first { $0.axis == .convolutionParameters })
        }
        let quiet = try verdict([0.902, 0.902], images: 10_000)
        #expect(quiet.spread == quiet.samplingError && quiet.outcome == .ties)
        let noisy = try verdict([0.94, 0.90], images: 10_000)
        #expect(noisy.spread == noisy.seedSpread && noisy.outcome == .ties)
    }

    @Test func theHeadlineSaysWhoWins() throws {
        let wins = try trio(sparse: [0.900, 0.902], multiplier: [0.88, 0.881])
        let costs = "At equal convolution parameters"
        let share = "at 10 % of the connections."
        #expect(wins.headline == "\(costs), sparse random beats the depth multiplier \(share)")
        let loses = try trio(sparse: [0.870, 0.872], multiplier: [0.88, 0.881])
        #expect(loses.headline == "\(costs), the depth multiplier beats sparse random \(share)")
        let ties = try trio(sparse: [0.880, 0.890], multiplier: [0.881, 0.883])
        #expect(ties.headline == "\(costs), sparse random ties with the depth multiplier \(share)")
    }

    @Test func theHeadlineNamesEveryBudget() throws {
        var records = runs(.sample(), [0.92, 0.92])
        for (density, sparse, scaled) in [(0.01, 0.88, 0.85), (0.03, 0.89, 0.87), (0.1, 0.90, 0.91)] {
            records += runs(.sample(pattern: "random:\(density)"), [sparse, sparse])
            records += runs(.sample(depthMultiplier: density.squareRoot()), [scaled, scaled])
        }
        #expect(
            try ReportSummary(records).headline
                == "At equal convolution parameters, sparse random beats the depth multiplier at 1 % and 3 %, but loses"
                + " at 10 % of the connections.")
    }

    @Test func theVerdictStatesBothNetworks() throws {
        let summary = try trio(sparse: [0.900, 0.902], multiplier: [0.88, 0.882])
        let verdict = try #require(summary.verdicts.first { $0.axis == .convolutionParameters })
        guard case .measured(let other) = verdict.baseline else {
            Issue.record("\(verdict.baseline)")
            return
        }
        #expect(other.configuration.depthMultiplier == 0.32)
        #expect(abs(verdict.difference - 0.02) < 1e-9 && verdict.outcome == .wins)
        #expect(abs(verdict.spread! - 0.002) < 1e-9)
        #expect(
            verdict.sentence
                == "At 10 % of the connections (183 k convolution parameters), sparse random reaches 90.10 ± 0.14 %"
                + " where the depth multiplier 0.32 (175 k) reaches 88.10 ± 0.14 %:"
                + " sparse random wins by 2.00 points.")
    }

    @Test func betweenTwoNetworksTheBaselineIsReadOffTheLine() throws {
        let records = runs(.sample(), [0.92, 0.92]) + runs(.sample(depthMultiplier: 0.1), [0.80, 0.80])
            + runs(.sample(pattern: "random:0.1"), [0.85, 0.85])
        let summary = try ReportSummary(records)
        let verdict = try #require(summary.verdicts.first { $0.axis == .convolutionParameters })
        guard case .interpolated(let low, let high) = verdict.baseline else {
            Issue.record("\(verdict.baseline)")
            return
        }
        let (a, b, c) = (low.convolutionParameters, high.convolutionParameters, verdict.point.convolutionParameters)
        let expected = 0.80 + 0.12 * log(c / a) / log(b / a)
        #expect(abs(verdict.baselineAccuracy - expected) < 1e-9)
        #expect(verdict.outcome == (0.85 > expected ? .wins : .loses))
    }

    @Test func withoutAPairThereIsNoVerdict() throws {
        let records = runs(.sample(pattern: "random:0.01"), [0.9]) + runs(.sample(depthMultiplier: 0.5), [0.8])
        let summary = try ReportSummary(records)
        #expect(summary.verdicts.allSatisfy { $0.axis != .convolutionParameters })
        #expect(!summary.headline.contains("beats"))
        #expect(try ReportSummary(runs(.sample(), [0.9])).headline.hasPrefix("The dense network reaches 90.00 %"))
        #expect(try ReportSummary([.sample(.sample(), accuracy: nil)]).headline == "No run is completed yet.")
    }

    @Test func oneSeedIsSaidToHaveNoSpread() throws {
        let records = runs(.sample(pattern: "random:0.1"), [0.9]) + runs(.sample(depthMultiplier: 0.32), [0.899])
        let summary = try ReportSummary(records)
        #expect(summary.verdicts.allSatisfy { $0.spread == nil })
        #expect(summary.spreadNote?.contains("one seed") == true)
        #expect(try trio(sparse: [0.9, 0.9], multiplier: [0.9, 0.9]).spreadNote == nil)
    }

    @Test func equalVerdictsOnSeveralCostsShareASentence() throws {
        var records = runs(.sample(), [0.92, 0.92], latency: nil)
        records += runs(.sample(pattern: "random:0.1"), [0.9, 0.9], latency: nil)
        records += runs(.sample(depthMultiplier: 0.2), [0.8, 0.8], latency: nil)
        records += runs(.sample(depthMultiplier: 0.5), [0.82, 0.82], latency: nil)
        #expect(
            try ReportSummary(records).furtherHeadlines == [
                "At equal multiply-adds and training time, sparse random beats the depth multiplier at 10 % of the"
                    + " connections."
            ])
    }

    @Test func theTextTableIsAligned() throws {
        let lines = try ReportSummary(SampleComparison.records()).textTable.split(separator: "\n")
        #expect(lines.count == 2 + 7)
        #expect(lines[2].hasPrefix("dense ") && lines[3].hasPrefix("sparse random "))
        let column = try #require(lines[0].range(of: "test accuracy")).upperBound
        let end = lines[0].distance(from: lines[0].startIndex, to: column)
        #expect(lines[2...].allSatisfy { Array($0)[end - 1] == "%" })
    }
}
