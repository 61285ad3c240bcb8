import GossamerDatasets
import GossamerNetworks
import GossamerTensors
import GossamerTraining

/// Everything that decides what a run trains; together with the program's version it repeats the run.
public struct RunConfiguration: Codable, Hashable, Sendable {
    /// The name of a network, or the path of its JSON file.
    public var network: String
    /// The data set as written on the command line, such as `fashion-mnist` or `mnist:DIR`.
    public var data: String
    /// The pattern of connections, such as `dense`, `random:0.1` or `random:0.1,block=4`.
    public var pattern: String
    /// At most ``Network/largestDepthMultiplier``: every convolution has ceil(depthMultiplier * filters) filters.
    public var depthMultiplier: Double
    public var epochs: Int
    /// Images in a training step.
    public var batchSize: Int
    /// Of the first step after the warm-up.
    public var learningRate: Double
    /// The schedule of the learning rate, such as `cosine`.
    public var schedule: String
    /// Of the optimizer `sgd`.
    public var momentum: Double
    /// Another optimizer, such as `adam` or `rmsprop:epsilon=1`; nil for `sgd`.
    public var optimizer: String?
    public var weightDecay: Double
    /// In [0, 1).
    public var labelSmoothing: Double
    /// Random changes to the training images, such as `flip,shift=2`; `none` for none.
    public var augmentation: String
    /// Batches whose gradients make one step; nil for one.
    public var accumulatedBatches: Int?
    /// The largest norm of all gradients together; nil for no limit.
    public var gradientNormLimit: Double?
    /// Of the average of the parameters that becomes the model; nil for none.
    public var averageDecay: Double?
    /// The model file that training begins with, which then decides network, pattern and depth multiplier; nil begins
    /// with random weights.
    public var initialModel: String?
    /// What the names of layers begin with that stay as they are; nil where all are trained.
    public var frozenPrefixes: [String]?
    /// How connections are removed; nil where all stay.
    public var pruning: Pruning?
    /// How connections grow, such as `from=0.01,double-every=10000`; nil where training begins with all of them.
    public var growth: String?
    /// How connections are explored, such as `by=gradient`; nil where they stay.
    public var exploration: String?
    /// How connections are distributed among layers; nil for uniformly.
    public var distribution: ConnectionDistribution?
    /// Whether activations are computed again instead of kept; changes the time and memory of a run, never its result.
    public var recomputes: Bool?
    /// The fraction of the training images kept apart for validation, in [0, 1).
    public var validationFraction: Double
    /// Height and width of the network's input; nil for the images' own, or those that the network is made for where
    /// images differ in size.
    public var imageSize: Int?
    /// How images are resized, such as `shorter-side=146`; nil for `cover`.
    public var resizing: String?
    /// `bilinear` or `bicubic`; nil for the first.
    public var interpolation: String?
    /// Bytes of decoded images that may be kept in memory; nil for ``Dataset/defaultCacheByteLimit``.
    public var cacheByteLimit: Int?
    public var seed: UInt64
    /// Changes the time a run takes, never its result.
    public var threads: Int
    /// What the network and the data held when they were read; nil before.
    public var inputs: InputDigests?

    public init(
        network: String, data: String, pattern: String = "dense", depthMultiplier: Double = 1,
        epochs: Int, batchSize: Int, learningRate: Double, schedule: String,
        momentum: Double = 0.9, weightDecay: Double = 0, labelSmoothing: Double = 0, augmentation: String = "none",
        validationFraction: Double = 0, imageSize: Int? = nil, resizing: String? = nil, interpolation: String? = nil,
        cacheByteLimit: Int? = nil, seed: UInt64 = 1, threads: Int, inputs: InputDigests? = nil
    ) {
        self.network = network
        self.data = data
        self.pattern = pattern
        self.depthMultiplier = depthMultiplier
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.schedule = schedule
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.labelSmoothing = labelSmoothing
        self.augmentation = augmentation
        self.validationFraction = validationFraction
        self.imageSize = imageSize
        self.resizing = resizing
        self.interpolation = interpolation
        self.cacheByteLimit = cacheByteLimit
        self.seed = seed
        self.threads = threads
        self.inputs = inputs
    }
}

extension RunConfiguration {
    /// The way in which a run makes its network smaller.
    public enum Method: String, Codable, Hashable, Sendable, CaseIterable {
        case dense
        /// Connections are left out, for good or at first; widths are kept.
        case sparse
        /// Widths are scaled by a depth multiplier.
        case multiplier
        /// Both.
        case hybrid

        /// A network that grows has connections left out at first.
        init(pattern: String, growth: String?, depthMultiplier: Double) {
            self = switch (pattern == "dense" && growth == nil, depthMultiplier == 1) {
            case (true, true): .dense
            case (true, false): .multiplier
            case (false, true): .sparse
            case (false, false): .hybrid
            }
        }
    }

    public var method: Method { Method(pattern: pattern, growth: growth, depthMultiplier: depthMultiplier) }

