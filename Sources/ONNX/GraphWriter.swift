import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Translates a network node by node.
struct GraphWriter {
    /// What a node of the network has become: the name of a value in the graph. Fully connected layers give
    /// [batch, unit], all others [batch, channel, row, column].
    struct Value: Hashable {
        var name: String
        var isFlat = false
    }

    static let input = "images"
    static let output = "logits"

    let network: Network
    private(set) var graph = Onnx_GraphProto()
    private var values: [String: Value] = [:]
    private var names: Set<String> = [input, output]
    private let consumers: [[Int]]
    private let folds: Bool
    private let isSparse: Bool

    private init(_ network: Network, folds: Bool, isSparse: Bool) {
        self.network = network
        self.folds = folds
        self.isSparse = isSparse
        consumers = network.consumers()
    }

    /// - Parameters:
    ///   - folds: whether batch normalisation is multiplied into convolutions.
    ///   - isSparse: whether weights of which most are zero are written without their zeros.
    static func graph(
        of network: Network, parameters: borrowing Parameters, folds: Bool, isSparse: Bool
    ) -> Onnx_GraphProto {
        var writer = GraphWriter(network, folds: folds, isSparse: isSparse)
        writer.graph.name = network.name
        writer.graph.input = [.images(input, network.inputShape)]
        for node in network.nodes where writer.values[node.name] == nil { writer.add(node, parameters) }
        writer.finish()
        return writer.graph
    }

    private mutating func add(_ node: Node, _ parameters: borrowing Parameters) {
        let geometry = network.geometry(of: node)
        switch node.layer {
        case .input: values[node.name] = Value(name: Self.input)
        case .dropout: values[node.name] = values[node.inputs[0]]
        case .convolution(let layer): addConvolution(node, layer, parameters)
        case .fullyConnected(let layer): addFullyConnected(node, layer, parameters)
        case .batchNormalization(let layer):
            let roles: [(String, ParameterLayout.Role)] = [
                ("scale", .scale), ("shift", .shift), ("mean", .runningMean), ("variance", .runningVariance),
            ]
            let input = values[node.inputs[0]]!
            let weights = roles.map { (suffix, role) in
                initializer(node, suffix, parameters.values(parameters.layout.entry(node.name, role)!))
            }
            let attributes: [Onnx_AttributeProto] = [.float("epsilon", Float(layer.epsilon))]
            append("BatchNormalization", node, [input.name] + weights, attributes, isFlat: input.isFlat)
        case .activation(let activation): addActivation(node, activation)
        case .localResponseNormalization(let layer):
            let attributes: [Onnx_AttributeProto] = [
                .integer("size", layer.size), .float("alpha", Float(layer.alpha)), .float("beta", Float(layer.beta)),
                .float("bias", Float(layer.bias)),
            ]
            append("LRN", node, [image(node.inputs[0])], attributes)
        case .maxPooling(let layer):
            append("MaxPool", node, [image(node.inputs[0])], .window(geometry!, layer.padding))
        case .averagePooling(let layer, let countsPadding):
            let divisor: Onnx_AttributeProto = .integer("count_include_pad", countsPadding ? 1 : 0)
            append("AveragePool", node, [image(node.inputs[0])], .window(geometry!, layer.padding) + [divisor])
        case .globalAveragePooling: append("GlobalAveragePool", node, [image(node.inputs[0])])
        case .concatenation:
            let (inputs, isFlat) = alike(node.inputs)
            append("Concat", node, inputs, [.integer("axis", 1)], isFlat: isFlat)
        case .addition: addAddition(node)
        case .multiplication:
            let (inputs, isFlat) = alike(node.inputs)
            append("Mul", node, inputs, isFlat: isFlat)
        case .padding(let top, let left, let bottom, let right):
            let pads = unusedName("\(node.name).pads")
            graph.initializer.append(.integers(pads, [0, 0, top, left, 0, 0, bottom, right]))
            append("Pad", node, [image(node.inputs[0]), pads])
        case .softmax:
            let input = values[node.inputs[0]]!
            append("Softmax", node, [input.name], [.integer("axis", 1)], isFlat: input.isFlat)
        case .channelSelection(let channels):
            let input = values[node.inputs[0]]!
            let indices = unusedName("\(node.name).channels")
            graph.initializer.append(.integers(indices, channels))
            append("Gather", node, [input.name, indices], [.integer("axis", 1)], isFlat: input.isFlat)
        }
    }

