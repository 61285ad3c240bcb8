import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

@Suite struct TrainerTests {
    @Test func learnsASmallProblem() throws {
        let settings = TrainingSettings(epochs: 6, batchSize: 16, learningRate: 0.05, seed: 5)
        let exercise = Exercise(
            network: try quadrantNetwork(), settings: settings, images: quadrants(count: 400, seed: 10))
        func result(threads: Int) throws -> ([Float], Evaluation) {
            var trainer = try exercise.trainer(threads: threads)
            _ = try exercise.run(&trainer, checkpoints: nil)
            let evaluation = try Evaluation(
                exercise.network, parameters: trainer.parameters, images: quadrants(count: 300, seed: 11),
                preprocessing: exercise.preprocessing, pool: ThreadPool(threads: threads))
            return (trainer.parameters.layout.trained.flatMap { trainer.parameters.values($0) }, evaluation)
        }
        let (first, second) = (try result(threads: 1), try result(threads: 2))
        #expect(first.1.imageCount == 300)
        #expect(first.1.accuracy > 0.95, "\(first.1.accuracy)")
        #expect(first.0.bits == second.0.bits)
        #expect(first.1 == second.1)
    }

    /// A rate that is far too high: an error, and a checkpoint from before with finite values, if there is one.
    @Test func divergenceStopsTheRun() throws {
        var exercise = try Exercise()
        exercise.settings.epochs = 20
        exercise.settings.learningRate = 1e6
        let folder = TemporaryFolder()
        var trainer = try exercise.trainer()
        let error = #expect(throws: TrainingError.self) {
            _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, checkpointSeconds: 0)
        }
        guard case .diverged = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!error!.description.contains("\n"))
        guard folder.checkpoints.hasCheckpoint else { return }
        for (name, bits) in try tensorBits(ofFile: folder.checkpoints.lastPath) {
            #expect(bits.allSatisfy { Float(bitPattern: $0).isFinite }, "\(name)")
        }
        var resumed = try exercise.trainer()
        try resumed.restore(from: folder.checkpoints)
    }

    /// The first epoch is good, the second diverges: the checkpoint of the first stays byte for byte.
    @Test func divergenceKeepsTheLastGoodCheckpoint() throws {
        var exercise = try Exercise()
        exercise.settings.epochs = 20
        exercise.settings.schedule = LearningRateSchedule(.step(every: 1, factor: 1e8))
        let folder = TemporaryFolder()
        var good: [UInt8] = []
        var trainer = try exercise.trainer()
        let error = #expect(throws: TrainingError.self) {
            _ = try exercise.run(&trainer, checkpoints: folder.checkpoints) { event in
                if case .epoch = event { good = (try? bytes(ofFile: folder.checkpoints.lastPath)) ?? [] }
            }
        }
        guard case .diverged(let epoch, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(epoch >= 1 && !good.isEmpty)
        #expect(try bytes(ofFile: folder.checkpoints.lastPath) == good)
        #expect(folder.contents == ["best.safetensors", "last.safetensors"])
    }

    @Test(arguments: [1.0, 0.3, 0.1, 0.03]) func memoryFollowsTheConnections(density: Double) throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: density), seed: 1).network
        let images = LabelledImages(
            name: "grey", shape: network.inputShape, pixels: [UInt8](repeating: 9, count: 16 * 784),
            labels: [Int32](repeating: 0, count: 16), classNames: (0 ..< 10).map(String.init))
        let trainer = try Trainer(
            network, settings: TrainingSettings(batchSize: 16), images: images,
            preprocessing: Preprocessing(measuring: images), pool: ThreadPool(threads: 1))
        let memory = trainer.memory
        let expected = Double(4 * NetworkCost(network).parameters)
        for bytes in [memory.parameterBytes, memory.gradientBytes, memory.optimizerBytes] {
            #expect(abs(Double(bytes) - expected) <= 0.01 * expected, "\(bytes) bytes, \(expected) expected")
        }
    }

    @Test func imagesMustFit() throws {
        let exercise = try Exercise()
        func expectMismatch(_ images: LabelledImages, _ text: String, _ preprocessing: Preprocessing? = nil) {
            let error = #expect(throws: TrainingError.self) {
                _ = try Trainer(
                    exercise.network, settings: exercise.settings, images: images,
                    preprocessing: preprocessing ?? exercise.preprocessing, pool: ThreadPool(threads: 1))
            }
            guard case .mismatch(let message) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(message.contains(text) && !message.contains("\n"))
        }
        let colors = Preprocessing(normalization: Normalization(identityOf: 3))
        expectMismatch(quadrants(count: 5, seed: 1, channels: 3), "takes images of 1 channels", colors)
        let small = LabelledImages(
            name: "small", shape: Shape(channels: 1, height: 8, width: 7), pixels: [UInt8](repeating: 0, count: 56),
            labels: [0], classNames: quadrants(count: 1, seed: 1).classNames)
        let unresized = Preprocessing(resizing: .none, normalization: Normalization(identityOf: 1))
        expectMismatch(small, "too small", unresized)
        expectMismatch(quadrants(count: 0, seed: 1), "no images")
        let some = quadrants(count: 5, seed: 1)
        let seven = LabelledImages(
            name: "seven", shape: exercise.network.inputShape, pixels: some.pixels, labels: some.labels,
            classNames: (0 ..< 7).map { "class \($0)" })
        expectMismatch(seven, "7 classes")
    }

    @Test func settingsOutOfRangeAreNamed() throws {
        func expectInvalid(_ name: String, _ edit: (inout TrainingSettings) -> Void) {
            var settings = TrainingSettings()
            edit(&settings)
            let error = #expect(throws: TrainingError.self) { try settings.validate() }
            guard case .invalidOption(name, _, _) = error else {
                Issue.record("\(name): \(String(describing: error))")
                return
            }
            #expect(!error!.description.contains("\n"))
        }
        expectInvalid("epochs") { $0.epochs = 0 }
        expectInvalid("batch size") { $0.batchSize = -1 }
        for rate in [0, -1, .infinity, .nan] { expectInvalid("learning rate") { $0.learningRate = rate } }
        for momentum in [-0.1, 1, .nan] { expectInvalid("momentum") { $0.optimizer = .sgd(momentum: momentum) } }
        for decay in [-1, .infinity, .nan] { expectInvalid("weight decay") { $0.weightDecay = decay } }
        expectInvalid("accumulated batches") { $0.accumulatedBatches = 0 }
        for limit in [0, -1, .nan, .infinity] {
            expectInvalid("gradient norm limit") { $0.gradientNormLimit = limit }
        }
        for decay in [0, 1, -0.5, .nan] { expectInvalid("average decay") { $0.averageDecay = decay } }
        for smoothing in [-0.1, 1, .nan] { expectInvalid("label smoothing") { $0.labelSmoothing = smoothing } }
        try TrainingSettings().validate()
    }

    @Test func anEpochTellsTheRateOfItsLastStep() throws {
        var exercise = try Exercise()
        exercise.settings.schedule = try LearningRateSchedule(parsing: "step:every=1,factor=0.5")
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        let rate = exercise.settings.learningRate
        #expect(trainer.state.history.map(\.learningRate) == [rate, rate / 2, rate / 4])
    }

    /// Loss and accuracy of a set that does not fill its last batch, against a plain evaluation.
    @Test(arguments: [1, 7, 16, 37, 300]) func evaluation(count: Int) throws {
        let network = try quadrantNetwork()
        var generator = SeededGenerator(seed: 4)
        let parameters = Parameters(drawing: network, using: &generator)
        let images = quadrants(count: count, seed: 12)
        let preprocessing = Preprocessing(normalization: Normalization(mean: [0.4], standardDeviation: [0.3]))
        let pixels = images.pixels.map { (Float($0) / 255 - 0.4) / 0.3 }
        var reference = ReferenceNetwork(network, parameters: parameters, images: pixels)
        reference.isTraining = false
        let logits = reference.evaluate().map { Float($0) }
        let expected = logits.withUnsafeBufferPointer { logits in
            images.labels.withUnsafeBufferPointer { SoftmaxCrossEntropy().evaluate(logits: logits, labels: $0) }
        }
        let evaluation = try Evaluation(
            network, parameters: parameters, images: images, preprocessing: preprocessing, pool: ThreadPool(threads: 2))
        #expect(evaluation.imageCount == count)
        #expect(evaluation.correctCount == expected.correctCount)
        #expect(abs(evaluation.loss - expected.lossSum / Double(count)) < 1e-5 * (1 + evaluation.loss))
    }
}
