import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// Turns the operators of a graph into a draft of a network, one after another: constants are computed, changes of
/// shape become views, and all others become nodes.
struct GraphReader {
    enum Value {
        case constant(Constant)
        case view(TensorView)
        /// An input or output that is not there.
        case none
    }

    let file: String
    let operatorSet: Int
    var draft = Draft()
    var budget: ValueBudget
    /// The size of the first axis; 1 where the file leaves it open.
    private(set) var batch = 1
    private var values: [String: Value] = [:]
    /// Sparse initializers that nothing has read yet.
    private var sparseTensors: [String: Onnx_SparseTensorProto] = [:]
    /// Selections of a node's channels that were made already.
    var selections: [TensorView: Int] = [:]

    static let largestNodeCount = 1 << 16
    /// Products of a larger one with the sizes of images would overflow.
    private static let largestBatch = 1 << 16

    private init(file: String, operatorSet: Int, budget: ValueBudget) {
        self.file = file
        self.operatorSet = operatorSet
        self.budget = budget
    }

    /// - Parameters:
    ///   - byteCount: of the message.
    ///   - output: the name of the output to compute; nil where the graph has one only.
    ///   - side: height and width of the images where the graph leaves them open.
    /// - Returns: the draft, and the node that computes the output.
    static func read(
        _ model: Onnx_ModelProto, byteCount: Int, file: String, files: consuming ExternalFiles, output: String?,
        side: Int?
    ) throws(ModelFileError) -> (draft: Draft, output: Int) {
        let graph = model.graph
        var reader = GraphReader(
            file: file, operatorSet: try operatorSet(of: model, file: file),
            budget: ValueBudget(fileByteCount: byteCount))
        guard graph.node.count <= largestNodeCount else {
            throw .malformed(file: file, field: "graph", expected: "at most \(largestNodeCount) nodes")
        }
        try reader.readInitializers(graph, &files)
        try reader.readInput(graph, side: side)
        let wanted = try outputName(graph, output, file: file)
        for index in try GraphOrder.nodes(of: graph, leadingTo: wanted, file: file) {
            let node = graph.node[index]
            do throws(ImportError) {
                try reader.read(node, &files)
            } catch {
                throw .malformed(file: file, field: label(node), expected: error.expected)
            }
        }
        do throws(ImportError) {
            // The output may need nodes of its own.
            let node = try reader.finish(wanted)
            return (reader.draft, node)
        } catch {
            throw .malformed(file: file, field: "output '\(wanted)'", expected: error.expected)
        }
    }

    private static func label(_ node: Onnx_NodeProto) -> String {
        let name = node.name.isEmpty ? node.output.first ?? "" : node.name
        return "node '\(name)' (\(node.domain.isEmpty ? "" : node.domain + ".")\(node.opType))"
    }

    private static func operatorSet(of model: Onnx_ModelProto, file: String) throws(ModelFileError) -> Int {
        let versions = model.opsetImport.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map(\.version)
        guard let version = versions.first, model.hasGraph else {
            throw .malformed(file: file, field: "opset_import", expected: "a graph of ONNX operators and its version")
        }
        guard version >= 7 else {
            throw .malformed(file: file, field: "opset_import", expected: "version 7 or newer, found \(version)")
        }
        return Int(version)
    }

    private static func outputName(
        _ graph: Onnx_GraphProto, _ wanted: String?, file: String
    ) throws(ModelFileError) -> String {
        let names = graph.output.map(\.name)
        if let wanted {
            guard names.contains(wanted) else {
                throw .mismatch(
                    file: file, field: "outputs",
                    expected: "one called '\(wanted)', found \(names.joined(separator: ", "))")
            }
            return wanted
        }
        guard names.count == 1 else {
            throw .mismatch(
                file: file, field: "outputs",
                expected: "one, or to be told which to take, found \(names.joined(separator: ", "))")
        }
        return names[0]
    }
}

// MARK: - Values

extension GraphReader {
    private mutating func readInitializers(
        _ graph: Onnx_GraphProto, _ files: inout ExternalFiles
    ) throws(ModelFileError) {
        for tensor in graph.initializer {
            do throws(ImportError) {
                let constant = Constant(try StoredTensor(tensor, files: &files), name: tensor.name)
                values[tensor.name] = .constant(constant)
            } catch {
                throw .malformed(file: file, field: "tensor '\(tensor.name)'", expected: error.expected)
            }
        }
        for tensor in graph.sparseInitializer { sparseTensors[tensor.values.name] = tensor }
    }

    /// Writes out the sparse initializers that a node is the first to read.
    mutating func readSparseInputs(
        _ node: Onnx_NodeProto, _ files: inout ExternalFiles
    ) throws(ImportError) {
        for name in node.input {
            guard let tensor = sparseTensors.removeValue(forKey: name) else { continue }
            do throws(ImportError) {
                values[name] = .constant(try SparseTensor.dense(tensor, files: &files, &budget))
            } catch {
                throw ImportError("\(error.expected) (sparse tensor '\(name)')")
            }
        }
    }

    /// Spends the channels of the images among some values: a view may list them.
    mutating func payForChannels(of names: [String]) throws(ImportError) {
        for name in names {
            if case .view(let view)? = values[name] { try budget.spend(view.size(.channel)) }
        }
    }

