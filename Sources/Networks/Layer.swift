import GossamerConnectivity
import GossamerTensors

/// One layer of a network: a plain value that names an operation and its hyperparameters.
public enum Layer: Hashable, Sendable {
    case input(Shape)
    case convolution(Convolution)
    case batchNormalization(BatchNormalization)
    case activation(Activation)
    case localResponseNormalization(LocalResponseNormalization)
    case maxPooling(Pooling)
    /// `countsPadding`: whether zeros of the padding count in the divisor.
    case averagePooling(Pooling, countsPadding: Bool)
    case globalAveragePooling
    case dropout(rate: Double)
    case fullyConnected(FullyConnected)
    case concatenation
    case addition
    /// The product of two values of one shape; the second may also be one pixel, which multiplies the whole image of
    /// its channel.
    case multiplication
    /// An image with rows and columns of zeros around it.
    case padding(top: Int, left: Int, bottom: Int, right: Int)
    /// exp(x) divided by the sum of it over the channels, for every pixel.
    case softmax
    /// Keeps some channels of its input; inserted where a pattern left channels that only some readers need.
    case channelSelection([Int])
}

/// Height and width in pixels.
public struct Size: Hashable, Sendable {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    public init(_ side: Int) { self.init(height: side, width: side) }
}

/// How an image is extended with zeros before a kernel slides over it.
public enum Padding: Hashable, Sendable {
    /// Output size is the input size divided by the stride, rounded up; the extra row or column comes at the end.
    case same
    case valid
    case explicit(top: Int, left: Int, bottom: Int, right: Int)
}

/// A convolution. Weights are [connection][kernel height][kernel width]; which connections exist is kept in
/// ``Network/connections``, a layer without an entry there is dense.
public struct Convolution: Hashable, Sendable {
    public var filters: Int
    public var kernel: Size
    public var stride: Size
    public var padding: Padding
    /// The distance of the kernel's taps in the image, in pixels; 1 for neighbours.
    public var dilation: Size
    public var bias: Bool
    /// Overrides the pattern that the whole network is sparsified with, for instance `dense` for a first layer. A fixed
    /// one is part of the layer: `depthwise` and `grouped` connections are there from the beginning.
    public var pattern: Pattern?

    public init(
        filters: Int, kernel: Size, stride: Size = Size(1), padding: Padding = .same, dilation: Size = Size(1),
        bias: Bool = true, pattern: Pattern? = nil
    ) {
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.bias = bias
        self.pattern = pattern
    }

    func fixedTable(channels: Int) -> ConnectionTable? {
        pattern?.fixedTable(channels: channels, filters: filters)
    }
}

/// Batch normalisation (Ioffe and Szegedy 2015) with scale and shift per channel.
public struct BatchNormalization: Hashable, Sendable {
    public var epsilon: Double
    /// The weight of the newest batch in the running statistics.
    public var momentum: Double

    public init(epsilon: Double = 1e-5, momentum: Double = 0.1) {
        self.epsilon = epsilon
        self.momentum = momentum
    }
}

/// Divides every value by what the channels around it have at the same pixel (Krizhevsky et al. 2012):
/// x / (bias + alpha / size * sum of squares)^beta, the sum over `size` channels with its own in the middle; channels
/// beyond the first and the last are zero. As in ONNX and PyTorch; TensorFlow's alpha is this one divided by size.
public struct LocalResponseNormalization: Hashable, Sendable {
    /// Odd.
    public var size: Int
    public var alpha: Double
    public var beta: Double
    public var bias: Double

    public init(size: Int, alpha: Double = 1e-4, beta: Double = 0.75, bias: Double = 1) {
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias
    }
}

/// A maximum or average over windows of each channel.
public struct Pooling: Hashable, Sendable {
    public var kernel: Size
    public var stride: Size
    public var padding: Padding

    public init(kernel: Size, stride: Size? = nil, padding: Padding = .valid) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }
}

/// A fully connected layer over all values of the image; it keeps all its connections under every pattern.
public struct FullyConnected: Hashable, Sendable {
    public var units: Int
    public var bias: Bool

    public init(units: Int, bias: Bool = true) {
        self.units = units
        self.bias = bias
    }
}

extension Layer {
    /// The layer's name in JSON and in listings.
    public var kind: String {
        switch self {
        case .input: "input"
        case .convolution: "convolution"
        case .batchNormalization: "batch-normalization"
        case .activation(let activation): activation.kind
        case .localResponseNormalization: "local-response-normalization"
        case .maxPooling: "max-pooling"
        case .averagePooling: "average-pooling"
        case .globalAveragePooling: "global-average-pooling"
        case .dropout: "dropout"
        case .fullyConnected: "fully-connected"
        case .concatenation: "concatenation"
        case .addition: "addition"
        case .multiplication: "multiplication"
        case .padding: "padding"
        case .softmax: "softmax"
        case .channelSelection: "channel-selection"
        }
    }
}
