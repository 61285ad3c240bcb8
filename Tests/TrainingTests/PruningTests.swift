import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Trainings that remove connections.
@Suite struct PruningTests {
    /// A dense network with two convolutions that can be pruned, 36 + 48 connections, and one that reads a grey image.
    private func network() throws -> Network {
        var net = NetworkBuilder(name: "prunable", input: Shape(channels: 1, height: 8, width: 8))
        var x = net.relu(net.batchNormalization(net.convolution(net.input, filters: 6, kernel: 3)))
        x = net.maxPooling(net.relu(net.convolution(x, filters: 6, kernel: 3)), kernel: 2)
        x = net.dropout(net.relu(net.batchNormalization(net.convolution(x, filters: 8, kernel: 1))), rate: 0.2)
        _ = net.fullyConnected(x, units: 4)
        return try net.build()
    }

    private func exercise(_ pruning: Pruning, epochs: Int = 3) throws -> Exercise {
        var exercise = try Exercise()
        exercise.network = try network()
        exercise.settings.pruning = pruning
        exercise.settings.epochs = epochs
        return exercise
    }

    @Test(arguments: Pruning.Score.allCases, Pruning.Scope.allCases)
    func removesItsShareAtOnce(score: Pruning.Score, scope: Pruning.Scope) throws {
        let exercise = try exercise(Pruning(density: 0.4, score: score, scope: scope), epochs: 0)
        var trainer = try exercise.trainer()
        let before = Parameters(initializing: exercise.network, seed: exercise.settings.seed)
        var reports: [ConnectionEvent] = []
        _ = try exercise.run(&trainer, checkpoints: nil) { event in
            if case .changed(let report) = event { reports.append(report) }
        }
        #expect(reports.count == 1 && reports[0].initialConnections == 90)
        #expect(reports[0].change.connections == NetworkCost(trainer.network).connections)
        // Dead filters may take more with them.
        var connections: [String: Int] = [:]
        for node in trainer.network.nodes {
            if case .convolution = node.layer { connections[node.name] = trainer.network.connectionCount(of: node) }
        }
        #expect(connections["conv2"]! + connections["conv3"]! <= (scope == .global ? 34 : 35))
        if scope == .uniform {
            #expect(connections["conv2"]! <= 15 && connections["conv3"]! <= 20)
            #expect(trainer.network.shape(of: "conv3").channels == 8)
        }
        // Nothing but the connections has changed: every value is one of before, in order.
        for entry in trainer.parameters.layout.all {
            let old = before.values(before.layout.entry(entry.node, entry.role)!)
            var rest = old[...]
            for value in trainer.parameters.values(entry) {
                guard let place = rest.firstIndex(of: value) else {
                    Issue.record("\(entry.name): \(value) is new")
                    break
                }
                rest = rest[(place + 1)...]
            }
        }
    }

    /// Of each filter the connection with the largest kernels, then the largest of all.
    @Test func magnitudeKeepsTheLargest() throws {
        let exercise = try exercise(Pruning(density: 0.5), epochs: 0)
        let before = Parameters(initializing: exercise.network, seed: exercise.settings.seed)
        let kernels = before.values(before.layout.entry("conv2", .kernel)!)
        let norms = (0 ..< 36).map { connection in
            kernels[connection * 9 ..< (connection + 1) * 9].reduce(0.0) { $0 + Double($1) * Double($1) }
        }
        let bests = (0 ..< 6).map { filter in (filter * 6 ..< filter * 6 + 6).max { norms[$0] < norms[$1] }! }
        let others = (0 ..< 36).filter { !bests.contains($0) }.sorted { norms[$0] > norms[$1] }
        let expected = Set(bests + others.prefix(12))
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        let table = try #require(trainer.network.connections["conv2"])
        let kept = (0 ..< 6).flatMap { filter in table.inputs(of: filter).map { filter * 6 + Int($0) } }
        // Every filter reads something and is read, so that nothing else went.
        try #require(trainer.network.shape(of: "conv1").channels == 6 && table.outputCount == 6)
        #expect(Set(kept) == expected)
    }