    private mutating func addConvolution(
        _ node: Node, _ layer: Convolution, _ parameters: borrowing Parameters
    ) {
        let geometry = network.geometry(of: node)!
        let folded = foldedNormalization(after: node, parameters)
        let kernel = unusedName("\(node.name).weight")
        let values = parameters.values(parameters.layout.entry(node.name, .kernel)!)
        let table = network.connectionTable(of: node)
        let groups = table.groupCount
        let tensor = Onnx_TensorProto.kernel(
            kernel, values, table: table, groups: groups, size: layer.kernel, scale: folded?.affine.scale)
        if isSparse, let sparse = tensor.sparse {
            graph.sparseInitializer.append(sparse)
        } else {
            graph.initializer.append(tensor)
        }
        var inputs = [image(node.inputs[0]), kernel]
        var bias = parameters.layout.entry(node.name, .bias).map { parameters.values($0) }
        if let affine = folded?.affine {
            bias = affine.shift.indices.map { (bias?[$0] ?? 0) * affine.scale[$0] + affine.shift[$0] }
        }
        if let bias { inputs.append(initializer(node, "bias", bias)) }
        let group: [Onnx_AttributeProto] = groups == 1 ? [] : [.integer("group", groups)]
        append("Conv", node, inputs, .window(geometry, layer.padding) + group)
        if let folded { self.values[folded.node.name] = self.values[node.name] }
    }

    /// The batch normalisation that alone reads a convolution, where it is to be folded.
    private func foldedNormalization(
        after node: Node, _ parameters: borrowing Parameters
    ) -> (node: Node, affine: ChannelAffine)? {
        let readers = consumers[network.index(of: node.name)!]
        guard folds, readers.count == 1, case .batchNormalization(let layer) = network.nodes[readers[0]].layer else {
            return nil
        }
        let reader = network.nodes[readers[0]]
        return (reader, ChannelAffine(layer, node: reader.name, parameters: parameters))
    }

    private mutating func addActivation(_ node: Node, _ activation: Activation) {
        let input = values[node.inputs[0]]!
        func add(_ kind: String, _ others: [String] = [], _ attributes: [Onnx_AttributeProto] = []) {
            append(kind, node, [input.name] + others, attributes, isFlat: input.isFlat)
        }
        switch activation {
        case .relu: add("Relu")
        case .relu6: add("Clip", [bound(node, "low", 0), bound(node, "high", 6)])
        case .clip(let low, let high): add("Clip", [bound(node, "low", low), bound(node, "high", high)])
        case .sigmoid: add("Sigmoid")
        case .hardSigmoid: add("HardSigmoid", [], [.float("alpha", 1 / 6), .float("beta", 0.5)])
        case .hardSwish: add("HardSwish")
        case .swish: add("Mul", [appendStep("Sigmoid", "\(node.name).sigmoid", [input.name])])
        case .leakyReLU(let slope): add("LeakyRelu", [], [.float("alpha", Float(slope))])
        }
    }

    /// A bound of a Clip; an empty name says that there is none.
    private mutating func bound(_ node: Node, _ suffix: String, _ value: Double) -> String {
        guard value.isFinite else { return "" }
        let name = unusedName("\(node.name).\(suffix)")
        graph.initializer.append(.floats(name, [Float(value)], []))
        return name
    }

    private mutating func addFullyConnected(
        _ node: Node, _ layer: FullyConnected, _ parameters: borrowing Parameters
    ) {
        var input = values[node.inputs[0]]!
        if !input.isFlat {
            input.name = appendStep("Flatten", "\(node.name).flat", [input.name], [.integer("axis", 1)])
        }
        let kernel = unusedName("\(node.name).weight")
        let values = parameters.values(parameters.layout.entry(node.name, .kernel)!)
        graph.initializer.append(.floats(kernel, values, [layer.units, network.inputShape(of: node).count]))
        var inputs = [input.name, kernel]
        if let bias = parameters.layout.entry(node.name, .bias) {
            inputs.append(initializer(node, "bias", parameters.values(bias)))
        }
        append("Gemm", node, inputs, [.integer("transB", 1)], isFlat: true)
    }

