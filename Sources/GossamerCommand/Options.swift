import ArgumentParser
import Gossamer
import GossamerExperiments

/// Which network, and how it is made smaller.
struct NetworkOptions: ParsableArguments {
    @Option(help: "A built-in network, or the path of a network's JSON file.")
    var network = Self.standardNetwork

    static let standardNetwork = "mnist"

    @Option(help: "Which connections exist: dense, random:0.1, random:0.1,block=4, expander:0.1 or grouped:8.")
    var pattern = "dense"

    @Option(help: "Every convolution keeps ceil(M * filters) of its filters.")
    var depthMultiplier = 1.0

    @Option(help: "Everything random follows from this number.")
    var seed: UInt64 = 1
}

extension NetworkOptions {
    /// - Throws: where an option is given that would mean nothing beside another.
    func requireUnused(beside other: String, imageSize: Int?) throws {
        let given = [
            ("--network", network != Self.standardNetwork), ("--pattern", pattern != "dense"),
            ("--depth-multiplier", depthMultiplier != 1), ("--seed", seed != 1), ("--image-size", imageSize != nil),
        ].filter(\.1).map(\.0)
        guard given.isEmpty else {
            throw ValidationError("\(given.joined(separator: ", ")): expected no such option beside \(other)")
        }
    }

    /// The network for images of its own size, or of the size given, and the classes that it was made for.
    func make(pattern: String, imageSize: Int?) throws -> SparsifiedNetwork {
        let known = Architecture.all.first { $0.name == network }
        let standard = known?.standardInput ?? Shape(channels: 1, height: 28, width: 28)
        let side = imageSize ?? standard.height
        guard (1 ... 1 << 16).contains(side) else {
            throw ValidationError("--image-size \(side): expected 1 to 65536")
        }
        let base = try Network.named(
            network, classes: known?.standardClasses ?? 10,
            input: Shape(channels: standard.channels, height: side, width: side))
        if let imageSize, base.inputShape.height != imageSize || base.inputShape.width != imageSize {
            throw ValidationError(
                "--image-size \(imageSize): network '\(base.name)' takes images of \(base.inputShape)")
        }
        return try RunConfiguration.makeNetwork(
            from: base, depthMultiplier: depthMultiplier, pattern: pattern, seed: seed)
    }
}

/// Which images.
struct DataOptions: ParsableArguments {
    @Option(help: """
        fashion-mnist; mnist:DIR for IDX files named as those of MNIST; cifar10:DIR for its binary files; \
        folder:DIR or tar:FILE,... for CLASS/NAME.jpg or .png, below train and val or test where the set is split.
        """)
    var data = "fashion-mnist"

    @Option(help: """
        Memory for decoded images, in MiB; what does not fit is decoded anew in every epoch. \
        (default: \(Dataset.defaultCacheByteLimit >> 20))
        """)
    var imageCache: Int?

    var cacheByteLimit: Int? { imageCache.map { $0 << 20 } }

    func open() throws -> Dataset {
        try Dataset.open(.parse(data), cacheByteLimit: cacheByteLimit ?? Dataset.defaultCacheByteLimit)
    }

    func validate() throws {
        if let imageCache, !(0 ... 1 << 30).contains(imageCache) {
            throw ValidationError("--image-cache \(imageCache): expected 0 to \(1 << 30)")
        }
    }
}

/// What becomes of an image before it enters the network.
struct InputOptions: ParsableArguments {
    @Option(help: """
        Height and width of the network's input. (default: the images' own, or the network's where images differ)
        """)
    var imageSize: Int?

    @Option(help: """
        What happens to an image before its centre is cut out: \(Preprocessing.Resizing.forms). (default: cover)
        """)
    var resizing: String?

    @Option(help: "How images are resized: \(Preprocessing.Interpolation.forms). (default: bilinear)")
    var interpolation: String?

    func validate() throws {
        if let imageSize, !(1 ... 1 << 16).contains(imageSize) {
            throw ValidationError("--image-size \(imageSize): expected 1 to 65536")
        }
        if let resizing, Preprocessing.Resizing(parsing: resizing) == nil {
            throw ValidationError("--resizing \(resizing): expected \(Preprocessing.Resizing.forms)")
        }
        if let interpolation, Preprocessing.Interpolation(rawValue: interpolation) == nil {
            throw ValidationError("--interpolation \(interpolation): expected \(Preprocessing.Interpolation.forms)")
        }
    }
}

