import Foundation
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Times of one piece of work that was repeated.
public struct Timing: Hashable, Sendable {
    /// Of every run, in order; at least one.
    public let seconds: [Double]

    public init(seconds: [Double]) {
        precondition(!seconds.isEmpty, "a timing needs a run")
        self.seconds = seconds
    }

    public var runs: Int { seconds.count }
    public var minMilliseconds: Double { 1000 * seconds.min()! }
    public var medianMilliseconds: Double {
        let sorted = seconds.sorted()
        return 500 * (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2])
    }

    /// Repeats `body` at least `minimumRuns` times and for at least `minimumSeconds`, after warming up.
    public static func measure<Failure>(
        minimumRuns: Int = 10, minimumSeconds: Double = 1, _ body: () throws(Failure) -> Void
    ) throws(Failure) -> Timing {
        for _ in 0 ..< 3 { try body() }
        var seconds: [Double] = []
        let whole = Stopwatch()
        while seconds.count < minimumRuns || whole.seconds < minimumSeconds {
            let clock = Stopwatch()
            try body()
            seconds.append(clock.seconds)
        }
        return Timing(seconds: seconds)
    }
}

extension Timing {
    /// Times inference on random images.
    ///
    /// - Parameters:
    ///   - plan: what is timed, at its capacity.
    public static func inference(
        _ plan: inout InferencePlan, minimumRuns: Int = 5, minimumSeconds: Double = 1
    ) -> Timing {
        let batch = plan.capacity
        let images = randomImages(of: plan)
        let outputs = UnsafeMutableBufferPointer<Float>.allocate(capacity: batch * plan.outputLayout.shape.count)
        defer { outputs.deallocate() }
        return measure(minimumRuns: minimumRuns, minimumSeconds: minimumSeconds) {
            plan.run(images.pointer, count: batch, outputs: outputs)
        }
    }

    /// Times each operation of inference on random images: layers as they run in the network, one after the other.
    ///
    /// - Parameters:
    ///   - plan: what is timed, at its capacity.
    /// - Returns: in the order of the plan's ``InferencePlan/operationNames``.
    public static func operations(
        _ plan: inout InferencePlan, minimumRuns: Int = 5, minimumSeconds: Double = 1
    ) -> [Timing] {
        let images = randomImages(of: plan)
        var runs: [[Duration]] = []
        let whole = measure(minimumRuns: minimumRuns, minimumSeconds: minimumSeconds) {
            runs.append(plan.timeOperations(images.pointer, count: plan.capacity))
        }
        // Without those that warmed up.
        runs.removeFirst(runs.count - whole.runs)
        return plan.operationNames.indices.map { index in
            Timing(seconds: runs.map { $0[index] / .seconds(1) })
        }
    }

    /// A batch at the plan's capacity, laid out in blocks.
    private static func randomImages(of plan: borrowing InferencePlan) -> AlignedBuffer<Float> {
        let images = AlignedBuffer<Float>(count: plan.inputLayout.count(images: plan.capacity))
        var generator = SeededGenerator(seed: 0, keys: SeededGenerator.key("timing"))
        for index in 0 ..< images.count { images.pointer[index] = generator.uniform() - 0.5 }
        return images
    }

    /// Times whole training steps (forward, loss, backward, update) on random images; preparing them is not counted,
    /// and connections stay as they are.
    public static func training(
        _ network: Network, settings: TrainingSettings, pool: ThreadPool, recomputes: Bool = false,
        minimumRuns: Int = 5, minimumSeconds: Double = 2
    ) throws(TrainingError) -> (timing: Timing, memory: TrainingMemoryReport) {
        let count = settings.batchSize * 4
        do throws(ExecutionError) {
            try requireMemory(byteCount: count * network.inputShape.count, for: "timing on \(count) images")
        } catch {
            throw .execution(error)
        }
        let images = LabelledImages.random(
            shape: network.inputShape, classCount: network.outputShape.count, count: count)
        var settings = settings
        settings.epochs = 1 << 16
        (settings.pruning, settings.growth, settings.exploration) = (nil, nil, nil)
        // Noise cannot be learned: a usual rate might diverge before the time is taken.
        settings.learningRate = 1e-6
        let normalization = Normalization(identityOf: images.channels)
        var trainer = try Trainer(
            network, settings: settings, images: images,
            preprocessing: Preprocessing(resizing: .stretch, normalization: normalization), pool: pool,
            recomputes: recomputes)
        let timing = try trainer.timeSteps(minimumRuns: minimumRuns, minimumSeconds: minimumSeconds)
        return (timing, trainer.memory)
    }
}

extension LabelledImages {
    /// Noise with labels, for measurements that do not depend on what is on the images.
    static func random(shape: Shape, classCount: Int, count: Int) -> LabelledImages {
        var generator = SeededGenerator(seed: 0, keys: SeededGenerator.key("random images"))
        let pixels = (0 ..< count * shape.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        return LabelledImages(
            name: "random images", shape: shape, pixels: pixels,
            labels: (0 ..< count).map { Int32($0 % classCount) }, classNames: (0 ..< classCount).map { "\($0)" })
    }
}
