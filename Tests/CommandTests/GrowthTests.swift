import Foundation
import Testing

/// Trainings whose connections come and go.
@Suite struct GrowthTests {
    private struct Answer: Decodable {
        let connections: Int
        let parameters: Int
    }

    private struct Plan: Decodable {
        let connections: Int
        let final: Answer?
    }

    private struct Change: Decodable {
        let change: String
        let step: Int
        let epoch: Int
        let connections: Int
        let connectionsBefore: Int
        let parameters: Int
    }

    private struct Epoch: Decodable {
        let epoch: Int
        let testAccuracy: Double?
    }

    private func changes(_ gossamer: Gossamer) throws -> [Change] {
        try gossamer.changes("run").map { try JSONDecoder().decode(Change.self, from: Data($0.utf8)) }
    }

    /// The dry run says what the training begins and ends with.
    @Test(arguments: [
        "from=0.05,double-every=10,to=0.2", "from=0.03,double-every=10,to=0.2,by=gradient,initial=scaled",
        "channels-from=0.5,double-every=20",
    ])
    func growsAsForetold(growth: String) async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = gossamer.training("--grow", growth, "--evaluate-every", "2", "--json", epochs: 3)
        let plan = try await gossamer.succeed(arguments + ["--dry-run"]).json(Plan.self)
        let final = try #require(plan.final)
        let outcome = try await gossamer.succeed(arguments)
        let answer = try outcome.json(Answer.self)
        let changes = try changes(gossamer)
        #expect(outcome.errors.contains("grown from "), "\(outcome)")
        #expect(changes.allSatisfy { $0.change == "growth" } && !changes.isEmpty)
        #expect(changes[0].connectionsBefore == plan.connections)
        for (earlier, later) in zip(changes, changes.dropFirst()) {
            #expect(later.connectionsBefore == earlier.connections && later.connections > earlier.connections)
            #expect(later.step > earlier.step && later.epoch >= earlier.epoch)
        }
        let last = try #require(changes.last)
        #expect(last.connections == answer.connections && last.parameters == answer.parameters)
        #expect(abs(final.connections - answer.connections) <= answer.connections / 50)
        let epochs = try gossamer.text("run/metrics.jsonl").split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Epoch.self, from: Data($0.utf8))
        }.filter { epoch in epoch.testAccuracy != nil }
        #expect(epochs.map(\.epoch) == [2])
    }

    @Test func exploresAndPrunes() async throws {
        let gossamer = try Gossamer.withImages()
        let arguments = gossamer.training(
            "--prune", "density=0.5,over=2,removals-per-epoch=1", "--explore", "by=gradient,every=10", "--distribution",
            "erdos-renyi-kernel", "--json", epochs: 3)
        let answer = try await gossamer.succeed(arguments).json(Answer.self)
        let changes = try changes(gossamer)
        #expect(Set(changes.map(\.change)) == ["removal", "exploration"])
        #expect(changes.last?.connections == answer.connections)
        let other = try await gossamer.run(gossamer.training("--resume", epochs: 3))
        #expect(other.isOneLineFailure && other.errors.contains("pruning"), "\(other)")
    }

    @Test(arguments: [
        (["--grow", "from=0.1"], "double-every=STEPS"), (["--grow", "from=0.1,double=5"], "double-every"),
        (["--explore", "by=gradients"], "did you mean 'gradient'?"), (["--prune", "over=1"], "density=SHARE"),
        (["--distribution", "erdos"], "erdos-renyi-kernel"), (["--evaluate-every", "0"], "1 to 100000"),
        (["--pattern", "expander:0.1", "--grow", "from=0.05,double-every=5"], "expander:0.1"),
        (["--pattern", "expander:0.1", "--distribution", "erdos-renyi-kernel"], "expander:0.1"),
        (["--pattern", "dense", "--explore", "by=gradient", "--freeze", "conv9"], "conv9"),
        (["--grow", "from=0.05,double-every=5", "--prune", "density=0.5"], "pruning"),
    ])
    func wrongOptionsAreNamed(options: [String], expected: String) async throws {
        let gossamer = try Gossamer.withImages()
        let outcome = try await gossamer.run(gossamer.training() + options)
        #expect(outcome.status != 0 && outcome.errors.contains(expected), "\(outcome)")
        #expect(!gossamer.exists("run"))
    }
}
