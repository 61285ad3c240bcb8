import Foundation
import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining

/// A network and images to train it on, small enough to train many times.
struct Exercise {
    var network: Network
    var settings: TrainingSettings
    var images: LabelledImages
    var validation: LabelledImages?
    var preprocessing: Preprocessing

    init(network: Network, settings: TrainingSettings, images: LabelledImages, validation: LabelledImages? = nil) {
        self.network = network
        self.settings = settings
        self.images = images
        self.validation = validation
        // Images in memory can always be measured.
        preprocessing = try! Preprocessing(measuring: images)
    }

    /// Three epochs of five steps, the last with five images, of a network with every kind of randomness.
    init() throws {
        var settings = TrainingSettings(epochs: 3, batchSize: 8, learningRate: 0.1, labelSmoothing: 0.1, seed: 7)
        settings.augmentation = Augmentation(maximumShift: 1, horizontalFlip: true)
        self.init(
            network: try quadrantNetwork(), settings: settings, images: quadrants(count: 37, seed: 1),
            validation: quadrants(count: 11, seed: 2))
    }

    func trainer(threads: Int = 1, workers: Int = 1) throws(TrainingError) -> Trainer {
        try Trainer(
            network, settings: settings, images: images, preprocessing: preprocessing,
            pool: ThreadPool(threads: threads), loaderWorkers: workers)
    }

    /// Runs to the end, or until `steps` steps are done.
    func run(
        _ trainer: inout Trainer, checkpoints: CheckpointFolder?, stopAfter steps: Int = .max,
        checkpointSeconds: Double = 1e9, observe: (TrainingEvent) -> Void = { _ in }
    ) throws(TrainingError) -> TrainingOutcome {
        var done = 0
        return try trainer.run(
            validation: validation, checkpoints: checkpoints,
            checkpointSeconds: checkpointSeconds, observe: observe,
            shouldStop: {
                done += 1
                return done >= steps
            })
    }
}

/// Grey images of 8 x 8 whose class is the quadrant that is brighter than the noise.
func quadrants(count: Int, seed: UInt64, channels: Int = 1) -> LabelledImages {
    var generator = SeededGenerator(seed: seed)
    let shape = Shape(channels: channels, height: 8, width: 8)
    let labels = (0 ..< count).map { _ in Int32(generator.index(below: 4)) }
    var pixels: [UInt8] = []
    for label in labels {
        for pixel in 0 ..< shape.count {
            let quadrant = pixel / 8 % 8 / 4 * 2 + pixel % 8 / 4
            pixels.append(UInt8(generator.index(below: 160) + (quadrant == Int(label) ? 80 : 0)))
        }
    }
    let names = ["top left", "top right", "bottom left", "bottom right"]
    return LabelledImages(name: "quadrants", shape: shape, pixels: pixels, labels: labels, classNames: names)
}

/// - Parameter seed: of the connections of its second convolution.
func quadrantNetwork(seed: UInt64 = 3, dropout: Double = 0.2, hasHead: Bool = false) throws -> Network {
    var net = NetworkBuilder(name: "quadrants", input: Shape(channels: 1, height: 8, width: 8))
    var x = net.convolution(net.input, filters: 6, kernel: 3)
    x = net.maxPooling(net.relu(net.batchNormalization(x)), kernel: 2)
    if hasHead {
        net.auxiliaryHead(weight: 0.3) { head in
            head.fullyConnected(head.relu(head.convolution(x, filters: 3, kernel: 3)), units: 4)
        }
    }
    x = net.relu(net.convolution(x, filters: 8, kernel: 3))
    x = net.dropout(x, rate: dropout)
    _ = net.fullyConnected(x, units: 4)
    return try net.build().sparsified(with: Pattern.random(density: 0.5), seed: seed).network
}


extension TemporaryFolder {
    var checkpoints: CheckpointFolder { CheckpointFolder(path: path) }
}

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// The bits of every tensor of a file, by name.
func tensorBits(ofFile path: String) throws -> [String: [UInt32]] {
    let file = try SafetensorsFile(contentsOf: path)
    return Dictionary(uniqueKeysWithValues: try file.names.map { name in
        guard try file.tensor(name).type == .float32 else {
            return (name, try file.values(name, as: Int32.self).values.map { UInt32(bitPattern: $0) })
        }
        return (name, try file.floats(name).values.bits)
    })
}

extension TrainingState {
    /// All but what a clock says.
    var withoutTimes: TrainingState {
        var state = self
        state.epochSeconds = 0
        for index in state.history.indices { state.history[index].seconds = 0 }
        return state
    }
}

/// A dense network with two convolutions of 16 and 24 channels to grow in, and one that reads a grey image.
func wideNetwork() throws -> Network {
    var net = NetworkBuilder(name: "wide", input: Shape(channels: 1, height: 8, width: 8))
    var x = net.relu(net.batchNormalization(net.convolution(net.input, filters: 16, kernel: 3)))
    x = net.maxPooling(net.relu(net.convolution(x, filters: 24, kernel: 3)), kernel: 2)
    x = net.dropout(net.relu(net.batchNormalization(net.convolution(x, filters: 16, kernel: 1))), rate: 0.2)
    _ = net.fullyConnected(x, units: 4)
    return try net.build()
}
