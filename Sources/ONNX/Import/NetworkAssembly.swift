import GossamerConnectivity
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// A draft as a network with its parameters.
struct NetworkAssembly: ~Copyable {
    let network: Network
    let parameters: Parameters

    /// - Parameters:
    ///   - output: the node whose value is the network's output; what it does not need is left out.
    ///   - name: of the network.
    init(_ draft: Draft, output: Int, name: String, file: String) throws(ModelFileError) {
        let counts = draft.readerCounts(output: output)
        let live = draft.nodes.indices.filter { counts[$0] > 0 || $0 == 0 }
        guard counts[0] > 0 else {
            throw .malformed(file: file, field: "graph", expected: "an output that depends on the images")
        }
        do throws(ExecutionError) {
            let operations = live.map { draft.nodes[$0].operation }
            try requireMemory(byteCount: Self.weightByteCount(of: operations), for: "network '\(name)'")
        } catch {
            throw .unreadable(file: file, reason: error.description)
        }
        var nodes: [Node] = []
        var connections: [String: ConnectionTable] = [:]
        for index in live {
            let node = draft.nodes[index]
            do throws(ImportError) {
                let layer = try Self.layer(node)
                if case .convolution(let convolution) = Self.weighted(node.operation) {
                    let inputs = draft.nodes[node.inputs[0]].shape.channels
                    connections[node.name] = try convolution.table(inputCount: inputs)
                }
                nodes.append(Node(name: node.name, layer: layer, inputs: node.inputs.map { draft.nodes[$0].name }))
            } catch {
                throw .malformed(file: file, field: "layer '\(node.name)'", expected: error.expected)
            }
        }
        let network: Network
        do throws(NetworkError) {
            network = try Network(name: name, nodes: nodes, connections: connections)
        } catch {
            throw .malformed(file: file, field: "graph", expected: "a network that fits together: \(error)")
        }
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        for index in live {
            let node = draft.nodes[index]
            do throws(ImportError) {
                try Self.fill(parameters, node, connections[node.name])
            } catch {
                throw .malformed(file: file, field: "layer '\(node.name)'", expected: error.expected)
            }
        }
        self.network = network
        self.parameters = parameters
    }

    /// Bytes that the weights of some operations take, whichever of their kernels are zero, with those that the largest
    /// takes while it is read.
    private static func weightByteCount(of operations: [Draft.Operation]) -> Int {
        let weights = operations.compactMap { operation -> Constant? in
            switch operation {
            case .convolution(let layer): layer.weight
            case .fullyConnected(let layer): layer.weight
            default: nil
            }
        }
        return weights.reduce(0) { $0 + MemoryLayout<Float>.size * $1.count }
            + (weights.map(\.storedByteCount).max() ?? 0)
    }

    /// An operation as what its weights belong to: a scaling that is left is a convolution of 1 x 1 kernels, one for
    /// each channel.
    private static func weighted(_ operation: Draft.Operation) -> Draft.Operation {
        guard case .affine(let scaling) = operation else { return operation }
        let channels = scaling.scale.count
        return .convolution(
            DraftConvolution(
                layer: Convolution(filters: channels, kernel: Size(1), padding: .valid, bias: true),
                weight: Constant(shape: [channels, 1, 1, 1], floats: scaling.scale), groups: channels,
                bias: scaling.shift))
    }

    private static func layer(_ node: Draft.Node) throws(ImportError) -> Layer {
        switch weighted(node.operation) {
        case .layer(let layer): return layer
        case .convolution(let convolution): return .convolution(convolution.patterned)
        case .fullyConnected(let layer):
            return .fullyConnected(FullyConnected(units: layer.units, bias: layer.bias != nil))
        case .normalization(let layer, _): return .batchNormalization(layer)
        case .padding(let edges, 0):
            return .padding(top: edges.top, left: edges.left, bottom: edges.bottom, right: edges.right)
        case .padding, .affine: throw ImportError("padding with zeros")
        }
    }

    private static func fill(
        _ parameters: borrowing Parameters, _ node: Draft.Node, _ table: ConnectionTable?
    ) throws(ImportError) {
        func set(_ role: ParameterLayout.Role, _ values: [Float]?) throws(ImportError) {
            guard let values else { return }
            guard values.allSatisfy(\.isFinite) else { throw ImportError("finite parameters") }
            parameters.set(parameters.layout.entry(node.name, role)!, to: values)
        }
        func kernel() -> UnsafeMutableBufferPointer<Float> {
            let entry = parameters.layout.entry(node.name, .kernel)!
            return UnsafeMutableBufferPointer(start: parameters.pointer(entry), count: entry.count)
        }
        switch weighted(node.operation) {
        case .convolution(let convolution):
            try convolution.write(table, to: kernel())
            guard kernel().areFinite else { throw ImportError("finite parameters") }
            try set(.bias, convolution.bias)
        case .fullyConnected(let layer):
            try layer.write(to: kernel())
            guard kernel().areFinite else { throw ImportError("finite parameters") }
            try set(.bias, layer.bias)
        case .normalization(_, let statistics):
            try set(.scale, statistics.scale)
            try set(.shift, statistics.shift)
            try set(.runningMean, statistics.mean)
            try set(.runningVariance, statistics.variance)
        default: break
        }
    }
}
