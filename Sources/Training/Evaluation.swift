import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// How well a network classifies a set of images.
public struct Evaluation: Hashable, Sendable {
    public let imageCount: Int
    /// Images whose largest output is that of their class.
    public let correctCount: Int
    /// Images whose class is among the five largest outputs.
    public let topFiveCount: Int
    public let confusion: ConfusionMatrix
    /// Mean cross-entropy without label smoothing, of the outputs before a softmax at the network's end.
    public let loss: Double
    /// A fraction.
    public var accuracy: Double { Double(correctCount) / Double(max(1, imageCount)) }
    /// A fraction.
    public var topFiveAccuracy: Double { Double(topFiveCount) / Double(max(1, imageCount)) }

    /// Runs the images through an inference plan.
    ///
    /// - Parameters:
    ///   - images: at least one, of as many classes as the network has outputs.
    ///   - preprocessing: what makes the network's input of an image.
    ///   - choice: how each layer's kernel is chosen.
    public init(
        _ network: Network, parameters: borrowing Parameters, images: LabelledImages, preprocessing: Preprocessing,
        pool: ThreadPool, choice: KernelChoice = .byRule
    ) throws(TrainingError) {
        try Trainer.checkFit(network, images, preprocessing)
        // The loss takes a softmax itself.
        let network = network.withoutFinalSoftmax
        let batchSize = min(256, images.count)
        var plan: InferencePlan
        do throws(ExecutionError) {
            plan = try InferencePlan(
                network, parameters: parameters, capacity: batchSize, pool: pool, choice: choice)
        } catch {
            throw .execution(error)
        }
        let loader = BatchLoader(
            images: images, input: network.inputShape, preprocessing: preprocessing, batchSize: batchSize,
            lanes: plan.inputLayout.lanes, seed: 0, shuffle: false)
        let classes = network.outputShape.count
        let outputs = UnsafeMutableBufferPointer<Float>.allocate(capacity: batchSize * classes)
        defer { outputs.deallocate() }
        var lossSum = 0.0
        var correct = 0
        var topFive = 0
        var confusion = ConfusionMatrix(classCount: classes)
        loader.startEpoch(0)
        while let batch = try Self.nextBatch(of: loader) {
            plan.run(batch.images, count: batch.count, outputs: outputs)
            let result = SoftmaxCrossEntropy().evaluate(
                logits: UnsafeBufferPointer(rebasing: outputs[..<(batch.count * classes)]), labels: batch.labels)
            lossSum += result.lossSum
            correct += result.correctCount
            for (image, label) in batch.labels.enumerated() {
                let row = UnsafeBufferPointer(rebasing: outputs[image * classes ..< (image + 1) * classes])
                confusion.add(actual: Int(label), predicted: SoftmaxCrossEntropy.argmax(row))
                if Self.rank(of: Int(label), in: row) < 5 { topFive += 1 }
            }
        }
        imageCount = images.count
        correctCount = correct
        topFiveCount = topFive
        self.confusion = confusion
        loss = lossSum / Double(images.count)
    }

    /// How many classes come before this one; the first of equal outputs wins, and one that is not a number loses.
    private static func rank(of label: Int, in outputs: UnsafeBufferPointer<Float>) -> Int {
        let own = outputs[label]
        guard !own.isNaN else { return outputs.count }
        return outputs.enumerated().count { $1 > own || ($1 == own && $0 < label) }
    }

    private static func nextBatch(of loader: BatchLoader) throws(TrainingError) -> Batch? {
        do throws(DatasetError) { return try loader.nextBatch() } catch { throw .data(error) }
    }
}
