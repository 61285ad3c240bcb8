import GossamerNetworks
import GossamerTensors

// MARK: - Operators that work value by value

extension GraphReader {
    /// Adds a layer without weights that keeps the shape.
    private mutating func addLayer(
        _ node: Onnx_NodeProto, _ operation: Draft.Operation, _ input: TensorView
    ) throws(ImportError) {
        let index = try draft.add(layerName(node, weights: nil), operation, [input.node], shape: shape(input))
        set(node, .view(input.of(index)))
    }

    mutating func addActivation(_ node: Onnx_NodeProto, _ activation: Activation) throws(ImportError) {
        try addLayer(node, .layer(.activation(activation)), view(node))
    }

    mutating func addClip(_ node: Onnx_NodeProto) throws(ImportError) {
        func bound(_ name: String, _ index: Int, _ missing: Float) throws(ImportError) -> Double {
            if let constant = try constant(node, index) { return Double(try constant.scalar()) }
            return Double(node.float(name, default: missing))
        }
        try addBounded(
            node, view(node), low: try bound("min", 1, -.infinity), high: try bound("max", 2, .infinity))
    }

    private mutating func addBounded(
        _ node: Onnx_NodeProto, _ input: TensorView, low: Double, high: Double
    ) throws(ImportError) {
        // Exporters write the largest number for no bound.
        let low = low <= -Double(Float.greatestFiniteMagnitude) ? -Double.infinity : low
        let high = high >= Double(Float.greatestFiniteMagnitude) ? Double.infinity : high
        guard low <= high, low < .infinity, high > -.infinity else {
            throw ImportError("a lower bound below the upper")
        }
        switch (low, high) {
        case (-.infinity, .infinity): set(node, .view(input))
        case (0, .infinity): try addLayer(node, .layer(.activation(.relu)), input)
        case (0, 6): try addLayer(node, .layer(.activation(.relu6)), input)
        default: try addLayer(node, .layer(.activation(.clip(low: low, high: high))), input)
        }
    }

    /// The minimum or maximum with a number.
    mutating func addBound(_ node: Onnx_NodeProto) throws(ImportError) {
        guard node.input.count == 2 else { throw ImportError("an image and a number") }
        let isFirst = if case .constant = try value(node, 0) { true } else { false }
        let number = Double(try constant(node, isFirst ? 0 : 1)?.scalar() ?? 0)
        let isMinimum = node.opType == "Min"
        try addBounded(
            node, view(node, isFirst ? 1 : 0), low: isMinimum ? -.infinity : number,
            high: isMinimum ? number : .infinity)
    }

    /// max(0, min(1, alpha x + beta)).
    mutating func addHardSigmoid(_ node: Onnx_NodeProto) throws(ImportError) {
        let alpha = node.float("alpha", default: 0.2), beta = node.float("beta", default: 0.5)
        if abs(alpha - 1 / 6) < 1e-6, beta == 0.5 { return try addActivation(node, .hardSigmoid) }
        let input = try view(node)
        let channels = shape(input).channels
        let scaling = ChannelScaling(
            scale: Array(repeating: alpha, count: channels), shift: Array(repeating: beta, count: channels))
        try addLayer(node, .affine(scaling), input)
        try addLayer(node, .layer(.activation(.clip(low: 0, high: 1))), input.of(draft.nodes.count - 1))
    }

    mutating func addPReLU(_ node: Onnx_NodeProto) throws(ImportError) {
        let constant = try constant(node, 1)
        try budget.spend(constant?.count ?? 0)
        let slopes = try constant?.finiteFloats() ?? []
        guard let slope = slopes.first, slope >= 0, slopes.allSatisfy({ $0 == slope }) else {
            throw ImportError("one slope, of at least 0, for all channels")
        }
        try addActivation(node, .leakyReLU(slope: Double(slope)))
    }

    mutating func addLocalResponseNormalization(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try inOrder(image(node))
        let layer = LocalResponseNormalization(
            size: node.integer("size", default: 0), alpha: Double(node.float("alpha", default: 1e-4)),
            beta: Double(node.float("beta", default: 0.75)), bias: Double(node.float("bias", default: 1)))
        guard layer.size % 2 == 1, (1 ... Draft.largestSize).contains(layer.size), layer.alpha >= 0,
            layer.beta >= 0, layer.bias > 0, [layer.alpha, layer.beta, layer.bias].allSatisfy(\.isFinite)
        else { throw ImportError("an odd size and positive numbers") }
        try addLayer(node, .layer(.localResponseNormalization(layer)), input)
    }

    mutating func addSoftmax(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try gathered(view(node))
        let rank = input.axes.count + 1
        let index = try axis(node.integer("axis", default: operatorSet < 13 ? 1 : -1), rank: rank) - 1
        // Before version 13 all axes from the named one on count together.
        let others = operatorSet < 13 ? Array(input.axes.dropFirst(index + 1)) : []
        guard index >= 0, input.axes[index].count == input.channelFactorCount, others.allSatisfy(\.isEmpty),
            input.axes[index].allSatisfy({ $0.role == .channel })
        else { throw ImportError("a softmax over all channels") }
        try addLayer(node, .layer(.softmax), input)
    }

    // MARK: - Arithmetic

