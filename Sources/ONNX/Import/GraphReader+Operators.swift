import GossamerNetworks

extension GraphReader {
    /// Reads one node, whose inputs are known.
    mutating func read(_ node: Onnx_NodeProto, _ files: inout ExternalFiles) throws(ImportError) {
        guard node.domain.isEmpty || node.domain == "ai.onnx" else { throw Self.unsupported }
        try readSparseInputs(node, &files)
        if try readConstant(node, &files) { return }
        try payForChannels(of: node.input)
        try add(node)
        try payForChannels(of: node.output)
    }

    /// Adds what a node does with images to the draft.
    private mutating func add(_ node: Onnx_NodeProto) throws(ImportError) {
        switch node.opType {
        case "Conv": try addConvolution(node)
        case "BatchNormalization": try addNormalization(node)
        case "Gemm": try addGemm(node)
        case "MatMul": try addMatMul(node)
        case "MaxPool": try addMaxPooling(node)
        case "AveragePool": try addAveragePooling(node)
        case "GlobalAveragePool": try addGlobalPooling(node, axes: nil, keepsAxes: true)
        case "GlobalMaxPool": try addGlobalMaxPooling(node)
        case "ReduceMean": try addReduceMean(node)
        case "Pad": try addPadding(node)
        case "LRN": try addLocalResponseNormalization(node)
        case "Relu": try addActivation(node, .relu)
        case "Sigmoid": try addActivation(node, .sigmoid)
        case "HardSwish": try addActivation(node, .hardSwish)
        case "HardSigmoid": try addHardSigmoid(node)
        case "LeakyRelu": try addActivation(node, .leakyReLU(slope: Double(node.float("alpha", default: 0.01))))
        case "PRelu": try addPReLU(node)
        case "Clip": try addClip(node)
        case "Min", "Max": try addBound(node)
        case "Softmax": try addSoftmax(node)
        case "Add", "Sum", "Sub", "Mul", "Div", "Neg": try addArithmetic(node)
        case "Concat": try addConcatenation(node)
        case "Split": try split(node)
        case "Slice": try slice(node)
        case "Gather": try gather(node)
        case "Identity", "Dropout": set(node, .view(try view(node)))
        case "Cast":
            guard ConstantOperators.realTypes.contains(node.integer("to", default: 1)) else {
                throw ImportError("a cast to real numbers, which leaves images as they are")
            }
            set(node, .view(try view(node)))
        case "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose": try changeShape(node)
        default: throw Self.unsupported
        }
    }

    private static let unsupported = ImportError("an operator that can be imported; this one is not supported")

    /// Computes a node that does not depend on the images, or on nothing but their size.
    ///
    /// - Returns: whether it is one.
    private mutating func readConstant(
        _ node: Onnx_NodeProto, _ files: inout ExternalFiles
    ) throws(ImportError) -> Bool {
        if node.opType == "Constant" {
            let constant = try ConstantOperators.constant(node, &files, &budget)
            set(node, .constant(constant))
            return true
        }
        if node.opType == "Shape" || node.opType == "Size" {
            let sizes = sizes(try value(node, 0))
            set(node, .constant(try ConstantOperators.shape(node, sizes)))
            return true
        }
        var inputs: [Constant?] = []
        for index in node.input.indices {
            switch try value(node, index) {
            case .constant(let constant): inputs.append(constant)
            case .none: inputs.append(nil)
            case .view: return false
            }
        }
        let outputs = try ConstantOperators.evaluate(node, inputs, &budget)
        for (index, constant) in outputs.enumerated() {
            set(node, .constant(constant), output: index)
        }
        return true
    }

    /// What to call the layer of a node: after its weights, as PyTorch does, where they have a name of their own.
    func layerName(_ node: Onnx_NodeProto, weights: Constant?) -> String {
        for suffix in [".weight", "/weight"] {
            if let name = weights?.name, name.hasSuffix(suffix), name.count > suffix.count {
                return String(name.dropLast(suffix.count))
            }
        }
        return node.name.isEmpty ? node.output.first ?? node.opType : node.name
    }
}