    @Test func blocksStayTogether() throws {
        let exercise = try exercise(Pruning(density: 0.5, block: 2), epochs: 0)
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        try #require(trainer.network.shape(of: "conv2").channels == 6)
        let table = try #require(trainer.network.connections["conv2"])
        for filter in stride(from: 0, to: 6, by: 2) {
            #expect(Array(table.inputs(of: filter)) == Array(table.inputs(of: filter + 1)))
        }
        #expect(table.count == 18)
    }

    /// However few connections are left of all layers together, whatever the seed.
    @Test(arguments: Pruning.Scope.allCases) func everyOutputKeepsAPath(scope: Pruning.Scope) throws {
        var net = NetworkBuilder(name: "all-convolutional", input: Shape(channels: 1, height: 8, width: 8))
        var x = net.relu(net.convolution(net.input, filters: 6, kernel: 3))
        x = net.relu(net.convolution(x, filters: 12, kernel: 3))
        _ = net.globalAveragePooling(net.convolution(x, filters: 4, kernel: 1))
        for seed in 1 ... 8 {
            var exercise = try exercise(Pruning(density: 0.02, score: .random, scope: scope), epochs: 0)
            exercise.network = try net.build()
            exercise.settings.seed = UInt64(seed)
            var trainer = try exercise.trainer()
            _ = try exercise.run(&trainer, checkpoints: nil)
            #expect(trainer.network.outputShape.channels == 4)
            #expect(trainer.state.changes.map(\.change) == [.removal], "seed \(seed)")
        }
    }

    /// Blocks of filters that read different channels: none loses all of them.
    @Test func everyFilterOfAMixedBlockKeepsAConnection() throws {
        for seed in 1 ... 5 {
            var exercise = try exercise(Pruning(density: 0.1, block: 4), epochs: 0)
            exercise.network = try wideNetwork().sparsified(with: Pattern.random(density: 0.25), seed: UInt64(seed))
                .network
            exercise.settings.seed = UInt64(seed)
            var trainer = try exercise.trainer()
            _ = try exercise.run(&trainer, checkpoints: nil)
            for node in trainer.network.nodes {
                guard let table = trainer.network.connections[node.name] else { continue }
                #expect((0 ..< table.outputCount).allSatisfy { table.fanIn(of: $0) > 0 }, "\(node.name), seed \(seed)")
            }
            #expect(trainer.network.shape(of: "conv3").channels == 16, "seed \(seed)")
        }
    }

    /// What a dry run foretells does not stumble over heads that pruning leaves out.
    @Test func theEndOfANetworkWithAnAuxiliaryHeadIsKnown() throws {
        var exercise = try exercise(Pruning(density: 0.5, epochs: 1))
        var net = NetworkBuilder(name: "headed", input: Shape(channels: 1, height: 8, width: 8))
        var x = net.relu(net.convolution(net.input, filters: 6, kernel: 3))
        let early = x
        net.auxiliaryHead(weight: 0.3) { head in
            head.fullyConnected(head.relu(head.convolution(early, filters: 8, kernel: 3)), units: 4)
        }
        x = net.relu(net.convolution(x, filters: 6, kernel: 3))
        _ = net.fullyConnected(x, units: 4)
        exercise.network = try net.build()
        let final = try exercise.settings.finalSubnetwork(of: exercise.network, updates: 10)
        #expect(final?.network.auxiliaryOutputs.isEmpty == true && final!.connections.count > 0)
    }

    /// Saliency takes batches, and leaves no other trace.
    @Test func measuringSaliencyChangesNothing() throws {
        let exercise = try exercise(Pruning(density: 1, score: .saliency, batches: 3), epochs: 0)
        var trainer = try exercise.trainer()
        let before = trainer.parameters.copy()
        _ = try exercise.run(&trainer, checkpoints: nil)
        #expect(trainer.network == exercise.network)
        for entry in before.layout.all {
            #expect(trainer.parameters.values(entry).bits == before.values(entry).bits, "\(entry.name)")
        }
    }

