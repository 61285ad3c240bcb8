import Gossamer

@main
struct Consumer {
    static func main() throws {
        let images = fashionImages() ?? drawnShapes(count: 1024, seed: 1)
        let network = try smallNetwork().sparsified(with: Pattern.random(density: 0.25), seed: 1).network
        var trainer = try Trainer(
            network, settings: TrainingSettings(epochs: 2, batchSize: 64, learningRate: 0.05), images: images,
            preprocessing: Preprocessing(measuring: images), pool: ThreadPool(threads: 2))

        let before = try trainer.evaluate(images)
        try trainer.run()
        let after = try trainer.evaluate(images)

        let steps = trainer.settings.epochs * trainer.stepsPerEpoch
        print("\(images.name): loss \(before.loss) before, \(after.loss) after \(steps) steps")
        guard after.loss < before.loss else { throw LossDidNotFall() }
    }

    static func smallNetwork() throws -> Network {
        var net = NetworkBuilder(name: "small", input: Shape(channels: 1, height: 28, width: 28))
        var x = net.relu(net.convolution(net.input, filters: 16, kernel: 5))
        x = net.maxPooling(x, kernel: 2)
        x = net.relu(net.convolution(x, filters: 32, kernel: 3))
        x = net.globalAveragePooling(x)
        _ = net.fullyConnected(x, units: 10)
        return try net.build()
    }

    /// The first images of Fashion-MNIST; nil, with a line that says so, where it is not installed.
    static func fashionImages() -> LabelledImages? {
        do {
            return try Dataset.open(.fashionMNIST).train.subset(Array(0 ..< 1024))
        } catch {
            print("\(error); using drawn shapes")
            return nil
        }
    }

    /// A bright bar on noise, the wider the higher its class.
    static func drawnShapes(count: Int, seed: UInt64) -> LabelledImages {
        let shape = Shape(channels: 1, height: 28, width: 28)
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("drawn shapes"))
        var pixels = (0 ..< count * shape.count).map { _ in UInt8.random(in: 0 ... 60, using: &generator) }
        var labels: [Int32] = []
        for image in 0 ..< count {
            let label = Int.random(in: 0 ..< 10, using: &generator)
            for row in 12 ..< 16 {
                let start = image * shape.count + row * shape.width
                for column in 4 ..< 6 + 2 * label { pixels[start + column] = 220 }
            }
            labels.append(Int32(label))
        }
        return LabelledImages(
            name: "drawn shapes", shape: shape, pixels: pixels, labels: labels, classNames: (0 ..< 10).map(String.init))
    }
}

struct LossDidNotFall: Error, CustomStringConvertible {
    let description = "the loss did not fall"
}
