import GossamerNetworks
import GossamerTensors

// MARK: - Operators that move values

extension GraphReader {
    mutating func changeShape(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try view(node)
        let sizes = [batch] + input.sizes
        if node.opType == "Transpose" {
            let order = node.integers("perm") ?? Array(sizes.indices.reversed())
            guard order.sorted() == Array(sizes.indices), order[0] == 0 else {
                throw ImportError("a transposition that leaves the batch first")
            }
            return set(node, .view(input.transposed(order.dropFirst().map { $0 - 1 })))
        }
        let target = switch node.opType {
        case "Flatten": try flattened(sizes, node)
        case "Squeeze": try squeezed(sizes, node)
        case "Unsqueeze": try unsqueezed(sizes, node)
        default: try reshaped(sizes, node)
        }
        guard target.first == batch else { throw ImportError("a shape whose first axis is the batch, found \(target)") }
        set(node, .view(try input.reshaped(Array(target.dropFirst()))))
    }

    private func flattened(_ sizes: [Int], _ node: Onnx_NodeProto) throws(ImportError) -> [Int] {
        let index = node.integer("axis", default: 1)
        let end = index == sizes.count ? index : try axis(index, rank: sizes.count)
        return [sizes[..<end].reduce(1, *), sizes[end...].reduce(1, *)]
    }

