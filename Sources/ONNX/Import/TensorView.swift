import GossamerTensors

/// How a tensor of an ONNX graph, [batch, ...], shows the channels, rows and columns of a node.
///
/// Transpositions and reshapes change the view and compute nothing: [batch, row, column, channel] of TensorFlow, the
/// flat vector before a classifier and the shuffled channels of a ShuffleNet are all views.
struct TensorView: Hashable {
    enum Role: Hashable { case channel, row, column }

    /// A part of a tensor's axis that steps through part of a node's axis.
    struct Factor: Hashable {
        let role: Role
        let size: Int
        let stride: Int
    }

    let node: Int
    /// For each channel that is shown the node's channel; nil where they are the node's own, in order.
    var channels: [Int]?
    /// The axes after the batch: factors, the outermost first. None is of size 1.
    private(set) var axes: [[Factor]]

    init(node: Int, shape: Shape, order: [Role] = [.channel, .row, .column]) {
        self.node = node
        axes = order.map { role in
            let size = switch role {
            case .channel: shape.channels
            case .row: shape.height
            case .column: shape.width
            }
            return size == 1 ? [] : [Factor(role: role, size: size, stride: 1)]
        }
    }

    private init(node: Int, channels: [Int]?, axes: [[Factor]]) {
        self.node = node
        self.channels = channels
        self.axes = axes
    }

    /// The sizes of the axes after the batch.
    var sizes: [Int] { axes.map { $0.reduce(1) { $0 * $1.size } } }

    func size(_ role: Role) -> Int {
        axes.joined().reduce(1) { $1.role == role ? $0 * $1.size : $0 }
    }

    /// The same view of another node of as many channels.
    func of(_ node: Int) -> TensorView { TensorView(node: node, channels: channels, axes: axes) }

    // MARK: - What is where

    /// The axis that holds all channels and nothing else. One of one channel is the first axis, or the last of
    /// [batch, row, column, channel].
    var channelAxis: Int? {
        let holders = axes.indices.filter { axes[$0].contains { $0.role == .channel } }
        if holders.isEmpty {
            return axes.indices.first { axes[$0].isEmpty }
        }
        guard holders.count == 1, axes[holders[0]].allSatisfy({ $0.role == .channel }) else { return nil }
        return holders[0]
    }

    /// Whether the view is [batch, channel, row, column].
    var isImage: Bool { axes.count == 3 && isOrdered([.channel, .row, .column]) }

    /// Whether each axis steps through one role, in this order.
    func isOrdered(_ roles: [Role]) -> Bool {
        axes.count == roles.count && zip(axes, roles).allSatisfy { axis, role in
            axis.isEmpty || (axis.count == 1 && axis[0].role == role && axis[0].stride == 1)
        }
    }

    /// Whether all axes but one step through a node as those of another view do.
    func agrees(with other: TensorView, besides axis: Int) -> Bool {
        axes.count == other.axes.count && axes.indices.allSatisfy { $0 == axis || axes[$0] == other.axes[$0] }
    }

    /// Whether all axes one after another step through channels, rows and columns as the node's memory does.
    var isInNodeOrder: Bool {
        let flat = TensorView(node: node, channels: nil, axes: [Array(axes.joined())]).merged().axes[0]
        return flat.allSatisfy { $0.stride == 1 }
            && zip(flat, flat.dropFirst()).allSatisfy { $0.role.rank < $1.role.rank }
    }

    /// For each value of the view, one after another, its place in [channel, row, column] of the node.
    func positions(rows: Int, columns: Int) -> [Int] {
        var result = [0]
        for factor in axes.joined() {
            let step = switch factor.role {
            case .channel: rows * columns
            case .row: columns
            case .column: 1
            }
            result = result.flatMap { base in (0 ..< factor.size).map { base + $0 * factor.stride * step } }
        }
        guard let channels else { return result }
        let area = rows * columns
        return result.map { channels[$0 / area] * area + $0 % area }
    }

