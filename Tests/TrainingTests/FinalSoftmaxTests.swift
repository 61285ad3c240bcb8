import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Networks that end with a softmax, as imported ones do: the loss takes one itself.
@Suite struct FinalSoftmaxTests {
    private func network(softmax: Bool, hasHead: Bool = false, headSoftmax: Bool = false) throws -> Network {
        var net = NetworkBuilder(name: "quadrants", input: Shape(channels: 1, height: 8, width: 8))
        var x = net.relu(net.convolution(net.input, filters: 6, kernel: 3))
        if hasHead {
            net.auxiliaryHead(weight: 0.3) { head in
                let logits = head.fullyConnected(x, units: 4)
                return headSoftmax ? head.softmax(logits) : logits
            }
        }
        x = net.maxPooling(net.relu(net.convolution(x, filters: 8, kernel: 3)), kernel: 2)
        let logits = net.fullyConnected(x, units: 4)
        if softmax { _ = net.softmax(logits) }
        return try net.build()
    }

    private func exercise(_ network: Network, pruning: Pruning? = nil) -> Exercise {
        var settings = TrainingSettings(epochs: 2, batchSize: 16, learningRate: 0.05, seed: 5)
        settings.pruning = pruning
        return Exercise(
            network: network, settings: settings, images: quadrants(count: 60, seed: 1),
            validation: quadrants(count: 20, seed: 2))
    }

    /// The same bits as without, while connections come and go too, and where a training is gone on with.
    @Test(arguments: [nil, Pruning(density: 0.5, score: .saliency, epochs: 1, removalsPerEpoch: 2, batches: 2)])
    func isLeftOutInTraining(pruning: Pruning?) throws {
        func train(softmax: Bool, stopAfter steps: Int? = nil) throws -> (Network, [UInt32], TrainingState) {
            let exercise = exercise(try network(softmax: softmax), pruning: pruning)
            let folder = TemporaryFolder()
            if let steps {
                var first = try exercise.trainer()
                _ = try exercise.run(&first, checkpoints: folder.checkpoints, stopAfter: steps)
            }
            var trainer = try exercise.trainer()
            if steps != nil { try trainer.restore(from: folder.checkpoints) }
            _ = try exercise.run(&trainer, checkpoints: nil)
            let bits = trainer.parameters.layout.all.flatMap { trainer.parameters.values($0).bits }
            return (trainer.network, bits, trainer.state.withoutTimes)
        }
        let (plain, ended) = (try train(softmax: false), try train(softmax: true))
        #expect(ended.0 == plain.0 && ended.1 == plain.1 && ended.2 == plain.2)
        #expect(ended.0.nodes.last?.name == "fc1")
        let resumed = try train(softmax: true, stopAfter: 6)
        #expect(resumed.1 == plain.1 && resumed.2 == plain.2)
    }

    @Test func isLeftOutOfTheLoss() throws {
        let (plain, ended) = (try network(softmax: false), try network(softmax: true))
        var generator = SeededGenerator(seed: 4)
        let parameters = Parameters(drawing: plain, using: &generator)
        let images = quadrants(count: 37, seed: 12)
        let preprocessing = try Preprocessing(measuring: images)
        let pool = ThreadPool(threads: 1)
        let expected = try Evaluation(
            plain, parameters: parameters, images: images, preprocessing: preprocessing, pool: pool)
        let found = try Evaluation(
            ended, parameters: parameters, images: images, preprocessing: preprocessing, pool: pool)
        #expect(found == expected)
    }

    /// A head's loss takes a softmax as well.
    @Test func headsMayNotEndWithOne() throws {
        _ = try exercise(network(softmax: true, hasHead: true)).trainer()
        let error = #expect(throws: TrainingError.self) {
            _ = try exercise(network(softmax: true, hasHead: true, headSoftmax: true)).trainer()
        }
        guard case .mismatch(let message) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains("output 'auxiliary1.softmax1' is a softmax"))
    }

    /// A head's parameters lie before those of the layers behind it.
    @Test func headsDoNotChangeAnEvaluation() throws {
        let (plain, headed) = (try network(softmax: false), try network(softmax: true, hasHead: true))
        var generator = SeededGenerator(seed: 4)
        let own = Parameters(drawing: headed, using: &generator)
        let parameters = Parameters(zerosFor: ParameterLayout(plain))
        for entry in parameters.layout.all { parameters.set(entry, to: own.values(own.entry(entry.name))) }
        let images = quadrants(count: 37, seed: 12)
        let preprocessing = try Preprocessing(measuring: images)
        let pool = ThreadPool(threads: 1)
        let expected = try Evaluation(
            plain, parameters: parameters, images: images, preprocessing: preprocessing, pool: pool)
        let found = try Evaluation(headed, parameters: own, images: images, preprocessing: preprocessing, pool: pool)
        #expect(found == expected)
    }
}