    private func squeezed(_ sizes: [Int], _ node: Onnx_NodeProto) throws(ImportError) -> [Int] {
        guard let named = try integers(node, "axes", input: 1) else {
            return [sizes[0]] + sizes.dropFirst().filter { $0 != 1 }
        }
        var axes: Set<Int> = []
        for index in named { axes.insert(try axis(index, rank: sizes.count)) }
        guard axes.allSatisfy({ sizes[$0] == 1 }) else { throw ImportError("axes of size 1") }
        return sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }
    }

    private func unsqueezed(_ sizes: [Int], _ node: Onnx_NodeProto) throws(ImportError) -> [Int] {
        let named = try integers(node, "axes", input: 1) ?? []
        let rank = sizes.count + named.count
        guard rank <= StoredTensor.largestRank else { throw ImportError("at most \(StoredTensor.largestRank) axes") }
        var axes: Set<Int> = []
        for index in named { axes.insert(try axis(index, rank: rank)) }
        guard axes.count == named.count else { throw ImportError("distinct axes") }
        var rest = sizes[...]
        return (0 ..< rank).map { axes.contains($0) ? 1 : rest.removeFirst() }
    }

    private func reshaped(_ sizes: [Int], _ node: Onnx_NodeProto) throws(ImportError) -> [Int] {
        guard let target = try integers(node, "shape", input: 1) else { throw ImportError("a shape") }
        return try ConstantOperators.resolved(
            target, of: sizes, keepsZeros: node.integer("allowzero", default: 0) != 0)
    }

    // MARK: - Channels

    mutating func addConcatenation(_ node: Onnx_NodeProto) throws(ImportError) {
        var views: [TensorView] = []
        for index in node.input.indices {
            let view = try view(node, index)
            views.append(try isSelection(view) ? gathered(view) : view)
        }
        guard let first = views.first else { throw ImportError("at least one input") }
        if views.count == 1 { return set(node, .view(first)) }
        let index = try axis(node.integer("axis", default: 1), rank: first.axes.count + 1) - 1
        // The axes of images, or flat vectors that have the channels outermost.
        let isFlat = first.axes.count == 1 && index == 0
        guard index >= 0, views.allSatisfy({ $0.axes.count == first.axes.count }),
            views.allSatisfy({
                isFlat ? $0.isInNodeOrder : $0.channelAxis == index && $0.agrees(with: first, besides: index)
            }),
            views.allSatisfy({ shape($0).height == shape(first).height && shape($0).width == shape(first).width })
        else { throw ImportError("images of one size, joined by their channels") }
        var total = shape(first)
        total.channels = views.reduce(0) { $0 + shape($1).channels }
        let joined = try draft.add(
            layerName(node, weights: nil), .layer(.concatenation), views.map(\.node), shape: total)
        var result = first.of(joined, channelCount: total.channels)
        if isFlat { result = try TensorView(node: joined, shape: total).reshaped([total.count]) }
        if views.contains(where: { $0.channels != nil }) {
            var channels: [Int] = []
            var start = 0
            for view in views {
                let count = shape(view).channels
                channels += (view.channels ?? Array(0 ..< count)).map { start + $0 }
                start += count
            }
            guard !isFlat else { throw ImportError("vectors of channels in order") }
            result = result.selecting(channels)
        }
        set(node, .view(result))
    }

    /// Some of a view's channels, by index; all the other axes are left whole.
    private func selected(_ input: TensorView, axis: Int, _ indices: [Int]) throws(ImportError) -> TensorView {
        if indices.elementsEqual(0 ..< input.sizes[axis]) { return input }
        guard input.channelAxis == axis, !indices.isEmpty else {
            throw ImportError("whole rows and columns, and at least one channel")
        }
        let image = shape(input)
        guard indices.count <= Draft.largestSize,
            valueCount([indices.count, image.height, image.width], atMost: Draft.largestCount) != nil
        else {
            throw ImportError(
                "at most \(Draft.largestSize) channels and \(Draft.largestCount) values, it takes \(indices.count) "
                    + "channels of \(image)")
        }
        return input.selecting(indices)
    }

    mutating func slice(_ node: Onnx_NodeProto) throws(ImportError) {
        var result = try view(node)
        let rank = result.axes.count + 1
        let starts = try integers(node, "starts", input: 1) ?? []
        let ends = try integers(node, "ends", input: 2) ?? []
        let axes = try integers(node, "axes", input: 3) ?? Array(starts.indices)
        let steps = try constant(node, 4)?.integers(atMost: StoredTensor.largestRank) ?? starts.map { _ in 1 }
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
            throw ImportError("a start, an end and a step for each axis")
        }
        guard try ConstantOperators.axes(axes, rank: rank).count == axes.count else {
            throw ImportError("distinct axes")
        }
        for position in starts.indices {
            let index = try axis(axes[position], rank: rank) - 1
            let size = index < 0 ? batch : result.sizes[index]
            let indices = try ConstantOperators.sliceIndices(
                start: starts[position], end: ends[position], step: steps[position], size: size, &budget)
            if index < 0 {
                guard indices.elementsEqual(0 ..< size) else { throw ImportError("the whole batch") }
                continue
            }
            result = try selected(result, axis: index, indices)
        }
        set(node, .view(result))
    }

    mutating func gather(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try view(node)
        let index = try axis(node.integer("axis", default: 0), rank: input.axes.count + 1) - 1
        guard let indices = try constant(node, 1), index >= 0, indices.shape.count == 1 else {
            throw ImportError("a list of constant indices of an axis after the batch")
        }
        let size = input.sizes[index]
        let chosen = try indices.integers(atMost: Draft.largestSize).map { $0 < 0 ? $0 + size : $0 }
        guard chosen.allSatisfy({ (0 ..< size).contains($0) }) else { throw ImportError("indices below \(size)") }
        set(node, .view(try selected(input, axis: index, chosen)))
    }

    mutating func split(_ node: Onnx_NodeProto) throws(ImportError) {
        let input = try view(node)
        let index = try axis(node.integer("axis", default: 0), rank: input.axes.count + 1) - 1
        guard index >= 0, !node.output.isEmpty else { throw ImportError("a split of an axis after the batch") }
        let sizes = try integers(node, "split", input: 1, atMost: node.output.count)
        _ = try ConstantOperators.computedCount([input.sizes[index]], &budget)
        let parts = try ConstantOperators.parts(sizes, of: input.sizes[index], count: node.output.count)
        var start = 0
        for (output, size) in parts.enumerated() {
            let part = try selected(input, axis: index, Array(start ..< start + size))
            set(node, .view(part), output: output)
            start += size
        }
    }

    // MARK: - Channels of nodes

    private func isSelection(_ view: TensorView) -> Bool {
        guard let channels = view.channels else { return false }
        return channels.count != shape(view).channels || Set(channels).count != channels.count
    }

    /// A view without channels that occur twice.
    mutating func distinct(_ view: TensorView) throws(ImportError) -> TensorView {
        try isSelection(view) ? gathered(view) : view
    }

    /// A view that shows each channel of its node once, in any order.
    mutating func gathered(_ view: TensorView) throws(ImportError) -> TensorView {
        guard isSelection(view), let channels = view.channels else { return view }
        guard Set(channels).count == channels.count else { return try inOrder(view) }
        let sorted = channels.sorted()
        let index = try selection(of: view.node, sorted, shape: shape(view))
        let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
        var result = view.of(index)
        result.channels = channels == sorted ? nil : channels.map { places[$0]! }
        return result
    }

    private mutating func selection(of node: Int, _ channels: [Int], shape: Shape) throws(ImportError) -> Int {
        var output = shape
        output.channels = channels.count
        var key = TensorView(node: node, shape: shape)
        key.channels = channels
        if let known = selections[key] { return known }
        let index = try draft.add(
            "\(draft.nodes[node].name).channels", .layer(.channelSelection(channels)), [node], shape: output)
        selections[key] = index
        return index
    }

    /// A view of a node whose channels are in order: where they are not, 1 x 1 kernels of weight 1 move them.
    mutating func inOrder(_ view: TensorView) throws(ImportError) -> TensorView {
        guard let channels = view.channels else { return view }
        if !isSelection(view), channels == Array(channels.indices) {
            var result = view
            result.channels = nil
            return result
        }
        var output = shape(view)
        output.channels = channels.count
        let move = DraftConvolution(
            layer: Convolution(filters: channels.count, kernel: Size(1), padding: .valid, bias: false),
            weight: Constant(shape: [channels.count, 1, 1, 1], floats: channels.map { _ in 1 }),
            groups: channels.count, channels: channels)
        let index = try draft.add(
            "\(draft.nodes[view.node].name).order", .convolution(move), [view.node], shape: output)
        var result = view.of(index)
        result.channels = nil
        return result
    }

    /// Views of nodes whose channels lie alike.
    mutating func alike(_ views: [TensorView]) throws(ImportError) -> [TensorView] {
        var result: [TensorView] = []
        for view in views { result.append(try gathered(view)) }
        if result.allSatisfy({ $0.channels == result[0].channels }) { return result }
        for index in result.indices { result[index] = try inOrder(result[index]) }
        return result
    }
}
