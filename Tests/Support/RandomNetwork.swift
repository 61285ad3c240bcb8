import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// Draws small networks in which values have several readers: convolutions of all kinds, poolings, batch
/// normalisation, dropout, activations, local response normalisation, softmax, padding, concatenation, addition,
/// multiplication and channel selection.
package struct RandomNetwork {
    package struct Options: Sendable {
        package var normalization = true
        package var dropout = true
        /// Whether layers without a derivative everywhere take part.
        package var kinks = true
        /// How many auxiliary heads the network has.
        package var heads = 0
        package var largestSide = 7
        package var largestFilters = 6

        package init() {}
    }

    private var generator: SeededGenerator
    private let options: Options
    private var builder: NetworkBuilder
    private var values: [(value: NetworkBuilder.Value, shape: Shape)]
    private var unread: Set<NetworkBuilder.Value> = []
    private var connections: [String: ConnectionTable] = [:]

    package static func draw(using generator: inout SeededGenerator, options: Options = Options()) -> Network {
        let shape = Shape(
            channels: 1 + generator.index(below: 4), height: 1 + generator.index(below: options.largestSide),
            width: 1 + generator.index(below: options.largestSide))
        var drawing = RandomNetwork(generator: generator, options: options, shape: shape)
        let network = drawing.build()
        generator = drawing.generator
        return network
    }

    private init(generator: SeededGenerator, options: Options, shape: Shape) {
        self.generator = generator
        self.options = options
        builder = NetworkBuilder(name: "random", input: shape)
        values = [(builder.input, shape)]
        unread = [builder.input]
    }

    private mutating func build() -> Network {
        let layerCount = 3 + generator.index(below: 8)
        for _ in 0 ..< layerCount { addLayer() }
        finish()
        let plain = try! builder.build()
        let network = try! Network(name: plain.name, nodes: plain.nodes, connections: connections)
        return (0 ..< options.heads).reduce(network) { network, _ in withHead(network) }
    }

    /// Lets a convolution and a fully connected layer read some node.
    private mutating func withHead(_ network: Network) -> Network {
        let number = network.auxiliaryOutputs.count
        let main = network.withoutAuxiliaryHeads.nodes
        let source = main[generator.index(below: main.count - 1)].name
        let layer = Convolution(filters: 1 + generator.index(below: options.largestFilters), kernel: Size(3))
        let head = [
            Node(name: "head\(number).conv", layer: .convolution(layer), inputs: [source]),
            Node(
                name: "head\(number)", layer: .fullyConnected(FullyConnected(units: network.outputShape.count)),
                inputs: ["head\(number).conv"]),
        ]
        var nodes = network.nodes
        nodes.insert(contentsOf: head, at: network.index(of: source)! + 1)
        return try! Network(
            name: network.name, nodes: nodes, connections: network.connections,
            auxiliaryOutputs: network.auxiliaryOutputs + [AuxiliaryOutput(node: "head\(number)", weight: 0.4)])
    }

    /// Prefers values that nothing reads yet, but lets some have several readers.
    private mutating func source() -> (value: NetworkBuilder.Value, shape: Shape) {
        let fresh = values.filter { unread.contains($0.value) }
        let candidates = generator.index(below: 4) == 0 || fresh.isEmpty ? values : fresh
        return candidates[generator.index(below: candidates.count)]
    }

    private mutating func add(
        _ layer: Layer, _ inputs: [(value: NetworkBuilder.Value, shape: Shape)], _ shape: Shape
    ) {
        let value = builder.add(layer, inputs.map(\.value))
        for input in inputs { unread.remove(input.value) }
        unread.insert(value)
        values.append((value, shape))
    }

    private mutating func addLayer() {
        let input = source()
        switch generator.index(below: 17) {
        case 0 ... 3: addConvolution(input)
        case 4: addPooling(input, maximum: options.kinks && generator.index(below: 2) == 0)
        case 5 where options.normalization:
            add(.batchNormalization(BatchNormalization(epsilon: 1e-2, momentum: 0.2)), [input], input.shape)
        case 6 where options.dropout:
            add(.dropout(rate: [0.0, 0.25, 0.5][generator.index(below: 3)]), [input], input.shape)
        case 7, 8: if options.kinks { add(.activation(.relu), [input], input.shape) } else { addConvolution(input) }
        case 12, 13: addActivation(input)
        case 14:
            let layer = LocalResponseNormalization(
                size: 1 + 2 * generator.index(below: 4), alpha: 1.5, beta: [0.75, 0.5][generator.index(below: 2)])
            add(.localResponseNormalization(layer), [input], input.shape)
        case 15: addMultiplication(input)
        case 16: addPadding(input)
        case 9: addJoin(input, adds: true)
        case 10: addJoin(input, adds: false)
        case 11 where input.shape.channels > 1:
            let count = 1 + generator.index(below: input.shape.channels)
            var shape = input.shape
            shape.channels = count
            add(.channelSelection(generator.sample(count, below: input.shape.channels)), [input], shape)
        default: addConvolution(input)
        }
    }

    private mutating func addActivation(_ input: (value: NetworkBuilder.Value, shape: Shape)) {
        let smooth: [Activation] = [.sigmoid, .swish]
        let others: [Activation] = [
            .relu6, .hardSigmoid, .hardSwish, .leakyReLU(slope: 0.125), .clip(low: -0.5, high: 1),
            .clip(low: -.infinity, high: 0.5),
        ]
        let choices = options.kinks ? smooth + others : smooth
        add(.activation(choices[generator.index(below: choices.count)]), [input], input.shape)
    }

    /// With a value of the same shape, or with a pixel of as many channels.
    private mutating func addMultiplication(_ input: (value: NetworkBuilder.Value, shape: Shape)) {
        let pixel = Shape(channels: input.shape.channels, height: 1, width: 1)
        if generator.index(below: 2) == 0 { add(.globalAveragePooling, [input], pixel) }
        let partners = values.filter { $0.shape == input.shape || $0.shape == pixel }
        add(.multiplication, [input, partners[generator.index(below: partners.count)]], input.shape)
    }

    private mutating func addPadding(_ input: (value: NetworkBuilder.Value, shape: Shape)) {
        guard generator.index(below: 2) == 0 else { return add(.softmax, [input], input.shape) }
        let sides = (0 ..< 4).map { _ in generator.index(below: 3) }
        let shape = Shape(
            channels: input.shape.channels, height: sides[0] + input.shape.height + sides[2],
            width: sides[1] + input.shape.width + sides[3])
        add(.padding(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3]), [input], shape)
    }

    private mutating func addConvolution(_ input: (value: NetworkBuilder.Value, shape: Shape)) {
        let kernels = [(1, 1), (3, 3), (5, 5), (1, 3), (3, 1), (2, 2), (1, 7), (7, 1)]
        let kernel = kernels[generator.index(below: kernels.count)]
        // Strides make images smaller, so that not many follow each other.
        let stride = generator.index(below: 4) == 0 ? 2 : 1
        let dilation = generator.index(below: 4) == 0 ? Size(height: 2, width: 1 + generator.index(below: 3)) : Size(1)
        let extent = (1 + (kernel.0 - 1) * dilation.height, 1 + (kernel.1 - 1) * dilation.width)
        let layer = Convolution(
            filters: 1 + generator.index(below: options.largestFilters),
            kernel: Size(height: kernel.0, width: kernel.1),
            stride: Size(height: stride, width: generator.index(below: 5) == 0 ? 1 : stride),
            padding: padding(kernel: extent, input: input.shape), dilation: dilation,
            bias: generator.index(below: 3) > 0)
        guard let geometry = Layer.convolution(layer).geometry(input: input.shape) else { return }
        let output = Shape(channels: layer.filters, height: geometry.output.height, width: geometry.output.width)
        add(.convolution(layer), [input], output)
        guard generator.index(below: 3) > 0 else { return }
        connections[values.last!.value.name] = ConnectionTable(
            inputCount: input.shape.channels,
            rows: (0 ..< layer.filters).map { _ in
                generator.sample(generator.index(below: input.shape.channels + 1), below: input.shape.channels)
            })
    }

    private mutating func padding(kernel: (Int, Int), input: Shape) -> Padding {
        switch generator.index(below: 4) {
        case 0 where kernel.0 <= input.height && kernel.1 <= input.width: return .valid
        case 1:
            func side(_ kernel: Int) -> Int { generator.index(below: kernel) }
            let padding = (side(kernel.0), side(kernel.1), side(kernel.0), side(kernel.1))
            guard input.height + padding.0 + padding.2 >= kernel.0, input.width + padding.1 + padding.3 >= kernel.1
            else { return .same }
            return .explicit(top: padding.0, left: padding.1, bottom: padding.2, right: padding.3)
        default: return .same
        }
    }

    private mutating func addPooling(_ input: (value: NetworkBuilder.Value, shape: Shape), maximum: Bool) {
        if !maximum && generator.index(below: 3) == 0 {
            return add(.globalAveragePooling, [input], Shape(channels: input.shape.channels, height: 1, width: 1))
        }
        let side = 2 + generator.index(below: 2)
        let layer = Pooling(
            kernel: Size(side), stride: Size(1 + generator.index(below: 2)), padding: .same)
        let countsPadding = generator.index(below: 2) == 0
        let kind = maximum ? Layer.maxPooling(layer) : .averagePooling(layer, countsPadding: countsPadding)
        let geometry = kind.geometry(input: input.shape)!
        add(
            kind, [input],
            Shape(channels: input.shape.channels, height: geometry.output.height, width: geometry.output.width))
    }

    private mutating func addJoin(_ input: (value: NetworkBuilder.Value, shape: Shape), adds: Bool) {
        let partners = values.filter {
            $0.shape.height == input.shape.height && $0.shape.width == input.shape.width
                && (!adds || $0.shape.channels == input.shape.channels)
        }
        // The input itself is among them: x + x has one reader that reads twice.
        let others = (0 ... generator.index(below: 2)).map { _ in partners[generator.index(below: partners.count)] }
        let inputs = [input] + others
        var shape = input.shape
        if !adds { shape.channels = inputs.reduce(0) { $0 + $1.shape.channels } }
        guard shape.channels <= 4 * options.largestFilters else { return }
        add(adds ? .addition : .concatenation, inputs, shape)
    }

    /// Leads every value that is left to one output.
    private mutating func finish() {
        let fresh = values.filter { unread.contains($0.value) }
        if fresh.count > 1 || fresh[0].value == builder.input {
            for input in fresh {
                add(.fullyConnected(FullyConnected(units: 3)), [input], Shape(channels: 3, height: 1, width: 1))
            }
            let heads = values.filter { unread.contains($0.value) }
            if heads.count > 1 { add(.addition, heads, heads[0].shape) }
        }
        if generator.index(below: 2) == 0 {
            let last = values.last { unread.contains($0.value) }!
            let units = 1 + generator.index(below: 4)
            add(.fullyConnected(FullyConnected(units: units)), [last], Shape(channels: units, height: 1, width: 1))
        }
    }
}