    /// ONNX adds two at a time.
    private mutating func addAddition(_ node: Node) {
        let (inputs, isFlat) = alike(node.inputs)
        var sum = inputs[0]
        for other in inputs.dropFirst().dropLast() {
            sum = appendStep("Add", "\(node.name).part", [sum, other])
        }
        append("Add", node, [sum, inputs[inputs.count - 1]], isFlat: isFlat)
    }

    /// The last node's value becomes the output, [batch, class] where it is one pixel.
    private mutating func finish() {
        var last = values[network.nodes[network.nodes.count - 1].name]!
        let shape = network.outputShape
        if !last.isFlat && shape.height == 1 && shape.width == 1 {
            last = Value(name: appendStep("Flatten", "flat", [last.name], [.integer("axis", 1)]), isFlat: true)
        }
        if last.name == Self.input { last.name = appendStep("Identity", "copy", [last.name]) }
        graph.output = [last.isFlat ? .logits(Self.output, shape.count) : .images(Self.output, shape)]
        for index in graph.node.indices {
            func renamed(_ name: String) -> String { name == last.name ? Self.output : name }
            graph.node[index].input = graph.node[index].input.map(renamed)
            graph.node[index].output = graph.node[index].output.map(renamed)
        }
    }
}

// MARK: - Values and names

extension GraphWriter {
    /// A value as images; units of a fully connected layer become channels of one pixel.
    private mutating func image(_ node: String) -> String {
        let value = values[node]!
        guard value.isFlat else { return value.name }
        let shape = unusedName("\(node).shape")
        graph.initializer.append(.integers(shape, [0, -1, 1, 1]))
        return appendStep("Reshape", "\(node).image", [value.name, shape])
    }

    /// Values of one rank.
    private mutating func alike(_ nodes: [String]) -> (names: [String], isFlat: Bool) {
        let inputs = nodes.map { values[$0]! }
        if inputs.allSatisfy(\.isFlat) { return (inputs.map(\.name), true) }
        return (nodes.map { image($0) }, false)
    }

    private mutating func append(
        _ kind: String, _ node: Node, _ inputs: [String], _ attributes: [Onnx_AttributeProto] = [],
        isFlat: Bool = false
    ) {
        values[node.name] = Value(name: appendStep(kind, node.name, inputs, attributes), isFlat: isFlat)
    }

    /// - Returns: the name of its output.
    private mutating func appendStep(
        _ kind: String, _ name: String, _ inputs: [String], _ attributes: [Onnx_AttributeProto] = []
    ) -> String {
        let name = unusedName(name)
        var step = Onnx_NodeProto()
        step.name = name
        step.opType = kind
        step.input = inputs
        step.output = [name]
        step.attribute = attributes
        graph.node.append(step)
        return name
    }

    private mutating func initializer(_ node: Node, _ suffix: String, _ values: [Float]) -> String {
        let name = unusedName("\(node.name).\(suffix)")
        graph.initializer.append(.floats(name, values, [values.count]))
        return name
    }

    private mutating func unusedName(_ wanted: String) -> String {
        var name = wanted
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(wanted)_\(number)"
        }
        return name
    }
}

extension ConnectionTable {
    /// How many groups ONNX has where each run of filters reads all of one run of channels, the runs of equal length,
    /// whatever pattern the connections are of; 1 for all others.
    var groupCount: Int {
        let channels = outputCount > 0 ? fanIn(of: 0) : 0
        guard channels > 0, inputCount % channels == 0, outputCount % (inputCount / channels) == 0 else { return 1 }
        let filters = outputCount / (inputCount / channels)
        for filter in 0 ..< outputCount {
            let first = filter / filters * channels
            // Inputs ascend and are distinct, so that the last one tells the others.
            guard fanIn(of: filter) == channels, Int(inputs(of: filter).first!) == first,
                Int(inputs(of: filter).last!) == first + channels - 1
            else { return 1 }
        }
        return inputCount / channels
    }
}
