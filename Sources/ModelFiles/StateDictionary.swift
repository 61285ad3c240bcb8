import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// A built-in network's parameters as torchvision or timm call them and as PyTorch lays them out: kernels of
/// convolutions as [filter, channel of the group, row, column], of fully connected layers as [unit, input].
///
/// Files have zeros where a network has no connection. Reading makes kernels that are all zero missing connections,
/// unless they are few; writing puts back channels that a pattern left dead, as zeros.
public struct StateDictionary: Sendable {
    public let architecture: Architecture
    public let naming: ModuleNaming
    /// By node.
    private let modules: [String: String]
    private let firstModule: String
    private let lastModule: String

    /// A model has a name for each of its classes.
    private static let largestClassCount = 1 << 18
    private static let largestChannelCount = 1 << 12
    /// PyTorch's count of the batches that running statistics have seen; nothing here needs it.
    private static let batchCount = "num_batches_tracked"

    /// - Throws: ``NetworkError`` where the library has no such network.
    public init(_ architecture: Architecture, naming: ModuleNaming) throws(NetworkError) {
        self.architecture = architecture
        self.naming = naming
        let names = try architecture.moduleNames(naming)
        modules = Dictionary(uniqueKeysWithValues: names)
        firstModule = names.first!.module
        lastModule = names.last!.module
    }

    /// With the names that a file has, torchvision's where both have the same.
    ///
    /// - Throws: ``NetworkError`` where neither library has such a network.
    public init(_ architecture: Architecture, guessedFrom file: SafetensorsFile) throws(NetworkError) {
        let known = architecture.namings
        var best: (dictionary: StateDictionary, count: Int)?
        for naming in known.isEmpty ? [.torchvision] : known {
            let dictionary = try StateDictionary(architecture, naming: naming)
            let count = dictionary.modules.values.count { file.contains("\($0).weight") }
            if count > best?.count ?? -1 { best = (dictionary, count) }
        }
        self = best!.dictionary
    }

    private func whole(classes: Int, input: Shape, multiplier: Double) throws(NetworkError) -> Network {
        let network = try architecture.network(classes: classes, input: input).withoutAuxiliaryHeads
        // The libraries' VGG has features of 7 x 7 whatever the images.
        if architecture.name == "vgg16", input.height / 32 != 7 || input.width / 32 != 7 {
            throw NetworkError("\(naming)'s \(architecture.name) has images of 224 x 224 to 255 x 255, not \(input)")
        }
        return multiplier == 1 ? network : try network.scaled(byDepthMultiplier: multiplier)
    }

    /// One tensor of a file, and the parameter that it is.
    struct Tensor {
        let name: String
        let shape: [Int]
        let node: Node
        let entry: ParameterLayout.Entry
    }

    /// The tensors of a network, but for counts of batches.
    func tensors(of network: Network, _ layout: ParameterLayout) -> [Tensor] {
        layout.all.compactMap { entry in
            guard let module = modules[entry.node], let index = network.index(of: entry.node) else { return nil }
            let node = network.nodes[index]
            let suffix = entry.name.dropFirst(entry.node.utf8.count)
            return Tensor(
                name: module + suffix, shape: entry.role == .kernel ? shape(of: node, network) : entry.shape,
                node: node, entry: entry)
        }
    }

    /// Names and shapes of all tensors of a network but for counts of batches.
    package func shapes(of network: Network) -> [(name: String, shape: [Int])] {
        let network = network.withoutAuxiliaryHeads
        return tensors(of: network, ParameterLayout(network)).map { ($0.name, $0.shape) }
    }

    private func shape(of node: Node, _ network: Network) -> [Int] {
        let input = network.inputShape(of: node)
        switch node.layer {
        case .convolution(let layer):
            let channels = layer.pattern == .depthwise ? 1 : input.channels
            return [layer.filters, channels, layer.kernel.height, layer.kernel.width]
        case .fullyConnected(let layer):
            // timm's VGG has convolutions that cover the image in place of all but the last.
            let isConvolution = modules[node.name]!.hasPrefix("pre_logits.")
            return isConvolution
                ? [layer.units, input.channels, input.height, input.width] : [layer.units, input.count]
        default: preconditionFailure("no kernels")
        }
    }
}