    mutating func addArithmetic(_ node: Onnx_NodeProto) throws(ImportError) {
        if node.opType == "Neg" { return try addScaling(node, view(node), by: { _ in (-1, 0) }, of: nil) }
        var operands: [Value] = []
        for index in node.input.indices { operands.append(try value(node, index)) }
        switch (node.opType, operands.first, operands.dropFirst().first, operands.count) {
        case ("Sum", .view(let view)?, _, 1): set(node, .view(view))
        case ("Add", .view(let a)?, .constant(let b)?, 2), ("Add", .constant(let b)?, .view(let a)?, 2),
            ("Sum", .view(let a)?, .constant(let b)?, 2):
            try addScaling(node, a, by: { (1, $0) }, of: b)
        case ("Sub", .view(let a)?, .constant(let b)?, 2): try addScaling(node, a, by: { (1, -$0) }, of: b)
        case ("Sub", .constant(let b)?, .view(let a)?, 2): try addScaling(node, a, by: { (-1, $0) }, of: b)
        case ("Mul", .view(let a)?, .constant(let b)?, 2), ("Mul", .constant(let b)?, .view(let a)?, 2):
            try addScaling(node, a, by: { ($0, 0) }, of: b)
        case ("Div", .view(let a)?, .constant(let b)?, 2): try addScaling(node, a, by: { (1 / $0, 0) }, of: b)
        case ("Add", .view?, .view?, 2), ("Sum", _, _, _): try addSum(node)
        case ("Mul", .view(let a)?, .view(let b)?, 2): try addProduct(node, a, b)
        case ("Sub", .view(let a)?, .view(let b)?, 2):
            let channels = shape(b).channels
            let negative = ChannelScaling(
                scale: Array(repeating: -1, count: channels), shift: Array(repeating: 0, count: channels))
            let index = try draft.add(
                layerName(node, weights: nil) + ".negative", .affine(negative), [b.node], shape: shape(b))
            try addSum(node, [a, b.of(index)])
        default: throw ImportError("two images, or an image and constants")
        }
    }

    /// A scaling of each channel by constants.
    ///
    /// - Parameter scaling: scale and shift that a constant gives.
    private mutating func addScaling(
        _ node: Onnx_NodeProto, _ view: TensorView, by scaling: (Float) -> (scale: Float, shift: Float),
        of constant: Constant?
    ) throws(ImportError) {
        let input = try distinct(view)
        let values = try constant.map { (constant) throws(ImportError) in try channelValues(constant, of: input) }
            ?? Array(repeating: 0, count: input.size(.channel))
        let pairs = try inNodeOrder(values, input).map(scaling)
        guard pairs.allSatisfy({ $0.scale.isFinite && $0.shift.isFinite }) else {
            throw ImportError("finite numbers and no division by zero")
        }
        if pairs.allSatisfy({ $0 == (1, 0) }) { return set(node, .view(input)) }
        let affine = ChannelScaling(scale: pairs.map(\.scale), shift: pairs.map(\.shift))
        try addLayer(node, .affine(affine), input)
    }

    /// A constant that is broadcast over an image, as one value for each channel.
    private func channelValues(_ constant: Constant, of view: TensorView) throws(ImportError) -> [Float] {
        let channels = view.size(.channel)
        if constant.count == 1, constant.shape.count <= view.axes.count + 1 {
            return Array(repeating: try constant.finiteFloats()[0], count: channels)
        }
        let fromEnd = view.channelAxis.map { view.axes.count - $0 }
        guard let fromEnd, constant.count == channels, constant.shape.count >= fromEnd,
            constant.shape.count <= view.axes.count + 1,
            constant.shape[constant.shape.count - fromEnd] == channels
        else {
            throw ImportError("a constant with one value, or one for each of \(channels) channels, its sizes are "
                + "\(constant.shape)")
        }
        return try constant.finiteFloats()
    }

    private mutating func addSum(_ node: Onnx_NodeProto) throws(ImportError) {
        var views: [TensorView] = []
        for index in node.input.indices { views.append(try view(node, index)) }
        try addSum(node, views)
    }

    private mutating func addSum(_ node: Onnx_NodeProto, _ views: [TensorView]) throws(ImportError) {
        let views = try alike(views)
        guard views.dropFirst().allSatisfy({ $0.axes == views[0].axes && shape($0) == shape(views[0]) }) else {
            throw ImportError("images of one shape, they are \(views.map(\.sizes))")
        }
        let index = try draft.add(
            layerName(node, weights: nil), .layer(.addition), views.map(\.node), shape: shape(views[0]))
        set(node, .view(views[0].of(index)))
    }

    /// The product of two images, of which one may be a pixel for each channel.
    private mutating func addProduct(
        _ node: Onnx_NodeProto, _ first: TensorView, _ second: TensorView
    ) throws(ImportError) {
        let views = try alike([first, second])
        let (large, small) = shape(views[1]).count > shape(views[0]).count ? (views[1], views[0]) : (views[0], views[1])
        let isPixel = shape(small) == Shape(channels: shape(large).channels, height: 1, width: 1)
        guard shape(small) == shape(large) && small.axes == large.axes
            || isPixel && small.axes.count == large.axes.count && small.channelAxis == large.channelAxis
        else { throw ImportError("images of one shape, or one pixel for each channel, they are \(views.map(\.sizes))") }
        let index = try draft.add(
            layerName(node, weights: nil), .layer(.multiplication), [large.node, small.node], shape: shape(large))
        set(node, .view(large.of(index)))
    }
}

extension TensorView {
    fileprivate var channelFactorCount: Int { axes.joined().count { $0.role == .channel } }
}
