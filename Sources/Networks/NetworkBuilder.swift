import GossamerConnectivity
import GossamerTensors

/// Builds a network in code:
///
///     var net = NetworkBuilder(name: "small", input: Shape(channels: 3, height: 32, width: 32))
///     var x = net.convolution(net.input, filters: 64, kernel: 3)
///     x = net.relu(x)
///     x = net.fullyConnected(x, units: 10)
///     let network = try net.build()
///
/// Mistakes in shapes are reported by ``build()``.
public struct NetworkBuilder {
    /// The output of a node, to be read by others.
    public struct Value: Hashable, Sendable {
        public let name: String
    }

    private let networkName: String
    private var nodes: [Node]
    private var counts: [String: Int] = [:]
    private var auxiliaryOutputs: [AuxiliaryOutput] = []
    /// What names start with, inside an auxiliary head.
    private var scope = ""

    public let input = Value(name: "image")

    public init(name: String, input: Shape) {
        networkName = name
        nodes = [Node(name: "image", layer: .input(input), inputs: [])]
    }

    /// - Throws: ``NetworkError`` naming the node whose shape does not fit.
    public func build() throws(NetworkError) -> Network {
        try Network(name: networkName, nodes: nodes, auxiliaryOutputs: auxiliaryOutputs)
    }

    /// Adds an auxiliary head: in training its loss is added with a weight, in inference it is gone. The names of all
    /// other nodes are what they would be without it.
    ///
    /// - Parameter build: adds the head's layers and returns its output.
    public mutating func auxiliaryHead(weight: Double, _ build: (inout NetworkBuilder) -> Value) {
        let outer = scope
        scope = "auxiliary\(auxiliaryOutputs.count + 1)."
        let output = build(&self)
        scope = outer
        auxiliaryOutputs.append(AuxiliaryOutput(node: output.name, weight: weight))
    }

    /// Adds any layer. Without a name it gets its abbreviated kind and a number, such as `conv2`.
    public mutating func add(_ layer: Layer, _ inputs: [Value], name: String? = nil) -> Value {
        let prefix = scope + layer.prefix
        let number = counts[prefix, default: 0] + 1
        counts[prefix] = number
        let value = Value(name: name ?? "\(prefix)\(number)")
        nodes.append(Node(name: value.name, layer: layer, inputs: inputs.map(\.name)))
        return value
    }

    /// A convolution with a square kernel; `stride` and `dilation` apply to rows and columns.
    ///
    /// - Parameter pattern: overrides the pattern that the network is sparsified with.
    public mutating func convolution(
        _ x: Value, filters: Int, kernel: Int, stride: Int = 1, padding: Padding = .same, dilation: Int = 1,
        bias: Bool = true, pattern: Pattern? = nil, name: String? = nil
    ) -> Value {
        convolution(
            x, filters: filters, kernel: Size(kernel), stride: Size(stride), padding: padding,
            dilation: Size(dilation), bias: bias, pattern: pattern, name: name)
    }

    /// A convolution with any kernel, such as `Size(height: 1, width: 7)`.
    public mutating func convolution(
        _ x: Value, filters: Int, kernel: Size, stride: Size = Size(1), padding: Padding = .same,
        dilation: Size = Size(1), bias: Bool = true, pattern: Pattern? = nil, name: String? = nil
    ) -> Value {
        let layer = Convolution(
            filters: filters, kernel: kernel, stride: stride, padding: padding, dilation: dilation, bias: bias,
            pattern: pattern)
        return add(.convolution(layer), [x], name: name)
    }

    /// Batch normalisation of each channel over the batch, with scale and shift.
    public mutating func batchNormalization(
        _ x: Value, epsilon: Double = 1e-5, momentum: Double = 0.1, name: String? = nil
    ) -> Value {
        add(.batchNormalization(BatchNormalization(epsilon: epsilon, momentum: momentum)), [x], name: name)
    }

    /// max(x, 0).
    public mutating func relu(_ x: Value, name: String? = nil) -> Value { activation(x, .relu, name: name) }

