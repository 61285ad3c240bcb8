import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Every layer against PyTorch's values, forward and backward.
@Suite struct LayerFixtureTests {
    @Test(arguments: Fixture.names(in: "convolution")) func convolution(name: String) throws {
        let fixture = try Fixture(name)
        let starts = try fixture.integers("row_starts")
        let shape = try imageShape(fixture, "input")
        let table = try ConnectionTable(
            inputCount: shape.channels, rowStarts: starts, inputs: try fixture.integers("inputs"))
        let layer = Convolution(
            filters: starts.count - 1, kernel: size(fixture, "kernel"), stride: size(fixture, "stride"),
            padding: padding(fixture), dilation: name.contains("dilation") ? size(fixture, "dilation") : Size(1),
            bias: fixture.flag("bias"))
        let network = try network(shape, .convolution(layer), connections: ["layer": table])
        let result = try replay(network, fixture)
        func bound(_ magnitude: String) throws -> Double { 1e-6 * Double(try fixture.floats(magnitude)[0]) }
        #expect(largestError(result.outputs, try fixture.floats("output")) <= (try bound("output_magnitude")))
        #expect(relativeError(result.outputs, try fixture.floats("output")) < 1e-5)
        #expect(
            largestError(result.inputGradient, try fixture.floats("input_gradient"))
                <= (try bound("input_gradient_magnitude")))
        #expect(
            largestError(result.gradients["layer.weight"]!, try fixture.floats("weight_gradient"))
                <= (try bound("weight_gradient_magnitude")))
        if layer.bias {
            let expected = try fixture.floats("bias_gradient")
            let magnitude = try fixture.floats("output_gradient").reduce(0.0) { $0 + Double(abs($1)) }
            #expect(largestError(result.gradients["layer.bias"]!, expected) <= 1e-6 * magnitude)
        }
    }

    @Test(arguments: Fixture.names(in: "fully-connected")) func fullyConnected(name: String) throws {
        let fixture = try Fixture(name)
        let units = try fixture.shape("weight")[0]
        let layer = FullyConnected(units: units, bias: fixture.flag("bias"))
        let network = try network(imageShape(fixture, "input"), .fullyConnected(layer))
        try check(replay(network, fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "batch-normalization").filter { $0.contains("training") })
    func batchNormalization(name: String) throws {
        let fixture = try Fixture(name)
        let layer = BatchNormalization(epsilon: fixture.number("epsilon"), momentum: fixture.number("momentum"))
        let network = try network(imageShape(fixture, "input"), .batchNormalization(layer))
        var plan = try plan(network, fixture)
        let result = plan.run(
            try fixture.floats("input"), outputGradient: try fixture.floats("output_gradient"))
        try check(result, fixture)
        for statistic in ["running_mean", "running_var"] {
            #expect(relativeError(plan.values("layer.\(statistic)"), try fixture.floats("\(statistic)_after")) < 1e-5)
        }
    }

    @Test(arguments: Fixture.names(in: "batch-normalization").filter { $0.contains("evaluation") })
    func batchNormalizationAtInference(name: String) throws {
        let fixture = try Fixture(name)
        let layer = BatchNormalization(epsilon: fixture.number("epsilon"), momentum: fixture.number("momentum"))
        let network = try network(imageShape(fixture, "input"), .batchNormalization(layer))
        let images = try fixture.floats("input")
        let count = try fixture.shape("input")[0]
        for capacity in [count, count + 15] {
            var plan = try InferencePlan(
                network, parameters: parameters(network, fixture), capacity: capacity, pool: ThreadPool(threads: 1))
            #expect(relativeError(plan(images), try fixture.floats("output")) < 1e-5)
        }
    }

    @Test(arguments: Fixture.names(in: "relu")) func relu(name: String) throws {
        let fixture = try Fixture(name)
        try check(replay(network(imageShape(fixture, "input"), .activation(.relu)), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "activation")) func activation(name: String) throws {
        let activations: [String: Activation] = [
            "relu6": .relu6, "sigmoid": .sigmoid, "hard-sigmoid": .hardSigmoid, "hard-swish": .hardSwish,
            "swish": .swish, "leaky-relu": .leakyReLU(slope: 0.1), "clip": .clip(low: -1.5, high: 2),
        ]
        let fixture = try Fixture(name)
        let activation = try #require(activations[String(name.dropFirst("activation/".count))])
        try check(replay(network(imageShape(fixture, "input"), .activation(activation)), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "padding")) func zeroPadding(name: String) throws {
        let fixture = try Fixture(name)
        let layer = Layer.padding(
            top: fixture.integer("top"), left: fixture.integer("left"), bottom: fixture.integer("bottom"),
            right: fixture.integer("right"))
        try check(replay(network(imageShape(fixture, "input"), layer), fixture), fixture)
    }

    /// A network has one input: the second factor is made of channels of it, by an average where it is one pixel.
    @Test(arguments: Fixture.names(in: "multiplication")) func multiplication(name: String) throws {
        let fixture = try Fixture(name)
        let shape = try imageShape(fixture, "input0"), area = shape.height * shape.width
        var builder = NetworkBuilder(
            name: "product", input: Shape(channels: 2 * shape.channels, height: shape.height, width: shape.width))
        let first = builder.add(.channelSelection(Array(0 ..< shape.channels)), [builder.input])
        var second = builder.add(.channelSelection(Array(shape.channels ..< 2 * shape.channels)), [builder.input])
        let hasOnePixel = name.contains("pixel")
        if hasOnePixel { second = builder.globalAveragePooling(second) }
        _ = builder.multiplication(first, second)
        var plan = try plan(builder.build(), fixture)
        let input0 = try fixture.floats("input0"), input1 = try fixture.floats("input1")
        func spread(_ values: [Float], by factor: Float = 1) -> [Float] {
            hasOnePixel ? values.flatMap { Array(repeating: $0 * factor, count: area) } : values
        }
        let result = try plan.run(
            interleaved([input0, spread(input1)], [shape, shape]),
            outputGradient: fixture.floats("output_gradient"))
        #expect(relativeError(result.outputs, try fixture.floats("output")) < 1e-5)
        let gradients = [
            try fixture.floats("input0_gradient"),
            spread(try fixture.floats("input1_gradient"), by: 1 / Float(area)),
        ]
        #expect(relativeError(result.inputGradient, interleaved(gradients, [shape, shape])) < 1e-5)
    }

    @Test(arguments: Fixture.names(in: "local-response-normalization"))
    func localResponseNormalization(name: String) throws {
        let fixture = try Fixture(name)
        let layer = LocalResponseNormalization(
            size: fixture.integer("size"), alpha: fixture.number("alpha"), beta: fixture.number("beta"),
            bias: fixture.number("bias"))
        try check(
            replay(network(imageShape(fixture, "input"), .localResponseNormalization(layer)), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "softmax")) func softmax(name: String) throws {
        let fixture = try Fixture(name)
        try check(replay(network(imageShape(fixture, "input"), .softmax), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "max-pooling")) func maxPooling(name: String) throws {
        let fixture = try Fixture(name)
        let layer = Pooling(
            kernel: size(fixture, "kernel"), stride: size(fixture, "stride"), padding: padding(fixture))
        try check(replay(network(imageShape(fixture, "input"), .maxPooling(layer)), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "average-pooling")) func averagePooling(name: String) throws {
        let fixture = try Fixture(name)
        let layer = Pooling(
            kernel: size(fixture, "kernel"), stride: size(fixture, "stride"), padding: padding(fixture))
        let kind = Layer.averagePooling(layer, countsPadding: fixture.flag("counts_padding"))
        try check(replay(network(imageShape(fixture, "input"), kind), fixture), fixture)
    }

    @Test(arguments: Fixture.names(in: "global-average-pooling")) func globalAveragePooling(name: String) throws {
        let fixture = try Fixture(name)
        try check(replay(network(imageShape(fixture, "input"), .globalAveragePooling), fixture), fixture)
    }

    /// A network has one input, so that the inputs of these layers are selected from its channels.
    @Test(arguments: Fixture.names(in: "concatenation") + Fixture.names(in: "addition"))
    func joins(name: String) throws {
        let fixture = try Fixture(name)
        let shapes = try (0 ..< 3).map { try imageShape(fixture, "input\($0)") }
        var all = shapes[0]
        all.channels = shapes.reduce(0) { $0 + $1.channels }
        var builder = NetworkBuilder(name: "joined", input: all)
        var first = 0
        let parts = shapes.map { shape in
            defer { first += shape.channels }
            return builder.add(.channelSelection(Array(first ..< first + shape.channels)), [builder.input])
        }
        _ = builder.add(name.hasPrefix("addition") ? .addition : .concatenation, parts)
        let network = try builder.build()
        var plan = try plan(network, fixture)
        let images = try interleaved((0 ..< 3).map { try fixture.floats("input\($0)") }, shapes)
        let result = plan.run(images, outputGradient: try fixture.floats("output_gradient"))
        let gradients = try interleaved((0 ..< 3).map { try fixture.floats("input\($0)_gradient") }, shapes)
        #expect(relativeError(result.outputs, try fixture.floats("output")) < 1e-6)
        #expect(result.inputGradient == gradients)
    }
}

/// Outputs relative to the largest; gradients likewise, which for these layers bounds the sum of absolute products
/// from below.
private func check(_ result: PassResult, _ fixture: Fixture) throws {
    #expect(relativeError(result.outputs, try fixture.floats("output")) < 1e-5)
    #expect(relativeError(result.inputGradient, try fixture.floats("input_gradient")) < 1e-5)
    for (name, gradient) in result.gradients {
        let tensor = "\(name.dropFirst("layer.".count))_gradient"
        #expect(relativeError(gradient, try fixture.floats(tensor)) < 1e-5, "\(tensor)")
    }
}

private func replay(_ network: Network, _ fixture: Fixture) throws -> PassResult {
    var plan = try plan(network, fixture)
    return plan.run(try fixture.floats("input"), outputGradient: try fixture.floats("output_gradient"))
}

private func plan(_ network: Network, _ fixture: Fixture) throws -> TestPlan {
    let count = try fixture.shape(fixture.contains("input") ? "input" : "input0")[0]
    return try TestPlan(network, parameters: parameters(network, fixture), capacity: count, threads: 2)
}

private func parameters(_ network: Network, _ fixture: Fixture) throws -> Parameters {
    let parameters = Parameters(zerosFor: ParameterLayout(network))
    for entry in parameters.layout.trained + parameters.layout.statistics {
        parameters.set(entry, to: try fixture.floats(String(entry.name.dropFirst("layer.".count))))
    }
    return parameters
}

/// One layer, called `layer`, as a network.
private func network(
    _ shape: Shape, _ layer: Layer, connections: [String: ConnectionTable] = [:]
) throws -> Network {
    let nodes = [
        Node(name: "image", layer: .input(shape), inputs: []), Node(name: "layer", layer: layer, inputs: ["image"]),
    ]
    return try Network(name: "one layer", nodes: nodes, connections: connections)
}

private func imageShape(_ fixture: Fixture, _ tensor: String) throws -> Shape {
    let sizes = try fixture.shape(tensor)
    return Shape(channels: sizes[1], height: sizes[2], width: sizes[3])
}

private func size(_ fixture: Fixture, _ key: String) -> Size {
    let sizes = fixture.integers(hyperparameter: key)
    return Size(height: sizes[0], width: sizes[1])
}

private func padding(_ fixture: Fixture) -> Padding {
    switch fixture.text("padding") {
    case "same": .same
    case "valid": .valid
    default:
        .explicit(
            top: fixture.integer("top"), left: fixture.integer("left"), bottom: fixture.integer("bottom"),
            right: fixture.integer("right"))
    }
}

/// [image][channel] of several tensors as one tensor with the channels of all.
private func interleaved(_ tensors: [[Float]], _ shapes: [Shape]) -> [Float] {
    let images = tensors[0].count / shapes[0].count
    return (0 ..< images).flatMap { image in
        zip(tensors, shapes).flatMap { tensor, shape in tensor[image * shape.count ..< (image + 1) * shape.count] }
    }
}
