import GossamerNetworks
import GossamerTensors

// MARK: - Layers with weights

extension GraphReader {
    mutating func addConvolution(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try distinct(image(node))
        guard let weight = try constant(node, 1), weight.shape.count == 4 else {
            throw ImportError("weights of [filter, channel, row, column]")
        }
        let groups = node.integer("group", default: 1)
        let filters = weight.shape[0]
        let channels = input.size(.channel)
        guard groups > 0, (1 ... Draft.largestSize).contains(filters), filters % groups == 0, channels % groups == 0,
            weight.shape[1] == channels / groups
        else {
            throw ImportError("weights for \(channels) channels in \(groups) groups, their sizes are \(weight.shape)")
        }
        let window = try Window(node, kernel: Array(weight.shape[2...]), input: shape(input))
        let biases = try constant(node, 2)
        guard biases == nil || biases?.count == filters else {
            throw ImportError("a bias for each of \(filters) filters")
        }
        let bias = try biases?.finiteFloats()
        let layer = Convolution(
            filters: filters, kernel: window.kernel, stride: window.stride, padding: window.edges.padding,
            dilation: window.dilation, bias: bias != nil)
        let output = try windowed(.convolution(layer), input, channels: filters)
        let convolution = DraftConvolution(
            layer: layer, weight: weight, groups: groups, channels: input.channels, bias: bias)
        let index = try draft.add(
            layerName(node, weights: weight), .convolution(convolution), [input.node], shape: output)
        set(node, .view(TensorView(node: index, shape: output)))
    }

    /// The shape that a layer with a window makes.
    func windowed(_ layer: Layer, _ input: TensorView, channels: Int) throws(ImportError) -> Shape {
        guard let geometry = layer.geometry(input: shape(input)) else {
            throw ImportError("a window that fits on an image of \(shape(input))")
        }
        return Shape(channels: channels, height: geometry.output.height, width: geometry.output.width)
    }

    mutating func addNormalization(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try distinct(view(node))
        // Statistics of the batch, which further outputs also mean before version 14.
        guard node.integer("training_mode", default: 0) == 0, node.output.dropFirst().allSatisfy(\.isEmpty) else {
            throw ImportError("a network made for inference, it has training_mode or outputs of training")
        }
        let epsilon = node.float("epsilon", default: 1e-5), momentum = node.float("momentum", default: 0.9)
        guard (0 ... 1).contains(epsilon), (0 ... 1).contains(momentum) else {
            throw ImportError("an epsilon and a momentum from 0 to 1, found \(epsilon) and \(momentum)")
        }
        guard input.channelAxis == 0 else { throw ImportError("input of [batch, channel, ...]") }
        var parameters: [[Float]] = []
        for index in 1 ... 4 {
            guard let values = try constant(node, index), values.count == input.size(.channel) else {
                throw ImportError("input \(index) to have a value for each of \(input.size(.channel)) channels")
            }
            parameters.append(try inNodeOrder(values.finiteFloats(), input))
        }
        guard parameters[3].allSatisfy({ $0 >= 0 && $0 + epsilon > 0 }) else {
            throw ImportError("variances of at least 0, and above 0 where epsilon is 0")
        }
        let layer = BatchNormalization(
            epsilon: Double(epsilon), momentum: (1 - Double(momentum)).rounded(toPlaces: 6))
        let statistics = ChannelStatistics(
            scale: parameters[0], shift: parameters[1], mean: parameters[2], variance: parameters[3])
        let index = try draft.add(
            layerName(node, weights: try constant(node, 1)), .normalization(layer, statistics: statistics),
            [input.node], shape: shape(input))
        set(node, .view(input.of(index)))
    }

    /// A value for each channel of a view, in the order of the node's channels.
    func inNodeOrder(_ values: [Float], _ view: TensorView) throws(ImportError) -> [Float] {
        guard let channels = view.channels else { return values }
        var result = values
        for (value, channel) in zip(values, channels) { result[channel] = value }
        return result
    }