// MARK: - Reading

extension StateDictionary {
    /// The network with the parameters of a file, which has all of its tensors and no others; an auxiliary head's are
    /// left out. Classes and channels of the images are as many as the file has.
    ///
    /// - Parameters:
    ///   - side: height and width of the images; nil for what the architecture is made for.
    ///   - multiplier: depth multiplier of the network.
    /// - Throws: ``ModelFileError`` naming the file, the tensor and what was expected.
    public func model(
        _ file: SafetensorsFile, side: Int? = nil, multiplier: Double = 1
    ) throws(ModelFileError) -> Model {
        let dense = try network(file, side: side, multiplier: multiplier)
        let layout = ParameterLayout(dense)
        let tensors = tensors(of: dense, layout)
        try check(file, holds: tensors)
        do throws(ExecutionError) {
            try requireMemory(byteCount: 2 * NetworkCost(dense).weightBytes, for: "importing '\(file.path)'")
        } catch {
            throw .unreadable(file: file.path, reason: error.description)
        }
        var connections: [String: ConnectionTable] = [:]
        var kernels: [String: [Float]] = [:]
        for tensor in tensors where tensor.entry.role == .kernel {
            guard case .convolution(let layer) = tensor.node.layer else { continue }
            let values = try values(of: tensor, file)
            let area = layer.kernel.height * layer.kernel.width
            guard let isZero = ZeroKernels.find(in: values, area: area) else {
                kernels[tensor.node.name] = values
                continue
            }
            let table = dense.connectionTable(of: tensor.node)
            connections[tensor.node.name] = table.keeping(isZero.map(!))
            kernels[tensor.node.name] = isZero.indices.filter { !isZero[$0] }
                .flatMap { values[$0 * area ..< ($0 + 1) * area] }
        }
        let network: Network
        do throws(NetworkError) {
            network = try Network(name: dense.name, nodes: dense.nodes, connections: connections)
        } catch {
            throw .malformed(file: file.path, field: "tensors", expected: "a network that fits together: \(error)")
        }
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        for tensor in tensors {
            let role = tensor.entry.role
            var values = role == .kernel ? kernels[tensor.node.name] : nil
            if values == nil { values = try self.values(of: tensor, file) }
            parameters.set(parameters.layout.entry(tensor.node.name, role)!, to: values!)
        }
        let labels = ModelLabels(
            unlabelled: network,
            origin: ["format": "safetensors", "names": naming.rawValue, "depthMultiplier": String(multiplier)])
        return Model(network: network, parameters: parameters, labels: labels)
    }

    /// The dense network of as many classes and channels as the file has.
    private func network(
        _ file: SafetensorsFile, side: Int?, multiplier: Double
    ) throws(ModelFileError) -> Network {
        let first = try file.tensor("\(firstModule).weight").shape
        let last = try file.tensor("\(lastModule).weight").shape
        guard let classes = last.first, (1 ... Self.largestClassCount).contains(classes), first.count == 4,
            (1 ... Self.largestChannelCount).contains(first[1])
        else {
            throw .mismatch(
                file: file.path, field: "tensors of \(firstModule) and \(lastModule)",
                expected: "[filter, channel, row, column] and [class, input], found \(first) and \(last)")
        }
        let standard = architecture.standardInput
        let input = Shape(channels: first[1], height: side ?? standard.height, width: side ?? standard.width)
        do throws(NetworkError) {
            return try whole(classes: classes, input: input, multiplier: multiplier)
        } catch {
            throw .mismatch(file: file.path, field: "network", expected: error.description)
        }
    }