    /// Along the cubic schedule, to the share asked for, whatever the number of threads.
    @Test(arguments: Pruning.Score.allCases) func removesGradually(score: Pruning.Score) throws {
        let pruning = Pruning(density: 0.4, score: score, epochs: 2, removalsPerEpoch: 2, batches: 2)
        var exercise = try exercise(pruning)
        exercise.settings.optimizer = .adam(.init())
        exercise.settings.averageDecay = 0.9
        func train(threads: Int) throws -> (counts: [Int], bits: [UInt32], memory: TrainingMemoryReport) {
            var trainer = try exercise.trainer(threads: threads, workers: threads)
            var counts: [Int] = []
            _ = try exercise.run(&trainer, checkpoints: nil) { event in
                if case .changed(let report) = event { counts.append(report.change.connections) }
            }
            let bits = trainer.parameters.layout.all.flatMap { trainer.parameters.values($0).bits }
            return (counts, bits, trainer.memory)
        }
        let result = try train(threads: 1)
        // Shares of 84 connections in two layers, each rounded up, and 6 that stay.
        let most = [1, 2, 3, 4].map { removal in
            let left = 1 - Double(removal) / 4
            let share = 0.4 + 0.6 * left * left * left
            return 6 + Int((36 * share).rounded(.up)) + Int((48 * share).rounded(.up))
        }
        #expect(result.counts.count == 4)
        for (count, most) in zip(result.counts, most) { #expect(count <= most && count > most / 2) }
        #expect(result.memory.optimizerBytes < (try exercise.trainer().memory.optimizerBytes))
        #expect(try train(threads: 3).bits == result.bits)
    }

    /// An epoch before the last removal, which has another network, is never the best.
    @Test func theBestEpochHasTheLastNetwork() throws {
        let exercise = try exercise(Pruning(density: 0.3, epochs: 2.5, removalsPerEpoch: 1), epochs: 4)
        let folder = TemporaryFolder()
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: folder.checkpoints)
        #expect(trainer.state.bestEpoch >= 3)
        try trainer.restoreBest(from: folder.checkpoints)
        let evaluation = try trainer.evaluate(exercise.validation!)
        #expect(evaluation.accuracy == trainer.state.best!.validationAccuracy)
    }

    @Test func impossibleRequestsAreNamed() throws {
        func expectInvalid(_ name: String, _ edit: (inout Pruning) -> Void) throws {
            var pruning = Pruning(density: 0.5)
            edit(&pruning)
            let pruned = try exercise(pruning)
            let error = #expect(throws: TrainingError.self) { _ = try pruned.trainer() }
            guard case .invalidOption(name, _, _) = error else {
                Issue.record("\(name): \(String(describing: error))")
                return
            }
        }
        for density in [0, -1, 1.5, .nan] { try expectInvalid("pruning density") { $0.density = density } }
        try expectInvalid("pruning block") { $0.block = 0 }
        for epochs in [-1, 3, .nan, .infinity] { try expectInvalid("pruning epochs") { $0.epochs = epochs } }
        try expectInvalid("removals per epoch") { $0.removalsPerEpoch = 0 }
        try expectInvalid("pruning batches") { $0.batches = 0 }
        try expectInvalid("except") { $0.exceptPrefixes = ["conv9"] }
        try expectInvalid("except") { $0.exceptPrefixes = ["conv1"] }
        var other = try exercise(Pruning(density: 0.5, exceptPrefixes: ["conv"]))
        #expect(throws: TrainingError.self) { _ = try other.trainer() }
        other.settings.pruning = nil
        other.settings.epochs = 0
        #expect(throws: TrainingError.self) { _ = try other.trainer() }
    }
}
