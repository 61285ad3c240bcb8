import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Trainings that begin with given parameters, leave layers alone, or compute activations again.
@Suite struct FineTuningTests {
    @Test func frozenLayersStayAsTheyAre() throws {
        var exercise = try Exercise()
        exercise.settings.frozenPrefixes = ["conv1", "norm"]
        exercise.settings.averageDecay = 0.9
        for name in ["sgd", "adam", "rmsprop"] {
            exercise.settings.optimizer = try Optimizer(parsing: name)
            var trainer = try exercise.trainer()
            let before = trainer.parameters.copy()
            _ = try exercise.run(&trainer, checkpoints: nil)
            let frozen = try exercise.settings.frozenNodes(of: exercise.network)
            #expect(frozen.count == 2)
            for entry in trainer.parameters.layout.all {
                let stays = trainer.parameters.values(entry).bits == before.values(entry).bits
                #expect(stays == frozen.contains(entry.node), "\(name): \(entry.name)")
            }
        }
    }

    /// Nothing is kept for what is not trained.
    @Test func frozenLayersHaveNoState() throws {
        var exercise = try Exercise()
        let all = try exercise.trainer().memory
        exercise.settings.frozenPrefixes = ["conv"]
        let some = try exercise.trainer().memory
        #expect(some.optimizerBytes < all.optimizerBytes && some.activationBytes < all.activationBytes)
        let folder = TemporaryFolder()
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: 2)
        let names = try tensorBits(ofFile: folder.checkpoints.lastPath).keys
        #expect(names.contains("fc1.weight.velocity") && !names.contains("conv1.weight.velocity"))
        #expect(names.contains("conv1.weight"))
    }

    @Test(arguments: [["conv9"], [""], ["conv", "xyz"], ["conv", "fc", "norm"]])
    func prefixesMustFit(prefixes: [String]) throws {
        var exercise = try Exercise()
        exercise.settings.frozenPrefixes = prefixes
        let error = #expect(throws: TrainingError.self) { _ = try exercise.trainer() }
        guard case .invalidOption("frozen layers", _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// With a warm start, dropout, an auxiliary head and batch normalisation: the same bits with less memory.
    @Test func recomputationChangesNoBit() throws {
        var exercise = try Exercise()
        exercise.network = try quadrantNetwork(hasHead: true)
        func train(recomputes: Bool) throws -> ([UInt32], Int, TrainingState) {
            var trainer = try Trainer(
                exercise.network, settings: exercise.settings, images: exercise.images,
                preprocessing: exercise.preprocessing, pool: ThreadPool(threads: 2), recomputes: recomputes)
            _ = try exercise.run(&trainer, checkpoints: nil)
            let bits = trainer.parameters.layout.all.flatMap { trainer.parameters.values($0).bits }
            return (bits, trainer.memory.activationBytes, trainer.state.withoutTimes)
        }
        let (plain, again) = (try train(recomputes: false), try train(recomputes: true))
        #expect(plain.0 == again.0)
        #expect(plain.2 == again.2)
        #expect(again.1 <= plain.1)
    }

    /// A training begins where it is told to, and its checkpoints fit no other start.
    @Test func beginsWithGivenParameters() throws {
        let exercise = try Exercise()
        var generator = SeededGenerator(seed: 8)
        let start = Parameters(drawing: exercise.network, using: &generator)
        func trainer(_ initial: borrowing Parameters) throws -> Trainer {
            try Trainer(
                exercise.network, settings: exercise.settings, images: exercise.images,
                preprocessing: exercise.preprocessing, initial: initial.copy(), pool: ThreadPool(threads: 1))
        }
        var first = try trainer(start)
        for entry in start.layout.all { #expect(first.parameters.values(entry) == start.values(entry)) }
        let folder = TemporaryFolder()
        _ = try exercise.run(&first, checkpoints: folder.checkpoints, stopAfter: 2)
        var same = try trainer(start)
        try same.restore(from: folder.checkpoints)
        let weight = start.layout.trained[0]
        start.set(weight, to: start.values(weight).map { $0 + 1 })
        var other = try trainer(start)
        #expect(throws: TrainingError.self) { try other.restore(from: folder.checkpoints) }
        var random = try exercise.trainer()
        #expect(throws: TrainingError.self) { try random.restore(from: folder.checkpoints) }
    }

    @Test func otherClassesGetANewClassifier() throws {
        let network = try quadrantNetwork(hasHead: true)
        #expect(network.classifier?.name == "fc1")
        let other = try network.withClasses(7)
        #expect(other.outputShape.count == 7 && other.auxiliaryOutputs.isEmpty)
        #expect(other.connections == network.withoutAuxiliaryHeads.connections)
        var net = NetworkBuilder(name: "convolutional", input: Shape(channels: 1, height: 8, width: 8))
        let x = net.relu(net.convolution(net.input, filters: 6, kernel: 3))
        _ = net.globalAveragePooling(net.convolution(x, filters: 4, kernel: 1))
        let convolutional = try net.build().sparsified(with: Pattern.random(density: 0.5), seed: 1).network
        let changed = try convolutional.withClasses(9)
        #expect(changed.outputShape.count == 9)
        #expect(changed.connectionCount(of: changed.classifier!) == 6 * 9)
        var sums = NetworkBuilder(name: "sum", input: Shape(channels: 4, height: 1, width: 1))
        _ = sums.addition(sums.fullyConnected(sums.input, units: 4), sums.input)
        let sum = try sums.build()
        #expect(throws: NetworkError.self) { _ = try sum.withClasses(5) }
    }
}
