import GossamerConnectivity
import GossamerTensors

/// Checks a list of nodes and infers the shape that each one produces.
enum ShapeInference {
    /// Larger sizes are mistakes, and their products would overflow.
    static let largestSize = 1 << 20
    static let largestCount = 1 << 40
    static let largestWeightCount = 1 << 40
    static let largestMultiplyAdds = 1 << 46
    static let largestNodeCount = 1 << 14
    /// Of all nodes together: what reasoning about single channels can take.
    static let largestChannelTotal = 1 << 24

    /// - Parameter ends: nodes that nothing reads, besides the last one.
    static func infer(
        _ nodes: [Node], ends: Set<String>
    ) throws(NetworkError) -> (indices: [String: Int], shapes: [Shape]) {
        guard let first = nodes.first, case .input = first.layer else {
            throw NetworkError("the first node must be the input")
        }
        guard nodes.count <= largestNodeCount else {
            throw NetworkError("a network has at most \(largestNodeCount) nodes, this one has \(nodes.count)")
        }
        var indices: [String: Int] = [:]
        var shapes: [Shape] = []
        var isRead = [Bool](repeating: false, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard !node.name.isEmpty, indices[node.name] == nil else {
                throw NetworkError(node: node.name, "a name must be unique and not empty")
            }
            var inputs: [Shape] = []
            for name in node.inputs {
                guard let source = indices[name] else {
                    throw NetworkError(node: node.name, "its input '\(name)' is not an earlier node")
                }
                isRead[source] = true
                inputs.append(shapes[source])
            }
            shapes.append(try shape(of: node, inputs: inputs, isFirst: index == 0))
            indices[node.name] = index
        }
        guard shapes.reduce(0, { $0 + $1.channels }) <= largestChannelTotal else {
            throw NetworkError("the channels of all nodes must be at most \(largestChannelTotal) together")
        }
        if let unread = nodes.indices.dropLast().first(where: { !isRead[$0] && !ends.contains(nodes[$0].name) }) {
            throw NetworkError(node: nodes[unread].name, "nothing reads its output, and it is not the last node")
        }
        return (indices, shapes)
    }

    private static func shape(of node: Node, inputs: [Shape], isFirst: Bool) throws(NetworkError) -> Shape {
        let result = try unboundedShape(of: node, inputs: inputs, isFirst: isFirst)
        guard [result.channels, result.height, result.width].allSatisfy({ (1 ... largestSize).contains($0) }),
            result.count <= largestCount
        else { throw NetworkError(node: node.name, "its output would be \(result), sizes must be 1 to \(largestSize)") }
        return result
    }

    private static func unboundedShape(
        of node: Node, inputs: [Shape], isFirst: Bool
    ) throws(NetworkError) -> Shape {
        if case .input(let shape) = node.layer {
            guard isFirst, inputs.isEmpty else {
                throw NetworkError(node: node.name, "only the first node is an input")
            }
            return shape
        }
        let arity = node.layer.arity
        guard arity.contains(inputs.count), let input = inputs.first else {
            let few = arity.lowerBound == 1 ? "one input" : "two inputs"
            let expected = arity.count > 1 ? "\(arity.lowerBound) or more inputs" : few
            throw NetworkError(node: node.name, "\(node.layer.kind) takes \(expected), it has \(inputs.count)")
        }
        switch node.layer {
        case .input, .softmax: return input
        case .batchNormalization, .dropout, .activation, .localResponseNormalization:
            try checkNumbers(of: node)
            return input
        case .padding(let top, let left, let bottom, let right):
            guard [top, left, bottom, right].allSatisfy({ 0 ... largestSize ~= $0 }) else {
                throw NetworkError(node: node.name, "padding must be 0 to \(largestSize) pixels")
            }
            return Shape(
                channels: input.channels, height: top + input.height + bottom, width: left + input.width + right)
        case .convolution(let layer): return try windowed(node, input: input, channels: layer.filters)
        case .fullyConnected(let layer): return try windowed(node, input: input, channels: layer.units)
        case .maxPooling, .averagePooling, .globalAveragePooling:
            return try windowed(node, input: input, channels: input.channels)
        case .concatenation: return try concatenated(node, inputs)
        case .addition:
            if let other = inputs.first(where: { $0 != input }) {
                throw NetworkError(node: node.name, "addition needs equal shapes, it has \(input) and \(other)")
            }
            return input
        case .multiplication:
            let pixel = Shape(channels: input.channels, height: 1, width: 1)
            guard inputs[1] == input || inputs[1] == pixel else {
                throw NetworkError(
                    node: node.name,
                    "multiplication needs equal shapes, or \(pixel) as the second, it has \(input) and \(inputs[1])")
            }
            return input
        case .channelSelection(let channels):
            guard zip(channels, channels.dropFirst()).allSatisfy(<),
                channels.allSatisfy({ (0 ..< input.channels).contains($0) })
            else { throw NetworkError(node: node.name, "channels must ascend within 0 ..< \(input.channels)") }
            return Shape(channels: channels.count, height: input.height, width: input.width)
        }
    }

