import Foundation
import GossamerExecution
import GossamerImages
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// A class that an image may show, and how likely that is to the model.
public struct Prediction: Hashable, Sendable {
    /// The place of the class among the model's outputs.
    public let index: Int
    public let name: String
    /// In [0, 1]; over all classes they add up to 1.
    public let probability: Double
}

/// A model that says what is on an image.
///
///     var classifier = try ImageClassifier(contentsOf: "model.safetensors")
///     for prediction in try classifier.classify(fileAt: "cat.jpg") {
///         print(prediction.name, prediction.probability)
///     }
///
/// Images of any size are brought to the network's input as the model file says. One thread at a time may use it.
public struct ImageClassifier: ~Copyable {
    public let labels: ModelLabels
    private var plan: InferencePlan
    private var writer: InputWriter
    private let input: AlignedBuffer<Float>
    /// Whether the network's outputs are probabilities already.
    private let endsWithSoftmax: Bool

    /// The largest image file that is read.
    public static let largestFileByteCount = 1 << 28

    /// - Parameters:
    ///   - path: a model file.
    ///   - threads: 1 or more.
    ///   - choice: how each layer's kernel is chosen.
    /// - Throws: ``ModelFileError`` or ``ExecutionError``, one line that names the file or the layer.
    public init(contentsOf path: String, threads: Int = 1, choice: KernelChoice = .byRule) throws {
        let file = try ModelFile(contentsOf: path)
        plan = try file.inferencePlan(pool: ThreadPool(threads: threads), choice: choice)
        labels = file.labels
        writer = InputWriter(layout: plan.inputLayout, preprocessing: labels.preprocessing)
        input = AlignedBuffer(count: plan.inputLayout.count(images: 1))
        endsWithSoftmax = plan.network.nodes.last!.layer == .softmax
    }

    /// - Parameters:
    ///   - path: a JPEG or PNG file.
    ///   - count: of the likeliest classes.
    /// - Returns: the likeliest class first; of equal ones the first.
    /// - Throws: ``ModelFileError`` where the file cannot be read, ``ImageError`` where it is no image of use.
    public mutating func classify(fileAt path: String, count: Int = 5) throws -> [Prediction] {
        let bytes = try readFile(path, limit: Self.largestFileByteCount)
        return try classify(PixelImage(decoding: bytes, name: path), name: path, count: count)
    }

    /// - Parameter name: what an error calls the image.
    public mutating func classify(
        _ image: PixelImage, name: String, count: Int = 5
    ) throws(ImageError) -> [Prediction] {
        try writer.write(image, name: name, at: 0, of: input.pointer)
        let classes = plan.outputLayout.shape.count
        let pointer = input.pointer
        let outputs = [Float](unsafeUninitializedCapacity: classes) { values, initialized in
            plan.run(pointer, count: 1, outputs: values)
            initialized = classes
        }
        // Weights may be too large for the sums that are made of them.
        guard outputs.allSatisfy(\.isFinite) else {
            throw ImageError(name: name, problem: "the model's outputs for it are not finite numbers")
        }
        let probabilities = endsWithSoftmax ? outputs.map(Double.init) : softmax(outputs)
        let order = probabilities.indices.sorted { (-probabilities[$0], $0) < (-probabilities[$1], $1) }
        return order.prefix(max(0, count)).map { index in
            Prediction(index: index, name: labels.classNames[index], probability: probabilities[index])
        }
    }
}

/// In double, from values of any size.
private func softmax(_ values: [Float]) -> [Double] {
    let largest = Double(values.max()!)
    let exponentials = values.map { exp(Double($0) - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
}