/// How long and how to train.
struct TrainingOptions: ParsableArguments {
    @Option(help: "Passes over the training images. (default: \(TrainingSettings().epochs))")
    var epochs: Int?

    @Option(help: "Images in a training step.")
    var batchSize = TrainingSettings().batchSize

    @Option(help: "Learning rate of the first step after the warm-up.")
    var learningRate = TrainingSettings().learningRate

    @Option(help: "constant, cosine or step:every=E,factor=F, each optionally with ,warmup=EPOCHS.")
    var schedule = TrainingSettings().schedule.description

    @Option(help: """
        sgd, adam, adamw or rmsprop, optionally with its numbers, as in adam:beta1=0.9,beta2=0.999,epsilon=1e-8 or \
        rmsprop:decay=0.9,epsilon=1,momentum=0.9 (the settings of Inception).
        """)
    var optimizer = "sgd"

    @Option(help: "Nesterov momentum of sgd. (default: 0.9)")
    var momentum: Double?

    @Option(help: "Batches whose gradients make one step; batch normalisation sees each by itself.")
    var accumulate = 1

    @Option(help: "The largest norm of all gradients together; larger ones are scaled down to it.")
    var clipNorm: Double?

    @Option(help: "Decay of a moving average of the parameters, such as 0.9999; it is what is evaluated and saved.")
    var ema: Double?

    @Flag(help: "Keep few activations and compute the others again: less memory, more time, the same bits.")
    var recompute = false

    @Option(help: "Pull of the kernels towards zero; biases and batch normalisation are left alone.")
    var weightDecay = TrainingSettings().weightDecay

    @Option(help: "Share of every target that is spread over all classes.")
    var labelSmoothing = 0.0

    @Option(help: """
        Random changes to the training images: none, or a list of crop or resized-crop=0.08:1, flip, shift=PIXELS, \
        brightness=0.25, contrast=0.2:1.8 and saturation=0.5:1.5.
        """)
    var augmentation = "none"

    @Option(help: "Fraction of the training images held back; the epoch that is best on them becomes the model.")
    var validationSplit = 0.0
}

extension TrainingOptions {
    /// The optimizer as a configuration writes it: nil for sgd, with its momentum beside it.
    func parsedOptimizer() throws -> (text: String?, momentum: Double) {
        let optimizer = try Optimizer(parsing: optimizer)
        if case .sgd(let written) = optimizer { return (nil, momentum ?? written) }
        guard momentum == nil else {
            throw ValidationError("--momentum: expected only with the optimizer sgd; rmsprop takes rmsprop:momentum=M")
        }
        return (optimizer.description, 0.9)
    }
}

/// How many threads.
struct ThreadOptions: ParsableArguments {
    @Option(help: "Threads; they change the time, never the result. (default: all cores)")
    var threads: Int?

    var count: Int { threads ?? ThreadPool.availableCores }

    func validate() throws {
        guard (1 ... 1024).contains(count) else {
            throw ValidationError("--threads \(count): expected 1 to 1024")
        }
    }
}

/// A folder as given; the empty word, as from a variable that is not set, would mean the root of the file system.
func folderPath(_ text: String) throws -> String {
    guard !text.isEmpty else { throw ValidationError("expected the path of a folder") }
    return text
}

/// What to print.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one line of JSON for machines at the end; everything else goes to standard error.")
    var json = false
}

extension RunConfiguration {
    init(
        network: String, pattern: String, depthMultiplier: Double, seed: UInt64, _ data: DataOptions,
        _ training: TrainingOptions, input: InputOptions? = nil, threads: Int
    ) throws {
        let (optimizerText, momentum) = try training.parsedOptimizer()
        self.init(
            network: network, data: data.data, pattern: pattern, depthMultiplier: depthMultiplier,
            epochs: training.epochs ?? TrainingSettings().epochs, batchSize: training.batchSize,
            learningRate: training.learningRate,
            schedule: training.schedule, momentum: momentum, weightDecay: training.weightDecay,
            labelSmoothing: training.labelSmoothing, augmentation: training.augmentation,
            validationFraction: training.validationSplit, imageSize: input?.imageSize,
            resizing: input?.resizing, interpolation: input?.interpolation, cacheByteLimit: data.cacheByteLimit,
            seed: seed, threads: threads)
        optimizer = optimizerText
        if training.accumulate != 1 { accumulatedBatches = training.accumulate }
        gradientNormLimit = training.clipNorm
        averageDecay = training.ema
        if training.recompute { recomputes = true }
    }
}