    /// Checks the hyperparameters of layers that change no shape.
    private static func checkNumbers(of node: Node) throws(NetworkError) {
        func require(_ isValid: Bool, _ field: String, _ expected: String, _ value: any CustomStringConvertible)
            throws(NetworkError) {
            guard isValid else {
                throw NetworkError(node: node.name, "\(field) must be \(expected), it is \(value)")
            }
        }
        switch node.layer {
        case .batchNormalization(let layer):
            for (name, value) in [("epsilon", layer.epsilon), ("momentum", layer.momentum)] {
                try require(value >= 0 && value <= 1, name, "in [0, 1]", value)
            }
        case .dropout(let rate): try require(rate >= 0 && rate < 1, "rate", "in [0, 1)", rate)
        case .activation(.leakyReLU(let slope)):
            try require(slope >= 0 && slope.isFinite, "slope", "finite and at least 0", slope)
        case .activation(.clip(let low, let high)):
            try require(low <= high && low < .infinity && high > -.infinity, "low", "at most high, \(high)", low)
        case .localResponseNormalization(let layer):
            try require(layer.size % 2 == 1 && 1 ... largestSize ~= layer.size, "size", "odd and positive", layer.size)
            for (name, value) in [("alpha", layer.alpha), ("beta", layer.beta)] {
                try require(value >= 0 && value.isFinite, name, "finite and at least 0", value)
            }
            try require(layer.bias > 0 && layer.bias.isFinite, "bias", "finite and above 0", layer.bias)
        default: break
        }
    }

    private static func windowed(_ node: Node, input: Shape, channels: Int) throws(NetworkError) -> Shape {
        for size in node.layer.windowSizes where !(0 ... largestSize).contains(size) {
            throw NetworkError(node: node.name, "size \(size) must be within 0 and \(largestSize)")
        }
        guard let geometry = node.layer.geometry(input: input) else {
            throw NetworkError(
                node: node.name,
                "its \(node.layer.kind) window does not fit on an image of \(input.height) x \(input.width)")
        }
        guard !node.layer.isPooling || geometry.everyWindowMeetsTheImage else {
            throw NetworkError(node: node.name, "a window would see nothing but padding")
        }
        let output = Shape(channels: channels, height: geometry.output.height, width: geometry.output.width)
        if node.layer.makesChannels { try checkWeights(node, input: input, geometry: geometry, output: output) }
        return output
    }

    /// Keeps every count of the network far from overflow.
    private static func checkWeights(
        _ node: Node, input: Shape, geometry: WindowGeometry, output: Shape
    ) throws(NetworkError) {
        func product(_ factors: Int...) -> Int {
            factors.reduce(1) { result, factor in
                let (value, overflow) = result.multipliedReportingOverflow(by: factor)
                return overflow ? .max : value
            }
        }
        let weights = product(input.channels, output.channels, geometry.kernel.height, geometry.kernel.width)
        guard weights <= largestWeightCount,
            product(weights, output.height, output.width) <= largestMultiplyAdds
        else { throw NetworkError(node: node.name, "it has too many weights or multiply-adds") }
    }

    private static func concatenated(_ node: Node, _ inputs: [Shape]) throws(NetworkError) -> Shape {
        var result = inputs[0]
        for other in inputs.dropFirst() {
            guard other.height == result.height, other.width == result.width else {
                throw NetworkError(
                    node: node.name, "concatenation needs images of one size, it has \(result) and \(other)")
            }
            result.channels += other.channels
        }
        return result
    }

    static func checkConnections(
        _ connections: [String: ConnectionTable], nodes: [Node], shapes: [Shape], indices: [String: Int]
    ) throws(NetworkError) {
        for (name, table) in connections.sorted(by: { $0.key < $1.key }) {
            guard let index = indices[name], case .convolution(let layer) = nodes[index].layer else {
                throw NetworkError(node: name, "connections belong to a convolution, and there is none of this name")
            }
            let inputs = shapes[indices[nodes[index].inputs[0]]!].channels
            guard table.inputCount == inputs, table.outputCount == layer.filters else {
                throw NetworkError(
                    node: name,
                    "connections are for \(table.inputCount) x \(table.outputCount) channels, "
                        + "expected \(inputs) x \(layer.filters)")
            }
        }
    }
}

extension Layer {
    /// How many inputs the layer reads.
    fileprivate var arity: ClosedRange<Int> {
        switch self {
        case .input: 0 ... 0
        case .concatenation: 1 ... 4096
        case .addition: 2 ... 4096
        case .multiplication: 2 ... 2
        default: 1 ... 1
        }
    }

    fileprivate var isPooling: Bool {
        switch self {
        case .maxPooling, .averagePooling: true
        default: false
        }
    }

    fileprivate var windowSizes: [Int] {
        func sizes(_ padding: Padding) -> [Int] {
            guard case .explicit(let top, let left, let bottom, let right) = padding else { return [] }
            return [top, left, bottom, right]
        }
        switch self {
        case .convolution(let layer):
            return [
                layer.filters, layer.kernel.height, layer.kernel.width, layer.stride.height, layer.stride.width,
                layer.dilation.height, layer.dilation.width,
            ] + sizes(layer.padding)
        case .maxPooling(let layer), .averagePooling(let layer, _):
            return [layer.kernel.height, layer.kernel.width, layer.stride.height, layer.stride.width]
                + sizes(layer.padding)
        default: return []
        }
    }
}