    /// alpha * A * B + beta * C, B being the weights.
    mutating func addGemm(_ node: Onnx_NodeProto) throws(ImportError) {
        guard node.integer("transA", default: 0) == 0 else { throw ImportError("transA 0") }
        let input = try gathered(view(node))
        guard let weight = try constant(node, 1), weight.shape.count == 2, input.axes.count == 1 else {
            throw ImportError("input of [batch, value] and weights of two axes")
        }
        let isTransposed = node.integer("transB", default: 0) != 0
        let alpha = node.float("alpha", default: 1), beta = node.float("beta", default: 1)
        let units = try unitCount(of: weight, axis: isTransposed ? 0 : 1)
        var bias: [Float]?
        if let constant = try constant(node, 2), beta != 0 {
            guard constant.count == units || constant.count == 1,
                constant.shape.allSatisfy({ $0 == 1 || $0 == units })
            else { throw ImportError("a bias for each of \(units) units") }
            let values = try constant.finiteFloats()
            bias = (0 ..< units).map { beta * values[values.count == 1 ? 0 : $0] }
        }
        try addFullyConnected(
            node, input, weight, units: units, isTransposed: isTransposed, bias: bias,
            scale: alpha == 1 ? nil : Array(repeating: alpha, count: units))
    }

    private func unitCount(of weight: Constant, axis: Int) throws(ImportError) -> Int {
        let units = weight.shape[axis]
        guard (1 ... Draft.largestSize).contains(units) else {
            throw ImportError("weights of 1 to \(Draft.largestSize) units, their sizes are \(weight.shape)")
        }
        return units
    }

    mutating func addMatMul(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try gathered(view(node))
        guard let weight = try constant(node, 1), weight.shape.count == 2, let last = input.axes.last else {
            throw ImportError("input of [batch, ..., value] and weights of two axes as the second")
        }
        let units = try unitCount(of: weight, axis: 1)
        if input.axes.dropLast().allSatisfy(\.isEmpty) {
            return try addFullyConnected(
                node, input, weight, units: units, isTransposed: false, bias: nil, scale: nil)
        }
        // The same weights at every pixel.
        guard input.channelAxis == input.axes.count - 1, last.count <= 1, weight.shape[0] == input.size(.channel)
        else { throw ImportError("input of [batch, value], or channels as its last axis") }
        try budget.spend(weight.count)
        let transposed = try ConstantOperators.transposed(weight, [1, 0])
        let convolution = DraftConvolution(
            layer: Convolution(filters: units, kernel: Size(1), padding: .valid, bias: false),
            weight: transposed.reshaped([units, weight.shape[0], 1, 1]), groups: 1,
            channels: try distinct(input).channels)
        var output = shape(input)
        output.channels = units
        let index = try draft.add(
            layerName(node, weights: weight), .convolution(convolution), [input.node], shape: output)
        set(node, .view(input.of(index, channelCount: units)))
    }

    private mutating func addFullyConnected(
        _ node: Onnx_NodeProto, _ input: TensorView, _ weight: Constant, units: Int, isTransposed: Bool,
        bias: [Float]?, scale: [Float]?
    ) throws(ImportError) {
        let shape = shape(input)
        guard weight.shape[isTransposed ? 1 : 0] == shape.count else {
            throw ImportError("weights for \(shape.count) values, their sizes are \(weight.shape)")
        }
        let isPlain = input.channels == nil && input.isInNodeOrder
        if !isPlain { try budget.spend(shape.count) }
        let layer = DraftFullyConnected(
            units: units, weight: weight, isTransposed: isTransposed,
            positions: isPlain ? nil : input.positions(rows: shape.height, columns: shape.width), bias: bias,
            unitScale: scale)
        let output = Shape(channels: units, height: 1, width: 1)
        let index = try draft.add(
            layerName(node, weights: weight), .fullyConnected(layer), [input.node], shape: output)
        let sizes = input.sizes.dropLast().map { _ in 1 } + [units]
        set(node, .view(try TensorView(node: index, shape: output, order: [.channel]).reshaped(sizes)))
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        let factor = (0 ..< places).reduce(1.0) { product, _ in product * 10 }
        return (self * factor).rounded() / factor
    }
}
