import GossamerNetworks
import GossamerTensors

extension GraphReader {
    mutating func addMaxPooling(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try image(node)
        guard node.output.count == 1, node.integer("storage_order", default: 0) == 0 else {
            throw ImportError("a pooling without indices")
        }
        let window = try undilated(node, input)
        let layer = Pooling(kernel: window.kernel, stride: window.stride, padding: window.extendedEdges.padding)
        try addPooling(node, .maxPooling(layer), input)
    }

    mutating func addAveragePooling(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try image(node)
        let window = try undilated(node, input)
        let countsPadding = node.integer("count_include_pad", default: 0) != 0
        guard !countsPadding || window.excess == Size(0) else {
            throw ImportError("no ceil_mode together with count_include_pad")
        }
        let layer = Pooling(kernel: window.kernel, stride: window.stride, padding: window.extendedEdges.padding)
        try addPooling(node, .averagePooling(layer, countsPadding: countsPadding), input)
    }

    private func undilated(_ node: Onnx_NodeProto, _ input: TensorView) throws(ImportError) -> Window {
        let window = try Window(node, input: shape(input))
        guard window.dilation == Size(1) else { throw ImportError("a pooling without dilation") }
        return window
    }

    private mutating func addPooling(
        _ node: Onnx_NodeProto, _ layer: Layer, _ input: TensorView
    ) throws(ImportError) {
        let output = try windowed(layer, input, channels: shape(input).channels)
        let index = try draft.add(layerName(node, weights: nil), .layer(layer), [input.node], shape: output)
        var result = TensorView(node: index, shape: output)
        if let channels = input.channels { result = result.selecting(channels) }
        set(node, .view(result))
    }

    mutating func addGlobalMaxPooling(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try image(node)
        let size = Size(height: shape(input).height, width: shape(input).width)
        try addPooling(node, .maxPooling(Pooling(kernel: size, stride: Size(1), padding: .valid)), input)
    }

    mutating func addReduceMean(_ node: Onnx_NodeProto) throws(ImportError) {
        let axes = try integers(node, "axes", input: 1) ?? []
        if axes.isEmpty {
            guard node.integer("noop_with_empty_axes", default: 0) != 0 else {
                throw ImportError("axes, without them the mean is over the batch too")
            }
            return set(node, .view(try view(node)))
        }
        let keepsAxes = node.integer("keepdims", default: 1) != 0
        try addGlobalPooling(node, axes: axes, keepsAxes: keepsAxes)
    }

    /// - Parameter axes: as the node counts them; nil for rows and columns of [batch, channel, row, column].
    mutating func addGlobalPooling(_ node: Onnx_NodeProto, axes: [Int]?, keepsAxes: Bool) throws(ImportError) {
        let input = try axes == nil ? image(node) : view(node)
        let rank = input.axes.count + 1
        var reduced: Set<Int> = []
        for index in axes ?? [2, 3] { reduced.insert(try axis(index, rank: rank) - 1) }
        let kept = input.axes.indices.filter { !reduced.contains($0) }
        guard !reduced.contains(-1), kept.allSatisfy({ input.axes[$0].allSatisfy { $0.role == .channel } }),
            reduced.allSatisfy({ input.axes[$0].allSatisfy { $0.role != .channel } })
        else { throw ImportError("a mean over all rows and columns") }
        var index = input.node
        if shape(input).height > 1 || shape(input).width > 1 {
            let output = Shape(channels: shape(input).channels, height: 1, width: 1)
            index = try draft.add(
                layerName(node, weights: nil), .layer(.globalAveragePooling), [input.node], shape: output)
        }
        set(node, .view(input.reduced(reduced, keepsAxes: keepsAxes, node: index)))
    }

    mutating func addPadding(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try view(node)
        guard node.text("mode", default: "constant") == "constant" else { throw ImportError("mode 'constant'") }
        let pads = try integers(node, operatorSet < 2 ? "paddings" : "pads", input: 1)
        let constantValue = try constant(node, 2)
        let value = try constantValue.map { (constant) throws(ImportError) in try constant.scalar() }
            ?? node.float("value", default: 0)
        let rank = input.axes.count + 1
        var before = [Int](repeating: 0, count: rank), after = before
        var padded = Array(0 ..< rank)
        if let chosen = try constant(node, 3)?.integers(atMost: StoredTensor.largestRank) {
            padded = []
            for index in chosen { padded.append(try axis(index, rank: rank)) }
        }
        guard let pads, pads.count == 2 * padded.count,
            pads.allSatisfy({ (0 ... Draft.largestSize).contains($0) })
        else { throw ImportError("pads of at least 0 for each axis") }
        for (position, axis) in padded.enumerated() {
            before[axis] = pads[position]
            after[axis] = pads[position + padded.count]
        }
        let rows = !input.isImage && input.isOrdered([.row, .column, .channel]) ? 1 : 2
        guard input.isImage || rows == 1,
            (0 ..< rank).allSatisfy({ $0 == rows || $0 == rows + 1 || before[$0] + after[$0] == 0 })
        else { throw ImportError("pads of rows and columns only") }
        let edges = Draft.Edges(
            top: before[rows], left: before[rows + 1], bottom: after[rows], right: after[rows + 1])
        guard !edges.isNone else { return set(node, .view(input)) }
        var output = shape(input)
        output.height += edges.top + edges.bottom
        output.width += edges.left + edges.right
        let index = try draft.add(
            layerName(node, weights: nil), .padding(edges, value: value), [input.node], shape: output)
        var result = TensorView(
            node: index, shape: output, order: rows == 1 ? [.row, .column, .channel] : [.channel, .row, .column])
        if let channels = input.channels { result = result.selecting(channels) }
        set(node, .view(result))
    }
}
