import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// What optimizers, averages, clipping and accumulation do to a training. Their formulas are in ``PyTorchTests`` and in
/// the tests of the kernels.
@Suite struct OptimizerTests {
    @Test func descriptionsAreReadBack() throws {
        for text in ["sgd", "adam", "adamw", "rmsprop"] {
            let optimizer = try Optimizer(parsing: text)
            #expect(try Optimizer(parsing: optimizer.description) == optimizer)
            let json = try JSONEncoder().encode([optimizer])
            #expect(try JSONDecoder().decode([Optimizer].self, from: json) == [optimizer])
        }
        #expect(try Optimizer(parsing: "sgd:momentum=0.5") == .sgd(momentum: 0.5))
        var adam = Optimizer.Adam()
        (adam.beta2, adam.epsilon) = (0.99, 1e-7)
        #expect(try Optimizer(parsing: "adam:epsilon=1e-7,beta2=0.99") == .adam(adam))
        adam.decouplesWeightDecay = true
        #expect(try Optimizer(parsing: "adamw:epsilon=1e-7,beta2=0.99") == .adam(adam))
        #expect(try Optimizer(parsing: "rmsprop:decay=0.9,epsilon=1,momentum=0.9") == .rmsprop(.init()))
    }

    @Test(arguments: [
        "", " ", "sdg", "SGD", "adam:", "adam:beta1", "adam:beta1=x", "adam:momentum=0.9", "adam:beta1=0.9,beta1=0.9",
        "rmsprop:beta1=1", "sgd:momentum=0.9,", "sgd,,", "adam:beta1=nan",
    ])
    func otherTextsAreRefused(text: String) {
        let error = #expect(throws: TrainingError.self) { _ = try Optimizer(parsing: text) }
        guard case .invalidOption("optimizer", text, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: [
        ("sgd:momentum=1", "momentum"), ("adam:beta1=-0.1", "beta1"), ("adam:beta2=1", "beta2"),
        ("adamw:epsilon=0", "epsilon"), ("rmsprop:decay=1", "decay"), ("rmsprop:epsilon=-1", "epsilon"),
        ("rmsprop:momentum=2", "momentum"), ("adam:epsilon=1e-40", "epsilon"),
    ])
    func numbersOutOfRangeAreNamed(text: String, name: String) {
        let error = #expect(throws: TrainingError.self) { _ = try Optimizer(parsing: text) }
        guard case .invalidOption(name, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["adam", "adamw", "rmsprop:epsilon=0.1,momentum=0.5", "rmsprop:epsilon=1e-8,momentum=0"])
    func learnsASmallProblem(text: String) throws {
        var settings = TrainingSettings(epochs: 6, batchSize: 16, learningRate: 0.01, seed: 5)
        settings.optimizer = try Optimizer(parsing: text)
        let images = quadrants(count: 400, seed: 10)
        let exercise = Exercise(network: try quadrantNetwork(), settings: settings, images: images)
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        let accuracy = try trainer.evaluate(quadrants(count: 300, seed: 11)).accuracy
        #expect(accuracy > 0.95, "\(accuracy)")
    }

    /// One value for each parameter that exists, or two.
    @Test(arguments: [("sgd", 1), ("adam", 2), ("rmsprop", 2), ("rmsprop:momentum=0", 1)])
    func memoryFollowsTheConnections(text: String, slots: Int) throws {
        var exercise = try Exercise()
        exercise.settings.optimizer = try Optimizer(parsing: text)
        let memory = try exercise.trainer().memory
        #expect(memory.optimizerBytes == slots * memory.gradientBytes)
        exercise.settings.averageDecay = 0.9
        #expect(try exercise.trainer().memory.optimizerBytes == (slots + 1) * memory.gradientBytes)
    }

    /// Without batch normalisation, two batches of four are one of eight, but for rounding.
    @Test func accumulatedBatchesAreOneLargeBatch() throws {
        var net = NetworkBuilder(name: "plain", input: Shape(channels: 1, height: 8, width: 8))
        let x = net.maxPooling(net.relu(net.convolution(net.input, filters: 6, kernel: 3)), kernel: 2)
        net.auxiliaryHead(weight: 0.3) { head in head.fullyConnected(head.relu(x), units: 4) }
        _ = net.fullyConnected(net.relu(net.convolution(x, filters: 8, kernel: 3)), units: 4)
        var exercise = try Exercise()
        exercise.network = try net.build()
        func parameters(batchSize: Int, accumulated: Int) throws -> ([Float], TrainingState) {
            exercise.settings.batchSize = batchSize
            exercise.settings.accumulatedBatches = accumulated
            var trainer = try exercise.trainer()
            _ = try exercise.run(&trainer, checkpoints: nil)
            return (trainer.parameters.layout.trained.flatMap { trainer.parameters.values($0) }, trainer.state)
        }
        let large = try parameters(batchSize: 8, accumulated: 1)
        let small = try parameters(batchSize: 4, accumulated: 2)
        #expect(large.1.updates == 15 && small.1.updates == 15)
        #expect(relativeError(small.0, large.0) < 1e-4)
        let unlike = try parameters(batchSize: 4, accumulated: 1)
        #expect(unlike.1.updates == 30)
        #expect(relativeError(unlike.0, large.0) > 1e-2)
    }

    /// A limit that no gradient reaches changes nothing; a tiny one makes every step of the first epoch tiny.
    @Test func gradientsAreClipped() throws {
        var exercise = try Exercise()
        exercise.settings.optimizer = .sgd(momentum: 0)
        exercise.settings.weightDecay = 0
        func parameters(limit: Double?, threads: Int = 1) throws -> [Float] {
            exercise.settings.gradientNormLimit = limit
            var trainer = try exercise.trainer(threads: threads)
            _ = try exercise.run(&trainer, checkpoints: nil, stopAfter: 1)
            return trainer.parameters.layout.trained.flatMap { trainer.parameters.values($0) }
        }
        let start = Parameters(initializing: exercise.network, seed: exercise.settings.seed)
        let before = start.layout.trained.flatMap { start.values($0) }
        let free = try parameters(limit: nil), wide = try parameters(limit: 1e6)
        #expect(free.bits == wide.bits)
        let clipped = try parameters(limit: 0.01)
        let length = zip(clipped, before).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }.squareRoot()
        // The first step of a warm-up has a small rate.
        let rate = try exercise.trainer().learningRate
        #expect(abs(length - 0.01 * rate) < 1e-3 * length)
        #expect(try parameters(limit: 0.01, threads: 3).bits == clipped.bits)
    }

    /// The average in each checkpoint against the parameters in all of them.
    @Test func theAverageFollowsTheParameters() throws {
        var exercise = try Exercise()
        exercise.validation = nil
        exercise.settings.averageDecay = 0.5
        let folder = TemporaryFolder()
        let start = Parameters(initializing: exercise.network, seed: exercise.settings.seed)
        var expected: [String: [Double]] = [:]
        for entry in start.layout.all { expected[entry.name] = start.values(entry).map(Double.init) }
        var trainer = try exercise.trainer()
        for step in 0 ..< 15 {
            _ = try exercise.run(&trainer, checkpoints: folder.checkpoints, stopAfter: 1)
            let file = try SafetensorsFile(contentsOf: folder.checkpoints.lastPath)
            for (name, average) in expected {
                let newest = try file.floats(name).values
                let decay = min(0.5, Double(1 + step) / Double(10 + step))
                expected[name] = zip(average, newest).map { decay * $0 + (1 - decay) * Double($1) }
                let found = try file.floats(name + ".average").values.map(Double.init)
                #expect(relativeError(found, expected[name]!) < 1e-5, "\(name), step \(step)")
            }
        }
        let averaged = try trainer.evaluate(exercise.images)
        trainer.takeAverage()
        for entry in trainer.parameters.layout.all {
            #expect(relativeError(trainer.parameters.values(entry).map(Double.init), expected[entry.name]!) < 1e-5)
        }
        let evaluation = try Evaluation(
            exercise.network, parameters: trainer.parameters, images: exercise.images,
            preprocessing: exercise.preprocessing, pool: ThreadPool(threads: 1))
        #expect(evaluation == averaged)
    }
}
