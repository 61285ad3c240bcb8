/// Whose names the modules of a network have: those of PyTorch's library torchvision, or of timm.
public enum ModuleNaming: String, CaseIterable, Sendable {
    case torchvision, timm
}

extension Architecture {
    /// What the modules are called that hold the parameters of each node, in the order of the nodes: `layer1.0.conv1`
    /// where a state dictionary has `layer1.0.conv1.weight`.
    ///
    /// - Throws: ``NetworkError`` where the library has no such network.
    public func moduleNames(_ naming: ModuleNaming) throws(NetworkError) -> [(node: String, module: String)] {
        guard let rule = ModuleNames.rule(name, naming) else {
            let reason = ModuleNames.differences[name].map { ": \($0)" } ?? ""
            throw NetworkError("\(naming) has no network that is \(name)\(reason)")
        }
        let network = try network(classes: standardClasses, input: standardInput).withoutAuxiliaryHeads
        let nodes = network.nodes.filter(\.layer.hasParameters)
        let modules = rule(network)
        precondition(nodes.count == modules.count, "a module for every node of \(name) that has parameters")
        return zip(nodes, modules).map { ($0.name, $1) }
    }

    /// Whose names there are.
    public var namings: [ModuleNaming] { ModuleNaming.allCases.filter { ModuleNames.rule(name, $0) != nil } }
}

/// The one place that knows how torchvision and timm call things.
private enum ModuleNames {
    /// Modules in the order of the nodes that have parameters.
    typealias Rule = (Network) -> [String]

    static let differences = [
        "vgg16-bn": "their vgg16_bn ends in three fully connected layers, this one in one",
        "vgg16n": "it is the paper's own",
    ]

    static func rule(_ architecture: String, _ naming: ModuleNaming) -> Rule? {
        switch (architecture, naming) {
        case ("vgg16", .torchvision): { vgg($0) + ["classifier.0", "classifier.3", "classifier.6"] }
        case ("vgg16", .timm): { vgg($0) + ["pre_logits.fc1", "pre_logits.fc2", "head.fc"] }
        case ("resnet18", _): { _ in resnet(blocks: [2, 2, 2, 2], convolutions: 2) }
        case ("resnet50", _): { _ in resnet(blocks: [3, 4, 6, 3], convolutions: 3) }
        case ("inception-v3", _), ("inception-v3-auxiliary", _): { _ in inception }
        case ("mobilenet-v1", .timm): { _ in separable(blocks: [1, 2, 2, 6, 2]) }
        case ("mobilenet-v2", .torchvision): { _ in invertedResiduals(count: 17) }
        case ("mobilenet-v2", .timm): { _ in invertedResiduals(blocks: [1, 2, 3, 4, 3, 3, 1]) }
        case ("efficientnet-lite0", .timm): { _ in invertedResiduals(blocks: [1, 2, 2, 3, 3, 4, 1]) }
        default: nil
        }
    }

    /// Numbers count convolutions, ReLUs and poolings alike.
    private static func vgg(_ network: Network) -> [String] {
        let layers = network.nodes.dropFirst().prefix { $0.layer.kind != "fully-connected" }
        return zip(0..., layers).filter(\.1.layer.hasParameters).map { "features.\($0.0)" }
    }

    /// - Parameter convolutions: of a block; with three its first block projects too.
    private static func resnet(blocks: [Int], convolutions: Int) -> [String] {
        var names = ["conv1", "bn1"]
        for (stage, count) in zip(1..., blocks) {
            for block in 0 ..< count {
                let prefix = "layer\(stage).\(block)"
                if block == 0 && (stage > 1 || convolutions == 3) {
                    names += ["\(prefix).downsample.0", "\(prefix).downsample.1"]
                }
                names += (1 ... convolutions).flatMap { ["\(prefix).conv\($0)", "\(prefix).bn\($0)"] }
            }
        }
        return names + ["fc"]
    }

    private static let inception: [String] = {
        let a = "1x1 5x5_1 5x5_2 3x3dbl_1 3x3dbl_2 3x3dbl_3 _pool"
        let c = "1x1 7x7_1 7x7_2 7x7_3 7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5 _pool"
        let e = "1x1 3x3_1 3x3_2a 3x3_2b 3x3dbl_1 3x3dbl_2 3x3dbl_3a 3x3dbl_3b _pool"
        let blocks = [
            ("5b", a), ("5c", a), ("5d", a), ("6a", "3x3 3x3dbl_1 3x3dbl_2 3x3dbl_3"),
            ("6b", c), ("6c", c), ("6d", c), ("6e", c),
            ("7a", "3x3_1 3x3_2 7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4"), ("7b", e), ("7c", e),
        ]
        let stem = ["1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"].map { "Conv2d_\($0)" }
        let units = stem + blocks.flatMap { block, branches in
            branches.split(separator: " ").map { "Mixed_\(block).branch\($0)" }
        }
        return units.flatMap { ["\($0).conv", "\($0).bn"] } + ["fc"]
    }()

    /// torchvision's MobileNet V2: one list of all blocks, in each the convolutions with a ReLU6 in modules of their
    /// own.
    private static func invertedResiduals(count: Int) -> [String] {
        var names = ["features.0.0", "features.0.1"]
        for block in 1 ... count {
            let wrapped = block == 1 ? 1 : 2
            let modules = (0 ..< wrapped).flatMap { ["\($0).0", "\($0).1"] } + ["\(wrapped)", "\(wrapped + 1)"]
            names += modules.map { "features.\(block).conv.\($0)" }
        }
        return names + ["features.\(count + 1).0", "features.\(count + 1).1", "classifier.1"]
    }

    /// timm's networks of inverted residuals: stages of blocks, the first stage without expansion.
    private static func invertedResiduals(blocks: [Int]) -> [String] {
        ["conv_stem", "bn1"]
            + blocksOfTimm(blocks) { stage in stage == 0 ? ["dw", "pw"] : ["pw", "dw", "pwl"] }
            + ["conv_head", "bn2", "classifier"]
    }

    /// timm's MobileNet V1.
    private static func separable(blocks: [Int]) -> [String] {
        ["conv_stem", "bn1"] + blocksOfTimm(blocks) { _ in ["dw", "pw"] } + ["classifier"]
    }

    private static func blocksOfTimm(_ blocks: [Int], convolutions: (_ stage: Int) -> [String]) -> [String] {
        blocks.enumerated().flatMap { stage, count in
            (0 ..< count).flatMap { block in
                zip(1..., convolutions(stage)).flatMap { number, kind in
                    ["conv_\(kind)", "bn\(number)"].map { "blocks.\(stage).\(block).\($0)" }
                }
            }
        }
    }
}

extension Layer {
    fileprivate var hasParameters: Bool {
        switch self {
        case .convolution, .batchNormalization, .fullyConnected: true
        default: false
        }
    }
}
