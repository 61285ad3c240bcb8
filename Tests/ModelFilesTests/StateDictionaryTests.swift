import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

@Suite struct StateDictionaryTests {
    /// What PyTorch's libraries call the networks, with the lists of their tensors in Fixtures/state-dictionaries.
    static let networks = [
        ("vgg16", "torchvision.vgg16"), ("vgg16", "timm.vgg16"),
        ("resnet18", "torchvision.resnet18"), ("resnet18", "timm.resnet18"),
        ("resnet50", "torchvision.resnet50"), ("resnet50", "timm.resnet50"),
        ("inception-v3", "torchvision.inception_v3"), ("inception-v3-auxiliary", "timm.inception_v3"),
        ("mobilenet-v1", "timm.mobilenetv1_100"),
        ("mobilenet-v2", "torchvision.mobilenet_v2"), ("mobilenet-v2", "timm.mobilenetv2_100"),
        ("efficientnet-lite0", "timm.tf_efficientnet_lite0"),
    ]

    static func dictionary(_ architecture: String, _ module: String) throws -> StateDictionary {
        let naming = try #require(ModuleNaming(rawValue: String(module.prefix { $0 != "." })))
        return try StateDictionary(.named(architecture), naming: naming)
    }

    @Test(arguments: networks) func hasTheTensorsOfPyTorch(architecture: String, module: String) throws {
        let known = try Architecture.named(architecture)
        let network = try known.network(classes: known.standardClasses, input: known.standardInput)
        let shapes = try Self.dictionary(architecture, module).shapes(of: network)
        let lines = shapes.map { ([$0.name] + $0.shape.map(String.init)).joined(separator: " ") }
        let list = try String(contentsOfFile: fixture("state-dictionaries/\(module).txt"), encoding: .utf8)
        let expected = list.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("AuxLogits.") }
        #expect(lines.sorted() == expected.sorted())
    }

    @Test func everyListIsCompared() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture("state-dictionaries"))
        #expect(files.sorted() == Self.networks.map { "\($0.1).txt" }.sorted())
    }

    /// A file written and read computes the same, whatever connections and channels are missing.
    @Test(arguments: ["resnet18", "resnet50", "inception-v3", "mobilenet-v1", "mobilenet-v2", "efficientnet-lite0"])
    func readsWhatItWrote(architecture: String) throws {
        let known = try Architecture.named(architecture)
        let side = architecture == "inception-v3" ? 75 : 32
        let base = try known.network(classes: 5, input: Shape(channels: 3, height: side, width: side))
            .scaled(byDepthMultiplier: 0.25)
        let pruned = try prunedAtRandom(base)
        #expect(pruned.nodes.contains { $0.layer.kind == "channel-selection" } || base.nodes.count > pruned.nodes.count
            || zip(base.nodes, base.shapes).contains { pruned.shape(of: $0.name).channels < $1.channels })
        let networks = [base, try base.sparsified(with: Pattern.random(density: 0.3), seed: 1).network, pruned]
        for (number, network) in networks.enumerated() {
            var generator = SeededGenerator(seed: UInt64(number))
            let parameters = Parameters(drawing: network, using: &generator)
            let images = generator.bells(2 * base.inputShape.count)
            let expected = try outputs(of: network, parameters, images)
            for naming in known.namings {
                let dictionary = try StateDictionary(known, naming: naming)
                let bytes = try dictionary.writer(network, parameters: parameters, multiplier: 0.25).serialized()
                let file = try SafetensorsFile(bytes: bytes)
                let shapes = dictionary.shapes(of: base)
                #expect(shapes.allSatisfy { (try? file.tensor($0.name).shape) == $0.shape })
                #expect(try StateDictionary(known, guessedFrom: file).naming == known.namings.first { other in
                    shapes.elementsEqual((try? StateDictionary(known, naming: other).shapes(of: base)) ?? [], by: ==)
                })
                let model = try dictionary.model(file, side: side, multiplier: 0.25)
                let read = NetworkCost(model.network)
                #expect(read.connections == NetworkCost(network).connections, "network \(number), \(naming)")
                let error = relativeError(try outputs(of: model.network, model.parameters, images), expected)
                #expect(error < 1e-5, "network \(number), \(naming)")
            }
        }
    }

    /// So few connections are left that layers lose channels, and sums lose summands.
    private func prunedAtRandom(_ network: Network) throws -> Network {
        var generator = SeededGenerator(seed: 1)
        var kept: [String: ConnectionTable] = [:]
        for node in network.nodes where node.layer.kind == "convolution" {
            let table = network.connectionTable(of: node)
            let share: Float = table.density < 0.5 ? 0.9 : 4 / Float(table.inputCount)
            kept[node.name] = table.keeping((0 ..< table.count).map { _ in generator.uniform() < share })
        }
        return try Subnetwork(of: network, connections: kept).network
    }

    private func outputs(
        of network: Network, _ parameters: borrowing Parameters, _ images: [Float]
    ) throws -> [Float] {
        var plan = try InferencePlan(network, parameters: parameters, capacity: 2, pool: ThreadPool(threads: 1))
        return plan(images)
    }

    // MARK: - What files may hold

    private func resnet() throws -> (StateDictionary, Network) {
        let known = try Architecture.named("resnet18")
        let network = try known.network(classes: 3, input: Shape(channels: 3, height: 32, width: 32))
            .scaled(byDepthMultiplier: 0.05)
        return (try StateDictionary(known, naming: .torchvision), network)
    }

    /// A file of a small ResNet-18 with some tensors changed; nil leaves one out.
    private func file(
        _ change: (_ name: String, _ shape: [Int]) -> [Int]?, add: String? = nil
    ) throws -> SafetensorsFile {
        let (dictionary, network) = try resnet()
        var writer = SafetensorsWriter()
        for (name, shape) in dictionary.shapes(of: network) {
            guard let shape = change(name, shape) else { continue }
            writer.add(name, shape: shape, values: [Float](repeating: 1, count: shape.reduce(1, *)))
        }
        if let add { writer.add(add, shape: [1], values: [Float(1)]) }
        return try SafetensorsFile(bytes: writer.serialized(), path: "a.safetensors")
    }

    private func failure(_ file: SafetensorsFile) throws -> String {
        let (dictionary, _) = try resnet()
        do {
            _ = try dictionary.model(file, side: 32, multiplier: 0.05)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func namesTheTensorThatIsWrong() throws {
        #expect(try failure(file { $1 }) == "none")
        #expect(
            try failure(file { $0 == "layer1.0.bn2.weight" ? nil : $1 })
                == "a.safetensors: tensor layer1.0.bn2.weight: expected shape [4] for torchvision's resnet18, "
                + "found none of this name")
        #expect(
            try failure(file { $0 == "layer3.0.conv1.weight" ? $1.reversed() : $1 })
                == "a.safetensors: tensor layer3.0.conv1.weight: expected shape [13, 7, 3, 3] for torchvision's "
                + "resnet18, found [3, 3, 7, 13]")
        #expect(
            try failure(file({ $1 }, add: "layer5.0.conv1.weight"))
                == "a.safetensors: tensor layer5.0.conv1.weight: expected no tensor of this name for torchvision's "
                + "resnet18")
        #expect(try failure(file({ $1 }, add: "bn1.num_batches_tracked")) == "none")
        #expect(try failure(file { $0 == "fc.weight" ? [0, 1] : $1 }).contains("[class, input], found"))
        #expect(try failure(file { $0 == "conv1.weight" ? [7] : $1 }).contains("[filter, channel, row, column]"))
        #expect(try failure(file { name, _ in name == "fc.weight" ? nil : [1] }).contains("tensor fc.weight"))
        #expect(try failure(file { $0 == "fc.weight" ? [1, 1 << 12] : $1 }).contains("tensor fc.weight"))
    }

    @Test func refusesValuesThatAreNotFinite() throws {
        let (dictionary, network) = try resnet()
        for name in ["conv1.weight", "bn1.running_var", "fc.bias"] {
            var writer = SafetensorsWriter()
            for (other, shape) in dictionary.shapes(of: network) {
                var values = [Float](repeating: 1, count: shape.reduce(1, *))
                if other == name { values[0] = .nan }
                writer.add(other, shape: shape, values: values)
            }
            let message = try failure(SafetensorsFile(bytes: writer.serialized()))
            #expect(message.hasSuffix("tensor \(name): expected finite numbers"))
        }
    }

    @Test func refusesNegativeVariances() throws {
        let (dictionary, network) = try resnet()
        var writer = SafetensorsWriter()
        for (other, shape) in dictionary.shapes(of: network) {
            let value: Float = other == "bn1.running_var" ? -1 : 1
            writer.add(other, shape: shape, values: [Float](repeating: value, count: shape.reduce(1, *)))
        }
        let message = try failure(SafetensorsFile(bytes: writer.serialized()))
        #expect(message.hasSuffix("tensor bn1.running_var: expected variances of at least 0"))
    }

    /// Where one part of a concatenation is left, nothing says which channels it had.
    @Test func refusesConcatenationsOfOnePart() throws {
        let known = try Architecture.named("inception-v3")
        let base = try known.network(classes: 3, input: Shape(channels: 3, height: 75, width: 75))
            .scaled(byDepthMultiplier: 0.1)
        let joined = try #require(base.nodes.first { $0.layer == .concatenation })
        let first = base.shape(of: joined.inputs[0]).channels
        var made: Set = [joined.name]
        var tables: [String: ConnectionTable] = [:]
        for node in base.nodes where node.inputs.contains(where: made.contains) {
            guard case .convolution = node.layer else {
                if node.layer != .concatenation { made.insert(node.name) }
                continue
            }
            let filters = base.shape(of: node.name).channels
            tables[node.name] = ConnectionTable(
                inputCount: base.inputShape(of: node).channels, rows: Array(repeating: [first], count: filters))
        }
        let network = try Subnetwork(of: base, connections: tables).network
        #expect(network.index(of: joined.name) == nil)
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        let error = #expect(throws: NetworkError.self) {
            try StateDictionary(known, naming: .torchvision).writer(network, parameters: parameters, multiplier: 0.1)
        }
        #expect(error?.description.contains("two parts or more") == true)
    }

    /// Layers of the right names that read something else.
    @Test func refusesLayersThatAreWiredOtherwise() throws {
        let (dictionary, network) = try resnet()
        let whole = network.nodes
        let first = whole[1]
        let pool = try #require(whole.last { $0.layer == .globalAveragePooling })
        let short = try Network(
            name: network.name, nodes: [
                whole[0], first, Node(name: pool.name, layer: pool.layer, inputs: [first.name]), whole.last!,
            ])
        let parameters = Parameters(zerosFor: ParameterLayout(short))
        let error = #expect(throws: NetworkError.self) { try dictionary.writer(short, parameters: parameters) }
        #expect(error?.description.contains("expected the inputs of") == true)
    }

    /// torchvision's and timm's networks of these names are others.
    @Test func refusesNetworksThatAreOthers() throws {
        for (name, reason) in [
            ("vgg16-bn", "three fully connected layers"), ("vgg16n", "the paper's own"),
            ("mnist", "no network that is mnist"), ("cifar10", "no network that is cifar10"),
        ] {
            let error = #expect(throws: NetworkError.self) {
                try StateDictionary(.named(name), naming: .torchvision)
            }
            #expect(error?.message.contains(reason) == true)
        }
        let (dictionary, _) = try resnet()
        let other = try Network.resnet50(classes: 3, side: 32)
        let parameters = Parameters(zerosFor: ParameterLayout(other))
        #expect(throws: NetworkError.self) { try dictionary.writer(other, parameters: parameters) }
    }

    @Test(arguments: ["F16", "BF16"]) func readsHalfPrecision(type: String) throws {
        // 1, -2, the smallest and the largest numbers, and a fraction that rounds nowhere.
        let bits: [UInt16] = type == "F16"
            ? [0x3C00, 0xC000, 0x0001, 0x7BFF, 0x3555] : [0x3F80, 0xC000, 0x0001, 0x7F7F, 0x3EAB]
        let expected: [Float] = type == "F16"
            ? [1, -2, 0x1p-24, 65504, 0.333251953125]
            : [1, -2, 0x1p-133, 0x1.FEp127, 0.333984375]
        let header = #"{"x":{"dtype":"\#(type)","shape":[5],"data_offsets":[0,10]}}"#
        let length = (0 ..< 8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) }
        let bytes = length + header.utf8 + bits.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let file = try SafetensorsFile(bytes: bytes)
        #expect(try file.floatsOfAnyPrecision("x") == expected)
        #expect(throws: ModelFileError.self) { try file.floats("x") }
    }
}