    // MARK: - Other views

    /// - Parameter order: of the axes after the batch.
    func transposed(_ order: [Int]) -> TensorView {
        TensorView(node: node, channels: channels, axes: order.map { axes[$0] }).merged()
    }

    /// - Throws: ``ImportError`` where an axis would end within a row or a column.
    func reshaped(_ sizes: [Int]) throws(ImportError) -> TensorView {
        var rest = Array(axes.joined().reversed())
        var result: [[Factor]] = []
        for size in sizes {
            var axis: [Factor] = []
            var needed = size
            while needed > 1 {
                guard let next = rest.popLast() else { throw ImportError("a shape of as many values as the input") }
                if needed % next.size == 0 {
                    axis.append(next)
                    needed /= next.size
                } else if next.size % needed == 0 {
                    let inner = next.size / needed
                    axis.append(Factor(role: next.role, size: needed, stride: next.stride * inner))
                    rest.append(Factor(role: next.role, size: inner, stride: next.stride))
                    needed = 1
                } else {
                    throw ImportError("a shape that keeps channels, rows and columns apart")
                }
            }
            result.append(axis)
        }
        guard rest.isEmpty else { throw ImportError("a shape of as many values as the input") }
        return TensorView(node: node, channels: channels, axes: result).merged()
    }

    /// Without the axes that step through rows and columns, or with axes of size 1 instead.
    func reduced(_ reduced: Set<Int>, keepsAxes: Bool, node: Int) -> TensorView {
        var result: [[Factor]] = []
        for (index, axis) in axes.enumerated() {
            if !reduced.contains(index) { result.append(axis) } else if keepsAxes { result.append([]) }
        }
        return TensorView(node: node, channels: channels, axes: result)
    }

    /// The same rows and columns of another node, with all of its channels, in order, on the channel axis.
    ///
    /// - Precondition: the view has a channel axis.
    func of(_ node: Int, channelCount: Int) -> TensorView {
        TensorView(node: node, channels: nil, axes: axesReplacingChannels(count: channelCount))
    }

    /// The axes, the channel axis with so many channels.
    private func axesReplacingChannels(count: Int) -> [[Factor]] {
        var result = axes
        if let axis = channelAxis {
            result[axis] = count == 1 ? [] : [Factor(role: .channel, size: count, stride: 1)]
        }
        return result
    }

    /// Some of the channels, by their index in the view.
    ///
    /// - Precondition: the view has a channel axis.
    func selecting(_ indices: [Int]) -> TensorView {
        let all = channels ?? Array(0 ..< size(.channel))
        return TensorView(
            node: node, channels: indices.map { all[$0] }, axes: axesReplacingChannels(count: indices.count))
    }

    /// Joins factors that step on, and takes shuffled channels of one axis into the list of channels.
    private func merged() -> TensorView {
        var result = self
        for index in axes.indices {
            var axis: [Factor] = []
            for factor in axes[index] where factor.size > 1 {
                if let last = axis.last, last.role == factor.role, last.stride == factor.size * factor.stride {
                    axis[axis.count - 1] = Factor(
                        role: last.role, size: last.size * factor.size, stride: factor.stride)
                } else {
                    axis.append(factor)
                }
            }
            result.axes[index] = axis
        }
        guard let index = result.channelAxis, result.axes[index].count > 1 else { return result }
        var order = [0]
        for factor in result.axes[index] {
            order = order.flatMap { base in (0 ..< factor.size).map { base + $0 * factor.stride } }
        }
        result.channels = order.map { channels?[$0] ?? $0 }
        result.axes[index] = [Factor(role: .channel, size: order.count, stride: 1)]
        return result
    }
}

extension TensorView.Role {
    fileprivate var rank: Int {
        switch self {
        case .channel: 0
        case .row: 1
        case .column: 2
        }
    }
}
