import Foundation
import GossamerInference
import GossamerTestSupport
import Testing

/// Images through model files.
@Suite struct ImageClassifierTests {
    private static func network(softmax: Bool, channels: Int = 3) throws -> Network {
        var net = NetworkBuilder(name: "small", input: Shape(channels: channels, height: 8, width: 8))
        let x = net.relu(net.convolution(net.input, filters: 6, kernel: 3))
        let logits = net.fullyConnected(net.globalAveragePooling(x), units: 4)
        if softmax { _ = net.softmax(logits) }
        return try net.build()
    }

    private static func save(
        _ network: Network, to path: String, change: (borrowing Parameters) -> Void = { _ in }
    ) throws -> Parameters {
        var generator = SeededGenerator(seed: 3)
        let parameters = Parameters(drawing: network, using: &generator)
        change(parameters)
        let channels = network.inputShape.channels
        let normalization = Normalization(
            mean: [Float](repeating: 0.4, count: channels), standardDeviation: [Float](repeating: 0.3, count: channels))
        let labels = ModelLabels(classNames: ["bird", "cat", "dog", "eel"], normalization: normalization)
        try Model.save(network, parameters: parameters, labels: labels, to: path)
        return parameters
    }

    private static func image(channels: Int = 3) -> PixelImage {
        var generator = SeededGenerator(seed: 9)
        let shape = Shape(channels: channels, height: 8, width: 8)
        return PixelImage(
            shape: shape, pixels: (0 ..< shape.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
    }

    @Test(arguments: [false, true]) func probabilitiesAreThoseOfTheNetwork(softmax: Bool) throws {
        let folder = TemporaryFolder()
        let network = try Self.network(softmax: softmax)
        let parameters = try Self.save(network, to: folder.file("model"))
        let image = Self.image()
        let input = image.pixels.map { (Float($0) / 255 - 0.4) / 0.3 }
        var reference = ReferenceNetwork(network, parameters: parameters, images: input)
        reference.isTraining = false
        var expected = reference.evaluate()
        if !softmax {
            let exponentials = expected.map { exp($0) }
            expected = exponentials.map { $0 / exponentials.reduce(0, +) }
        }
        var classifier = try ImageClassifier(contentsOf: folder.file("model"))
        let predictions = try classifier.classify(image, name: "image", count: 10)
        #expect(predictions.count == 4)
        for prediction in predictions {
            #expect(abs(prediction.probability - expected[prediction.index]) < 1e-5)
            #expect(prediction.name == ["bird", "cat", "dog", "eel"][prediction.index])
        }
        #expect(zip(predictions, predictions.dropFirst()).allSatisfy { $0.probability >= $1.probability })
        #expect(try classifier.classify(image, name: "image", count: 2) == Array(predictions.prefix(2)))
    }

    /// A grey image is brought to three channels, a colour image to one, and any size to the network's.
    @Test(arguments: [1, 3]) func takesImagesOfAnyKind(channels: Int) throws {
        let folder = TemporaryFolder()
        _ = try Self.save(try Self.network(softmax: false, channels: channels), to: folder.file("model"))
        var classifier = try ImageClassifier(contentsOf: folder.file("model"), threads: 2)
        let images = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/images")
        for name in ["grey.jpg", "colour.png", "baseline-420.jpg", "grey.png"] {
            let predictions = try classifier.classify(fileAt: images.appending(path: name).path)
            #expect(predictions.count == 4, "\(name)")
        }
    }

    /// Weights that are numbers, and sums of them that are none.
    @Test func outputsWithoutMeaningAreTypedErrors() throws {
        let folder = TemporaryFolder()
        _ = try Self.save(try Self.network(softmax: false), to: folder.file("model")) { parameters in
            for (name, value) in [("conv1.bias", Float(1000)), ("fc1.weight", 3e38)] {
                let entry = parameters.entry(name)
                parameters.set(entry, to: [Float](repeating: value, count: entry.count))
            }
        }
        var classifier = try ImageClassifier(contentsOf: folder.file("model"))
        let error = #expect(throws: ImageError.self) { try classifier.classify(Self.image(), name: "image.png") }
        #expect(error?.description == "image.png: the model's outputs for it are not finite numbers")
    }

    @Test func filesThatAreNoImagesAreTypedErrors() throws {
        let folder = TemporaryFolder()
        _ = try Self.save(try Self.network(softmax: false), to: folder.file("model"))
        var classifier = try ImageClassifier(contentsOf: folder.file("model"))
        #expect(throws: ModelFileError.self) { try classifier.classify(fileAt: folder.file("nowhere")) }
        #expect(throws: ModelFileError.self) { try classifier.classify(fileAt: folder.path) }
        #expect(throws: ModelFileError.self) { try classifier.classify(fileAt: "/dev/zero") }
        #expect(throws: ImageError.self) { try classifier.classify(fileAt: folder.file("model")) }
        #expect(throws: ModelFileError.self) { _ = try ImageClassifier(contentsOf: folder.file("nowhere")) }
    }
}