    /// How the network is made smaller, in words: `random:0.034 at depth multiplier 0.5`.
    public var sizeName: String {
        Self.sizeName(
            pattern: pattern, depthMultiplier: depthMultiplier, distribution: distribution, growth: growth,
            exploration: exploration)
    }

    static func sizeName(
        pattern: String, depthMultiplier: Double, distribution: ConnectionDistribution?, growth: String?,
        exploration: String?
    ) -> String {
        let multiplier = "depth multiplier \(Format.significant(depthMultiplier, 4))"
        let connections = [
            pattern, distribution?.rawValue, growth.map { "grown \($0)" }, exploration.map { "explored \($0)" },
        ].compactMap { $0 }
        if depthMultiplier == 1 { return connections.joined(separator: ", ") }
        return connections == ["dense"] ? multiplier : "\(connections.joined(separator: ", ")) at \(multiplier)"
    }

    /// The fraction of connections that the pattern keeps, where its text states one.
    public var density: Double? { PatternText(pattern).density }

    /// The configuration without what may differ between runs of one point: the seed, the threads and recomputation,
    /// which change no result, and the digests, which runs of one folder share.
    public var point: RunConfiguration {
        var point = self
        point.seed = 0
        point.threads = 0
        point.recomputes = nil
        point.inputs = nil
        return point
    }

    package static let largestImageSize = 1 << 16

    /// The first field out of its range, if any.
    package var problem: FieldProblem? {
        let checks: [(field: String, isValid: Bool, expected: String)] = [
            ("network", !network.isEmpty, "a name or a path"),
            ("data", !data.isEmpty, "a data set"),
            ("pattern", !pattern.isEmpty, "a pattern such as dense or random:0.1"),
            ("depthMultiplier", depthMultiplier > 0 && depthMultiplier <= Network.largestDepthMultiplier,
             "a number above 0 and at most \(plain(Network.largestDepthMultiplier))"),
            ("optimizer", optimizer.map { (try? Optimizer(parsing: $0)) != nil } ?? true, "an optimizer such as adam"),
            ("growth", growth.map { (try? Growth(parsing: $0)) != nil } ?? true,
             "a growth such as from=0.01,double-every=1000"),
            ("exploration", exploration.map { (try? Exploration(parsing: $0)) != nil } ?? true,
             "an exploration such as by=gradient"),
            ("imageSize", imageSize.map { (1 ... Self.largestImageSize).contains($0) } ?? true,
             "1 to \(Self.largestImageSize)"),
            ("resizing", resizing.map { Preprocessing.Resizing(parsing: $0) != nil } ?? true,
             Preprocessing.Resizing.forms),
            ("interpolation", interpolation.map { Preprocessing.Interpolation(rawValue: $0) != nil } ?? true,
             Preprocessing.Interpolation.forms),
            ("cacheByteLimit", (cacheByteLimit ?? 0) >= 0, "0 or more"),
            ("validationFraction", validationFraction >= 0 && validationFraction < 1, "a number in [0, 1)"),
            ("threads", threads >= 1, "1 or more"),
        ]
        return checks.first { !$0.isValid }.map { FieldProblem(field: $0.field, expected: $0.expected) }
            ?? trainingProblem
    }

    private var trainingProblem: FieldProblem? {
        do throws(TrainingError) {
            try trainingNumbers.validate()
        } catch {
            guard case .invalidOption(let name, _, let expected) = error else { return nil }
            // Options are named in words, fields of files as in the code: `batch size`, `batchSize`.
            let words = name.split(separator: " ").map(String.init)
            return FieldProblem(
                field: words[0] + words.dropFirst().map(\.capitalizedFirst).joined(), expected: expected)
        }
        return nil
    }

    /// The settings of the training that are numbers.
    var trainingNumbers: TrainingSettings {
        TrainingSettings(
            epochs: epochs, batchSize: batchSize, learningRate: learningRate,
            optimizer: .sgd(momentum: momentum),
            weightDecay: weightDecay, labelSmoothing: labelSmoothing, accumulatedBatches: accumulatedBatches ?? 1,
            gradientNormLimit: gradientNormLimit, averageDecay: averageDecay, frozenPrefixes: frozenPrefixes ?? [],
            pruning: pruning, seed: seed)
    }
}

/// A field out of its range, before it is known which file or option it came from.
package struct FieldProblem: Hashable, Sendable {
    package let field: String
    package let expected: String
}

/// A pattern's text taken apart: `random:0.1,block=4` is the name `random`, the value `0.1` and the options `block=4`.
struct PatternText: Hashable {
    let name: String
    let value: String?
    let options: String?

    init(_ text: String) {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        let head = (parts.first ?? "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(head.first ?? "")
        value = head.count > 1 ? String(head[1]) : nil
        options = parts.count > 1 ? String(parts[1]) : nil
    }

    var density: Double? {
        name == "dense" ? 1 : value.flatMap(Double.init).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
    }

    /// The same pattern at another density.
    func at(density: Double) -> String {
        "\(name):\(plain(density))" + (options.map { ",\($0)" } ?? "")
    }
}

/// The shortest text that reads back as the same number, without a trailing `.0`.
func plain(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