/// The libraries themselves load what is written here, and compute the same; and the other way round. VGG-16, with half a
/// gigabyte of parameters, takes part where GOSSAMER_LARGE_NETWORKS is set.
@Suite(
    .serialized,
    .enabled(if: hasTorch, "needs the Python packages torch, torchvision and safetensors, see GOSSAMER_PYTHON"))
struct StateDictionaryInteroperabilityTests {
    private static let hasTimm = Python.has("timm")
    private static let script = Python.script("state-dictionaries.py")

    private static func side(_ architecture: String) -> Int {
        switch architecture {
        case "vgg16": 224
        case "inception-v3", "inception-v3-auxiliary": 107
        default: 64
        }
    }

    private func run(_ command: String, _ module: String, side: Int, _ folder: TemporaryFolder) throws {
        let result = try Python.run([Self.script, command, module, "\(side)", folder.path])
        try #require(result.status == 0, "\(result.output)")
    }

    private static let hasRoom = ProcessInfo.processInfo.environment["GOSSAMER_LARGE_NETWORKS"] != nil
    private static let networks = StateDictionaryTests.networks.filter {
        (hasTimm || !$0.1.hasPrefix("timm.")) && (hasRoom || $0.0 != "vgg16")
    }

    @Test(arguments: networks) func readsTheirs(architecture: String, module: String) throws {
        let folder = TemporaryFolder()
        let side = Self.side(architecture)
        try run("save", module, side: side, folder)
        let file = try SafetensorsFile(contentsOf: folder.file("state.safetensors"))
        let model = try StateDictionaryTests.dictionary(architecture, module).model(file, side: side)
        var plan = try InferencePlan(
            model.network, parameters: model.parameters, capacity: 2, pool: ThreadPool(threads: 1))
        let images = try rawFloats(ofFile: folder.file("images"))
        #expect(relativeError(plan(images), try rawFloats(ofFile: folder.file("outputs"))) < 1e-4)
    }

    @Test(arguments: networks, ["dense", "random:0.1"])
    func theyReadOurs(network: (architecture: String, module: String), pattern: String) throws {
        let folder = TemporaryFolder()
        let side = Self.side(network.architecture)
        let known = try Architecture.named(network.architecture)
        let made = try known.network(classes: 1000, input: Shape(channels: 3, height: side, width: side))
            .withoutAuxiliaryHeads.sparsified(with: Pattern(parsing: pattern), seed: 1).network
        var generator = SeededGenerator(seed: 1)
        let parameters = Parameters(drawing: made, using: &generator)
        try StateDictionaryTests.dictionary(network.architecture, network.module)
            .writer(made, parameters: parameters).write(to: folder.file("state.safetensors"), durable: false)
        let images = generator.bells(made.inputShape.count)
        try writeRaw(images, to: folder.file("images"))
        try run("load", network.module, side: side, folder)
        var plan = try InferencePlan(made, parameters: parameters, capacity: 1, pool: ThreadPool(threads: 1))
        #expect(relativeError(try rawFloats(ofFile: folder.file("outputs")), plan(images)) < 1e-4)
    }
}

private let hasTorch = Python.has("torch", "torchvision", "safetensors")
