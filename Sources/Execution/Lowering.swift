import CGossamerKernels
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// Turns the steps of a network into operations, as far as training and inference share them.
struct Lowering {
    let network: Network
    let lanes: Int
    let capacity: Int
    let list: StepList
    /// Where each value lies.
    let placements: [ValuePlacement]

    init(_ network: Network, lanes: Int, capacity: Int, isTraining: Bool) throws(ExecutionError) {
        try Self.checkTables(of: network)
        self.network = network
        self.lanes = lanes
        self.capacity = capacity
        list = StepList(network, isTraining: isTraining)
        placements = ValuePlacement.all(list, lanes: lanes)
    }

    /// Kernels number connections in 32 bits and channels in 16: a table and its transpose take eight bytes a
    /// connection.
    private static func checkTables(of network: Network) throws(ExecutionError) {
        var total = 0
        for node in network.nodes {
            guard node.layer.hasConnections else { continue }
            let count = network.connectionCount(of: node)
            guard count <= Int(Int32.max) else {
                throw ExecutionError(node: node.name, "a layer may have at most 2^31 - 1 connections, it has \(count)")
            }
            total += count
            if case .convolution(let layer) = node.layer, layer.dilation != Size(1) {
                let extent = network.geometry(of: node)!.extent
                let (area, overflows) = extent.height.multipliedReportingOverflow(by: extent.width)
                let (weights, isTooMuch) = area.multipliedReportingOverflow(by: 16 * count)
                try requireMemory(
                    byteCount: overflows || isTooMuch ? .max : weights, for: "the dilated kernels of '\(node.name)'")
            }
            let channels = max(network.shape(of: node.inputs[0]).channels, network.shape(of: node.name).channels)
            guard channels <= 1 << 16 else {
                throw ExecutionError(node: node.name, "a layer may have at most 65,536 channels on either side")
            }
        }
        try requireMemory(byteCount: 8 * total, for: "the connections of '\(network.name)'")
    }

    func layout(_ value: Int) -> ActivationLayout { placements[value].layout }

    /// The operation of a step that training and inference share; nil for layers that each lowers in its own way.
    func sharedOperation(for step: Step) throws(ExecutionError) -> (any DifferentiableOperation)? {
        let input = step.inputs[0], output = layout(step.output)
        switch step.node.layer {
        case .activation(let activation):
            guard let function = gsm_activation(activation) else {
                return BoundOperation(
                    name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                    outputLayout: output, bounds: step.node.layer.bounds!)
            }
            return ActivationOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                outputLayout: output, function: function)
        case .maxPooling(let layer):
            guard layer.kernel.height <= 15, layer.kernel.width <= 15 else {
                throw ExecutionError(node: step.node.name, "max pooling windows may be at most 15 x 15 pixels")
            }
            return MaxPoolingOperation(
                name: step.node.name, input: input, output: step.output, inputLayout: layout(input),
                outputLayout: output, geometry: network.geometry(of: step.node)!, imageCapacity: capacity,
                isTraining: list.isTraining)
        case .averagePooling, .globalAveragePooling:
            let countsPadding = if case .averagePooling(_, let counts) = step.node.layer { counts } else { false }
            return AveragePoolingOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                outputLayout: output,
                pooling: gsm_pooling(network.geometry(of: step.node)!, countsPadding: countsPadding))
        case .addition:
            return AdditionOperation(
                name: step.node.name, inputs: step.inputs, output: step.output,
                inputLayouts: step.inputs.map(layout), outputLayout: output, bounds: step.bounds)
        case .concatenation:
            return ConcatenationOperation(
                name: step.node.name, inputs: step.inputs, output: step.output,
                parts: parts(of: step), outputLayout: output)
        case .channelSelection(let channels):
            return ChannelSelectionOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, channels: channels,
                inputLayout: layout(input), outputLayout: output)
        case .localResponseNormalization(let layer):
            return ResponseNormalizationOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                outputLayout: output, layer: layer)
        case .softmax:
            return SoftmaxOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                outputLayout: output)
        case .multiplication:
            return MultiplicationOperation(
                name: step.node.name, inputs: step.inputs, output: step.output,
                layouts: (layout(input), layout(step.inputs[1])), outputLayout: output)
        case .padding(let top, let left, _, _):
            return PaddingOperation(
                name: step.node.name, inputs: step.inputs, output: step.output, inputLayout: layout(input),
                outputLayout: output, top: top, left: left)
        case .input, .convolution, .fullyConnected, .batchNormalization, .dropout:
            return nil
        }
    }

    func parts(of concatenation: Step) -> [ConcatenationOperation.Part] {
        let whole = placements[concatenation.output]
        var offset = whole.offset
        return concatenation.inputs.map { input in
            let placement = placements[input]
            defer { offset += placement.layout.shape.channels * whole.layout.channelPitch }
            return .init(
                layout: placement.layout, isInPlace: placement.root == whole.root && placement.offset == offset)
        }
    }

    /// The convolution of a step as the kernels see it; a fully connected layer's kernel covers the whole image.
    func descriptor(for step: Step, transposes: Bool) -> ConvolutionDescriptor {
        ConvolutionDescriptor(
            geometry: network.geometry(of: step.node)!, table: network.connectionTable(of: step.node),
            input: layout(step.inputs[0]), output: layout(step.output), transposes: transposes)
    }
}

/// Why a network cannot be compiled, or a plan cannot take what it is given.
public struct ExecutionError: Error, Hashable, CustomStringConvertible {
    public let node: String?
    public let message: String

    public init(node: String? = nil, _ message: String) {
        self.node = node
        self.message = message
    }

    public var description: String { node.map { "node '\($0)': \(message)" } ?? message }
}