    private func check(_ file: SafetensorsFile, holds tensors: [Tensor]) throws(ModelFileError) {
        for tensor in tensors {
            let isThere = file.contains(tensor.name)
            let found = isThere ? "found \(try file.tensor(tensor.name).shape)" : "found none of this name"
            guard isThere, try file.tensor(tensor.name).shape == tensor.shape else {
                throw .mismatch(
                    file: file.path, field: "tensor \(tensor.name)",
                    expected: "shape \(tensor.shape) for \(naming)'s \(architecture.name), \(found)")
            }
        }
        let known = Set(tensors.map(\.name))
        let hasHead = architecture.name.hasPrefix("inception-v3")
        for name in file.names where !known.contains(name) {
            // torchvision's Inception has a head that only training uses.
            if name.hasSuffix(".\(Self.batchCount)") || hasHead && name.hasPrefix("AuxLogits.") { continue }
            throw .mismatch(
                file: file.path, field: "tensor \(name)",
                expected: "no tensor of this name for \(naming)'s \(architecture.name)")
        }
    }

    private func values(of tensor: Tensor, _ file: SafetensorsFile) throws(ModelFileError) -> [Float] {
        let values = try file.floatsOfAnyPrecision(tensor.name)
        guard values.allSatisfy(\.isFinite) else {
            throw .malformed(file: file.path, field: "tensor \(tensor.name)", expected: "finite numbers")
        }
        guard tensor.entry.role != .runningVariance || values.allSatisfy({ $0 >= 0 }) else {
            throw .malformed(file: file.path, field: "tensor \(tensor.name)", expected: "variances of at least 0")
        }
        return values
    }
}

// MARK: - Writing

extension StateDictionary {
    /// The tensors of a network that is the architecture, or what a pattern left of it.
    ///
    /// - Parameter multiplier: the depth multiplier that the network was made with.
    /// - Throws: ``NetworkError`` where the network is not the architecture's.
    public func writer(
        _ network: Network, parameters: borrowing Parameters, multiplier: Double = 1
    ) throws(NetworkError) -> SafetensorsWriter {
        let network = network.withoutAuxiliaryHeads
        let whole = try whole(
            classes: network.outputShape.count, input: network.inputShape, multiplier: multiplier)
        do throws(ExecutionError) {
            try requireMemory(byteCount: NetworkCost(whole).weightBytes, for: "all parameters of '\(network.name)'")
        } catch {
            throw NetworkError(error.description)
        }
        let placement = try ChannelPlacement(of: network, in: whole)
        // What PyTorch's own writer says; some readers ask for it.
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for tensor in tensors(of: whole, ParameterLayout(whole)) {
            let name = tensor.node.name
            let isVariance = tensor.entry.role == .runningVariance
            var values = [Float](repeating: isVariance ? 1 : 0, count: tensor.shape.reduce(1, *))
            if let index = network.index(of: name) {
                let own = parameters.values(parameters.layout.entry(name, tensor.entry.role)!)
                let outputs = placement.places(of: name)
                if tensor.entry.role == .kernel {
                    let node = network.nodes[index]
                    // Kernels in the whole layer follow each other as in the file.
                    let channels = tensor.entry.shape[0] / whole.shape(of: name).channels
                    Self.place(
                        own, network.connectionTable(of: node), in: &values, area: values.count / tensor.entry.shape[0],
                        channels: channels, inputs: placement.places(of: node.inputs[0]), outputs: outputs)
                } else {
                    for (place, value) in zip(outputs, own) { values[place] = value }
                }
            }
            writer.add(tensor.name, shape: tensor.shape, values: values)
            if isVariance {
                let module = modules[name]!
                writer.add("\(module).\(Self.batchCount)", shape: [], values: [Int64(0)])
            }
        }
        return writer
    }

    /// Puts kernels, in the order of their connections, where they stand in all of a layer's.
    ///
    /// - Parameters:
    ///   - area: values in a kernel.
    ///   - channels: of the whole layer's input, or of a group of them.
    ///   - inputs: the place of each channel that the connections read.
    ///   - outputs: the place of each filter.
    private static func place(
        _ kernels: [Float], _ table: ConnectionTable, in values: inout [Float], area: Int, channels: Int,
        inputs: [Int], outputs: [Int]
    ) {
        var next = 0
        for filter in 0 ..< table.outputCount {
            for input in table.inputs(of: filter) {
                let start = (outputs[filter] * channels + inputs[Int(input)] % channels) * area
                for tap in 0 ..< area { values[start + tap] = kernels[next + tap] }
                next += area
            }
        }
    }
}
