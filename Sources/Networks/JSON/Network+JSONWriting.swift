import GossamerTensors

extension Network {
    /// The network as JSON, one node a line, as docs/network-format.md describes it. The same network always gives the
    /// same text. Connections are not part of it: a model file stores them as tensors.
    public var json: String {
        let lines = nodes.map { "    \($0.value.text)" }.joined(separator: ",\n")
        let heads = auxiliaryOutputs.isEmpty ? "" : "  \"auxiliaryOutputs\": \(headValues.text),\n"
        return "{\n  \"name\": \(JSONValue.string(name).text),\n\(heads)  \"nodes\": [\n\(lines)\n  ]\n}\n"
    }

    var value: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "nodes": .array(nodes.map(\.value))]
        if !auxiliaryOutputs.isEmpty { members["auxiliaryOutputs"] = headValues }
        return .object(members)
    }

    private var headValues: JSONValue {
        .array(auxiliaryOutputs.map { .object(["node": .string($0.node), "weight": .number($0.weight)]) })
    }
}

extension Node {
    fileprivate var value: JSONValue {
        var members = layer.members
        members["name"] = .string(name)
        members["layer"] = .string(layer.kind)
        if !inputs.isEmpty { members["inputs"] = .array(inputs.map { .string($0) }) }
        return .object(members)
    }
}

extension Layer {
    fileprivate var members: [String: JSONValue] {
        switch self {
        case .input(let shape):
            return [
                "channels": .integer(shape.channels), "height": .integer(shape.height), "width": .integer(shape.width),
            ]
        case .convolution(let layer):
            var members: [String: JSONValue] = [
                "filters": .integer(layer.filters), "kernel": layer.kernel.value, "stride": layer.stride.value,
                "padding": layer.padding.value, "bias": .bool(layer.bias),
            ]
            if layer.dilation != Size(1) { members["dilation"] = layer.dilation.value }
            if let pattern = layer.pattern { members["pattern"] = .string(pattern.description) }
            return members
        case .batchNormalization(let layer):
            return ["epsilon": .number(layer.epsilon), "momentum": .number(layer.momentum)]
        case .activation(let activation):
            return activation.members
        case .localResponseNormalization(let layer):
            return [
                "size": .integer(layer.size), "alpha": .number(layer.alpha), "beta": .number(layer.beta),
                "bias": .number(layer.bias),
            ]
        case .maxPooling(let layer):
            return layer.members
        case .averagePooling(let layer, let countsPadding):
            return layer.members.merging(["countsPadding": .bool(countsPadding)]) { $1 }
        case .dropout(let rate):
            return ["rate": .number(rate)]
        case .fullyConnected(let layer):
            return ["units": .integer(layer.units), "bias": .bool(layer.bias)]
        case .channelSelection(let channels):
            return ["channels": .array(channels.map { .integer($0) })]
        case .padding(let top, let left, let bottom, let right):
            return ["padding": Padding.explicit(top: top, left: left, bottom: bottom, right: right).value]
        case .globalAveragePooling, .concatenation, .addition, .multiplication, .softmax:
            return [:]
        }
    }
}

extension Activation {
    fileprivate var members: [String: JSONValue] {
        switch self {
        case .leakyReLU(let slope): ["slope": .number(slope)]
        case .clip(let low, let high):
            ["low": low, "high": high].filter(\.value.isFinite).mapValues { .number($0) }
        case .relu, .relu6, .sigmoid, .hardSigmoid, .hardSwish, .swish: [:]
        }
    }
}

extension Pooling {
    fileprivate var members: [String: JSONValue] {
        ["kernel": kernel.value, "stride": stride.value, "padding": padding.value]
    }
}

extension Size {
    fileprivate var value: JSONValue {
        height == width ? .integer(height) : .array([.integer(height), .integer(width)])
    }
}

extension Padding {
    fileprivate var value: JSONValue {
        switch self {
        case .same: return .string("same")
        case .valid: return .string("valid")
        case .explicit(let top, let left, let bottom, let right):
            let sides = [top, left, bottom, right]
            return sides.allSatisfy { $0 == top } ? .integer(top) : .array(sides.map { .integer($0) })
        }
    }
}