    private mutating func readInput(_ graph: Onnx_GraphProto, side: Int?) throws(ModelFileError) {
        let inputs = graph.input.filter { values[$0.name] == nil && sparseTensors[$0.name] == nil }
        guard inputs.count == 1, let input = inputs.first else {
            throw .mismatch(
                file: file, field: "inputs", expected: "one, found \(inputs.map(\.name).joined(separator: ", "))")
        }
        let dims = input.type.tensorType.shape.dim
        let sizes = dims.map { $0.dimValue > 0 ? Int($0.dimValue) : nil }
        do throws(ImportError) {
            let order = Self.order(of: input.name, sizes, graph)
            batch = sizes.first.flatMap { $0 } ?? 1
            guard batch <= Self.largestBatch else {
                throw ImportError("an open batch, or one of at most \(Self.largestBatch) images, found \(batch)")
            }
            func size(_ role: TensorView.Role) throws(ImportError) -> Int {
                guard let axis = order.firstIndex(of: role) else { return 1 }
                guard let size = sizes[axis + 1] ?? (role == .channel ? nil : side) else {
                    throw ImportError("sizes that are known, or an image size; axis \(axis + 1) is open")
                }
                return size
            }
            guard !order.isEmpty else { throw ImportError("[batch, channel, row, column], it has \(dims.count) axes") }
            let shape = Shape(channels: try size(.channel), height: try size(.row), width: try size(.column))
            let node = try draft.add(input.name, .layer(.input(shape)), [], shape: shape)
            values[input.name] = .view(TensorView(node: node, shape: shape, order: order))
        } catch {
            throw .malformed(file: file, field: "input '\(input.name)'", expected: error.expected)
        }
    }

    /// The order of the input's axes after the batch. Channels come last where the first operator moves them, and where
    /// square images of one or three channels can mean nothing else.
    private static func order(of name: String, _ sizes: [Int?], _ graph: Onnx_GraphProto) -> [TensorView.Role] {
        switch sizes.count {
        case 2: return [.channel]
        case 4:
            let readers = graph.node.filter { $0.input.first == name }
            if readers.contains(where: { channelsFirstOperators.contains($0.opType) }) { break }
            let moves = readers.contains { $0.opType == "Transpose" && $0.integers("perm") == [0, 3, 1, 2] }
            let looksLast = (sizes[3] == 1 || sizes[3] == 3) && sizes[1] == sizes[2] && sizes[1].map { $0 > 4 } != false
            if moves || looksLast { return [.row, .column, .channel] }
        default: return []
        }
        return [.channel, .row, .column]
    }

    private static let channelsFirstOperators: Set = [
        "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization", "LRN",
    ]

    mutating func set(_ node: Onnx_NodeProto, _ value: Value, output index: Int = 0) {
        if index < node.output.count { values[node.output[index]] = value }
    }

    func value(_ node: Onnx_NodeProto, _ index: Int) throws(ImportError) -> Value {
        guard let name = node.inputName(index) else { return .none }
        guard let value = values[name] else { throw ImportError("inputs that something computes, '\(name)' is not") }
        return value
    }

    /// An input that must be a constant; nil where it is left out.
    func constant(_ node: Onnx_NodeProto, _ index: Int) throws(ImportError) -> Constant? {
        switch try value(node, index) {
        case .constant(let constant): return constant
        case .none: return nil
        case .view: throw ImportError("input \(index) to be a constant, it depends on the images")
        }
    }

    /// Integers of an attribute, or of the input that took its place in a later version of ONNX.
    ///
    /// - Parameter largest: how many there may be; two for each axis unless told.
    func integers(
        _ node: Onnx_NodeProto, _ name: String, input index: Int, atMost largest: Int = 2 * StoredTensor.largestRank
    ) throws(ImportError) -> [Int]? {
        if let values = node.integers(name) { return values }
        return try constant(node, index)?.integers(atMost: largest)
    }

    /// An input that must depend on the images.
    func view(_ node: Onnx_NodeProto, _ index: Int = 0) throws(ImportError) -> TensorView {
        guard case .view(let view) = try value(node, index) else {
            throw ImportError("input \(index) to depend on the images, it is a constant or left out")
        }
        return view
    }

    /// An input of [batch, channel, row, column].
    func image(_ node: Onnx_NodeProto, _ index: Int = 0) throws(ImportError) -> TensorView {
        let view = try view(node, index)
        guard view.isImage else { throw ImportError("input \(index) as [batch, channel, row, column]") }
        return view
    }

    func shape(_ view: TensorView) -> Shape { draft.nodes[view.node].shape }

    /// The sizes of a value, the batch included.
    func sizes(_ value: Value) -> [Int] {
        switch value {
        case .constant(let constant): constant.shape
        case .view(let view): [batch] + view.sizes
        case .none: []
        }
    }

    /// The node of the output, whose channels must be whole and in order.
    fileprivate mutating func finish(_ name: String) throws(ImportError) -> Int {
        guard case .view(let view)? = values[name] else { throw ImportError("to depend on the images") }
        let ordered = try inOrder(view)
        guard ordered.isInNodeOrder || ordered.axes.count >= 3 else {
            throw ImportError("channels, rows and columns in this order")
        }
        return ordered.node
    }
}
