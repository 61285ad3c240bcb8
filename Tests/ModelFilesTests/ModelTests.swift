import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

@Suite struct ModelTests {
    private static let labels = ModelLabels(
        classNames: ["a", "b \"quoted\"", "c"],
        preprocessing: Preprocessing(
            resizing: .shorterSide(7), interpolation: .bicubic, channelOrder: .bgr,
            normalization: Normalization(mean: [0.5, 0.25], standardDeviation: [1, 2])),
        origin: ["data": "drawn"])

    private static func network() throws -> Network {
        var net = NetworkBuilder(name: "tiny", input: Shape(channels: 2, height: 6, width: 5))
        var x = net.relu(net.batchNormalization(net.convolution(net.input, filters: 8, kernel: 3, bias: false)))
        x = net.maxPooling(x, kernel: 2)
        x = net.relu(net.convolution(x, filters: 8, kernel: 3))
        _ = net.fullyConnected(net.globalAveragePooling(x), units: 3)
        return try net.build().sparsified(with: Pattern.random(density: 0.3), seed: 4).network
    }

    private static func writer() throws -> SafetensorsWriter {
        let network = try network()
        return Model.writer(network, parameters: Parameters(initializing: network, seed: 9), labels: labels)
    }

    @Test func whatIsWrittenReadsBack() throws {
        let folder = TemporaryFolder()
        let network = try Self.network()
        let parameters = Parameters(initializing: network, seed: 9)
        try Model.save(network, parameters: parameters, labels: Self.labels, to: folder.file("model"))
        let model = try Model(contentsOf: folder.file("model"))
        #expect(model.network == network)
        #expect(!model.network.connections.isEmpty)
        #expect(model.labels == Self.labels)
        for entry in parameters.layout.trained + parameters.layout.statistics {
            #expect(model.parameters.values(entry).bits == parameters.values(entry).bits, "\(entry.name)")
        }
        #expect(folder.contents == ["model"])
    }

    @Test func labelsOfEarlierFilesHoldTheNormalizationAlone() throws {
        var writer = try Self.writer()
        writer.metadata["gossamer.labels"] = """
            {"classNames":["a","b","c"],"normalization":{"mean":[0.5,0.25],"standardDeviation":[1,2]},"origin":{}}
            """
        let labels = try Model(SafetensorsFile(bytes: writer.serialized())).labels
        #expect(labels.preprocessing == Preprocessing(normalization: Self.labels.normalization))
        #expect(labels.classNames == ["a", "b", "c"])
    }

    @Test func theSameModelGivesTheSameBytes() throws {
        #expect(try Self.writer().serialized() == Self.writer().serialized())
    }