    /// A function of every value on its own.
    public mutating func activation(_ x: Value, _ activation: Activation, name: String? = nil) -> Value {
        add(.activation(activation), [x], name: name)
    }

    /// Divides every value by what the channels around it have at the same pixel; `size` channels, an odd number.
    public mutating func localResponseNormalization(
        _ x: Value, size: Int, alpha: Double = 1e-4, beta: Double = 0.75, bias: Double = 1, name: String? = nil
    ) -> Value {
        let layer = LocalResponseNormalization(size: size, alpha: alpha, beta: beta, bias: bias)
        return add(.localResponseNormalization(layer), [x], name: name)
    }

    /// The maximum of each window; the stride is the kernel's side unless told. Windows of at most 15 x 15.
    public mutating func maxPooling(
        _ x: Value, kernel: Int, stride: Int? = nil, padding: Padding = .valid, name: String? = nil
    ) -> Value {
        let layer = Pooling(kernel: Size(kernel), stride: stride.map { Size($0) }, padding: padding)
        return add(.maxPooling(layer), [x], name: name)
    }

    /// The mean of each window; `countsPadding` says whether zeros of the padding count in the divisor.
    public mutating func averagePooling(
        _ x: Value, kernel: Int, stride: Int? = nil, padding: Padding = .valid, countsPadding: Bool = true,
        name: String? = nil
    ) -> Value {
        let layer = Pooling(kernel: Size(kernel), stride: stride.map { Size($0) }, padding: padding)
        return add(.averagePooling(layer, countsPadding: countsPadding), [x], name: name)
    }

    /// The mean of each channel, as an image of one pixel.
    public mutating func globalAveragePooling(_ x: Value, name: String? = nil) -> Value {
        add(.globalAveragePooling, [x], name: name)
    }

    /// Zeroes values with probability `rate`, in [0, 1), in training only.
    public mutating func dropout(_ x: Value, rate: Double, name: String? = nil) -> Value {
        add(.dropout(rate: rate), [x], name: name)
    }

    /// Every unit reads all values of the image; keeps all its connections under every pattern.
    public mutating func fullyConnected(_ x: Value, units: Int, bias: Bool = true, name: String? = nil) -> Value {
        add(.fullyConnected(FullyConnected(units: units, bias: bias)), [x], name: name)
    }

    /// The channels of all values, one after another; they must agree in height and width.
    public mutating func concatenation(_ values: [Value], name: String? = nil) -> Value {
        add(.concatenation, values, name: name)
    }

    /// The sum of two values of one shape.
    public mutating func addition(_ a: Value, _ b: Value, name: String? = nil) -> Value {
        add(.addition, [a, b], name: name)
    }

    /// The product of two values of one shape; `b` may also be one pixel, which multiplies the whole image of its
    /// channel.
    public mutating func multiplication(_ a: Value, _ b: Value, name: String? = nil) -> Value {
        add(.multiplication, [a, b], name: name)
    }

    /// Rows and columns of zeros around the image.
    public mutating func padding(
        _ x: Value, top: Int, left: Int, bottom: Int, right: Int, name: String? = nil
    ) -> Value {
        add(.padding(top: top, left: left, bottom: bottom, right: right), [x], name: name)
    }

    /// exp(x) divided by the sum of it over the channels, for every pixel.
    public mutating func softmax(_ x: Value, name: String? = nil) -> Value { add(.softmax, [x], name: name) }
}

extension Layer {
    fileprivate var prefix: String {
        switch self {
        case .input: "image"
        case .convolution: "conv"
        case .batchNormalization: "norm"
        case .activation(.relu): "relu"
        case .activation: "act"
        case .localResponseNormalization: "lrn"
        case .maxPooling, .averagePooling, .globalAveragePooling: "pool"
        case .dropout: "dropout"
        case .fullyConnected: "fc"
        case .concatenation: "concat"
        case .addition: "add"
        case .multiplication: "mul"
        case .padding: "pad"
        case .softmax: "softmax"
        case .channelSelection: "select"
        }
    }
}
