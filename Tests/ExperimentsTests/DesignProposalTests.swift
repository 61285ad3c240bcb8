import GossamerExperiments
import GossamerTraining
import Testing

/// What designs propose, without training anything.
@Suite struct DesignProposalTests {
    private static func cost(_ pattern: String, _ depthMultiplier: Double) -> CandidateCost {
        cost(.sample(pattern: pattern, depthMultiplier: depthMultiplier))
    }

    private static func cost(_ configuration: RunConfiguration) -> CandidateCost {
        let run = configuration.sampleCost
        return CandidateCost(
            run: run, trainingMemoryBytes: 12 * run.parameters, latencyMilliseconds: Double(run.multiplyAdds) / 1e7)
    }

    private func propose(
        _ budget: DesignBudget, epochSeconds: Double = 1, secondsLeft: Double? = nil
    ) throws -> Design {
        try Design.propose(
            Design.Request(settings: .sample(), budget: budget),
            Design.Measures(cost: { Self.cost($0) }, epochSeconds: { _ in epochSeconds })
        ) { secondsLeft }
    }

    /// Budgets of every kind, from most of the dense network to little of it.
    private static let budgets: [DesignBudget] = {
        let dense = cost("dense", 1)
        return [0.9, 0.3, 0.1, 0.05].flatMap { share -> [DesignBudget] in
            func part(_ value: Int) -> Int { Int(share * Double(value)) }
            return [
                DesignBudget(parameters: part(dense.run.parameters)),
                DesignBudget(multiplyAdds: part(dense.run.multiplyAdds)),
                DesignBudget(latencyMilliseconds: share * dense.latencyMilliseconds!),
                DesignBudget(trainingMemoryBytes: part(dense.trainingMemoryBytes)),
                DesignBudget(parameters: part(dense.run.parameters), multiplyAdds: part(dense.run.multiplyAdds)),
            ]
        }
    }()

    @Test(arguments: budgets) func candidatesKeepToTheBudgetAndUseItUp(_ budget: DesignBudget) throws {
        let design = try propose(budget)
        #expect(design.candidates.count > 1 && Set(design.candidates).count == design.candidates.count)
        #expect(design.candidates.contains { $0.isBaseline } || !design.notes.isEmpty, "\(budget)")
        for candidate in design.candidates {
            #expect(candidate.cost == Self.cost(candidate.pattern, candidate.depthMultiplier))
            #expect(budget.admits(candidate.cost), "\(candidate) within \(budget)")
            if let growth = candidate.growth {
                let density = RunConfiguration.sample(pattern: candidate.pattern).density!
                #expect(try Growth(parsing: growth, to: density).count == 2, "\(candidate)")
            }
            // A little more of it is too much.
            let more = candidate.isBaseline
                ? Self.cost("dense", min(1, candidate.depthMultiplier * 1.1))
                : Self.cost(Self.denser(candidate.pattern), candidate.depthMultiplier)
            #expect(!budget.admits(more), "\(candidate) uses up \(budget)")
        }
    }

    private static func denser(_ pattern: String) -> String {
        let density = RunConfiguration.sample(pattern: pattern).density!
        return pattern.replacing(/:[0-9.e-]+/, with: ":\(density * 1.2)")
    }

    @Test func aBudgetThatNoNetworkKeepsToIsRefused() throws {
        let error = try #require(throws: ExperimentError.self) { try propose(DesignBudget(parameters: 10)) }
        #expect(error.description.contains("budget: expected one that some network keeps to"))
        for budget in [DesignBudget(parameters: 0), DesignBudget(accuracy: 1.5), DesignBudget(trainingSeconds: .nan)] {
            #expect(throws: ExperimentError.self) { try propose(budget) }
        }
    }

    @Test func lessTimeTriesFewerCandidatesAndSaysWhich() throws {
        let budget = DesignBudget(parameters: 100_000, trainingSeconds: 60)
        var counts: [Int] = []
        for seconds in [600.0, 60, 20, 5, 1] {
            let design = try propose(budget, epochSeconds: 1, secondsLeft: seconds)
            counts.append(design.candidates.count)
            #expect(design.candidates[0].isBaseline)
        }
        #expect(counts == counts.sorted(by: >) && counts[0] > counts.last! && counts.last! == 1)
        #expect(try propose(budget, secondsLeft: 1).notes.contains { $0.hasPrefix("no time to try random:") })
    }

    @Test func aWholeNetworkWithinTheBudgetIsACandidate() throws {
        let design = try propose(DesignBudget(trainingSeconds: 1000), secondsLeft: 1000)
        #expect(design.candidates[0].pattern == "dense" && design.candidates[0].depthMultiplier == 1)
        #expect(design.candidates.allSatisfy { $0.epochSeconds == 1 })
        let grown = try #require(design.candidates.first { $0.growth != nil })
        #expect(grown.name == "dense, grown from=0.25,within=0.5" && !grown.isBaseline)
    }

    @Test func roundsGrowThreefoldWithinTheTime() {
        let unlimited = DesignSchedule.epochs([0, 0, 0], mostEpochs: 9, seconds: nil)
        #expect(unlimited == [3, 3, 3])
        #expect(DesignSchedule.roundCount(9) == 2 && DesignSchedule.roundCount(1) == 0)
        // A round of nine, one of three, the choice and its rival: four whole trainings' worth.
        let epochs = DesignSchedule.epochs(
            [Double](repeating: 2, count: 9), mostEpochs: 1000, seconds: 4 * 2 * 90 / 0.85)
        #expect(epochs == [Int](repeating: 10, count: 9))
        #expect(DesignSchedule.wholeEpochs(2, of: 2, mostEpochs: 5, seconds: 1e6) == 5)
        #expect(DesignSchedule.wholeEpochs(2, of: 2, mostEpochs: 5, seconds: 0) == 1)
        #expect(DesignSchedule.wholeEpochs(2, of: 2, mostEpochs: 5, seconds: 1e300) == 5)
    }
}