    /// No dense tensor hides in the file: its size is that of the active kernels and their indices.
    @Test(arguments: [1, 0.3, 0.1, 0.03])
    func sizeFollowsConnections(density: Double) throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: density), seed: 1).network
        let labels = ModelLabels(
            classNames: (0 ..< 10).map(String.init), normalization: Normalization(mean: [0], standardDeviation: [1]))
        let bytes = try Model.writer(
            network, parameters: Parameters(initializing: network, seed: 1), labels: labels).serialized()
        let cost = NetworkCost(network)
        let header = bytes.prefix(8).reversed().reduce(8) { $0 << 8 | Int($1) } & 0xffff_ffff
        #expect(bytes.count - 8 - header == cost.weightBytes + cost.indexBytes)
        #expect(header < 4096)
    }

    @Test func randomNetworksReadBack() throws {
        for seed in 0 ..< 60 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("models"))
            let network = RandomNetwork.draw(using: &generator)
            let labels = ModelLabels(
                classNames: (0 ..< network.outputShape.count).map { "class \($0)" },
                normalization: Normalization(
                    mean: Array(repeating: 0, count: network.inputShape.channels),
                    standardDeviation: Array(repeating: 1, count: network.inputShape.channels)))
            let parameters = Parameters(initializing: network, seed: seed)
            let bytes = try Model.writer(network, parameters: parameters, labels: labels).serialized()
            let model = try Model(SafetensorsFile(bytes: bytes))
            let isSame = model.network == network
            #expect(isSame, "seed \(seed)")
        }
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout SafetensorsWriter) -> Void
    }

    static let damages = [
        Damage(testDescription: "no format") { $0.metadata["gossamer.format"] = nil },
        Damage(testDescription: "a later format") { $0.metadata["gossamer.format"] = "2" },
        Damage(testDescription: "no network") { $0.metadata["gossamer.network"] = nil },
        Damage(testDescription: "a network that is not JSON") { $0.metadata["gossamer.network"] = "{" },
        Damage(testDescription: "another network") { writer in
            let text = writer.metadata["gossamer.network"]!
            writer.metadata["gossamer.network"] = text.replacingOccurrences(of: "\"filters\":8", with: "\"filters\":9")
        },
        Damage(testDescription: "a huge network") { writer in
            let text = writer.metadata["gossamer.network"]!
            writer.metadata["gossamer.network"] = text.replacingOccurrences(of: "\"units\":3", with: "\"units\":1000000")
        },
        Damage(testDescription: "a pattern of more connections than memory holds") { writer in
            writer.metadata["gossamer.network"] = """
                {"name":"wide","nodes":[{"name":"image","layer":"input","channels":1048576,"height":1,"width":1},
                {"name":"conv1","layer":"convolution","filters":1048576,"kernel":1,"pattern":"grouped:1"}]}
                """
        },
        Damage(testDescription: "too few class names") { writer in
            let text = writer.metadata["gossamer.labels"]!
            writer.metadata["gossamer.labels"] = text.replacingOccurrences(of: "\"a\",", with: "")
        },
        Damage(testDescription: "a deviation of zero") { writer in
            let text = writer.metadata["gossamer.labels"]!
            writer.metadata["gossamer.labels"] = text.replacingOccurrences(of: "[1,2]", with: "[1,0]")
        },
    ]

    @Test(arguments: damages)
    func damageIsNamed(_ damage: Damage) throws {
        var writer = try Self.writer()
        let before = writer.metadata
        damage.change(&writer)
        #expect(writer.metadata != before, "the damage did nothing")
        let bytes = try writer.serialized()
        let error = #expect(throws: ModelFileError.self) {
            _ = try Model(SafetensorsFile(bytes: bytes, path: "damaged"))
        }
        let text = try #require(error).description
        #expect(text.hasPrefix("damaged: "))
        #expect(!text.contains("\n"))
    }

    /// Values that training and import never write, in each kind of tensor, whichever way the model is read.
    @Test(arguments: [
        ("conv1.weight", .nan), ("fc1.bias", .infinity), ("norm1.running_mean", -.infinity),
        ("norm1.running_var", .nan), ("norm1.running_var", -1e-30),
    ] as [(String, Float)]) func impossibleValuesAreNamed(tensor: String, value: Float) throws {
        let network = try Self.network()
        let parameters = Parameters(initializing: network, seed: 9)
        var values = parameters.values(parameters.entry(tensor))
        values[values.count - 1] = value
        parameters.set(tensor, to: values)
        let bytes = try Model.writer(network, parameters: parameters, labels: Self.labels).serialized()
        let file = try SafetensorsFile(bytes: bytes, path: "damaged")
        let whole = #expect(throws: ModelFileError.self) { _ = try Model(file) }
        let streamed = #expect(throws: ModelFileError.self) {
            _ = try ModelFile(file).inferencePlan(pool: ThreadPool(threads: 1))
        }
        let expected = value.isFinite ? "variances of at least 0" : "finite numbers"
        for error in [whole, streamed] {
            #expect(error?.description == "damaged: tensor \(tensor): expected \(expected)")
        }
    }

    /// A few letters of a small file must not fill the memory.
    @Test(arguments: [1 << 11, 1 << 14, 1 << 20]) func patternsAreBoundedByTheFile(channels: Int) throws {
        var writer = try Self.writer()
        writer.metadata["gossamer.network"] = """
            {"name": "n", "nodes": [
              {"name": "image", "layer": "input", "channels": \(channels), "height": 1, "width": 1},
              {"name": "c", "layer": "convolution", "filters": \(channels), "kernel": 1, "pattern": "grouped:1"}]}
            """
        let error = #expect(throws: ModelFileError.self) { _ = try Model(SafetensorsFile(bytes: writer.serialized())) }
        #expect(error?.description.contains("connections, the most is 1048576") == true)
    }

    /// A terminal would obey some of them.
    @Test func labelsHaveNoControlCharacters() throws {
        var writer = try Self.writer()
        writer.metadata["gossamer.labels"] = #"""
            {"classNames":["\u001b]0;x\u0007b","\u009bK","é \u200d\n"],"origin":{"data\r":"\u0001"},
            "normalization":{"mean":[0.5,0.25],"standardDeviation":[1,2]}}
            """#
        var labels = try Model(SafetensorsFile(bytes: writer.serialized())).labels
        #expect(labels.classNames == ["?]0;x?b", "?K", "é \u{200d}?"])
        #expect(labels.origin == ["data?": "?"])
        labels.classNames[1] = "\u{7f}"
        labels.origin["seed"] = "\t1"
        #expect(labels.classNames == ["?]0;x?b", "?", "é \u{200d}?"])
        #expect(labels.origin == ["data?": "?", "seed": "?1"])
    }

    @Test func differencesFromADataSetAreNamed() {
        let names = Self.labels.classNames
        #expect(Self.labels.difference(from: names) == nil)
        #expect(Self.labels.difference(from: names + ["d"]) == nil)
        let text = "class 1 is 'b \"quoted\"' in the model and 'c?' in the data set"
        #expect(Self.labels.difference(from: ["a", "c\u{1b}", "b \"quoted\""]) == text)
    }

    @Test func damagedTablesAreRefused() throws {
        let bytes = try Self.writer().serialized()
        let file = try SafetensorsFile(bytes: bytes)
        let table = try #require(file.tensors.first { $0.name.hasSuffix(".inputs") })
        let dataStart = bytes.count - file.tensors.map(\.byteRange.upperBound).max()!
        var damaged = bytes
        // The first input channel of a row becomes one that does not exist.
        damaged[dataStart + table.byteRange.lowerBound + 1] = 1
        #expect(throws: ModelFileError.self) { _ = try Model(SafetensorsFile(bytes: damaged)) }
    }
}
