import Foundation
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

@Suite struct NetworkJSONTests {
    private func network(_ nodes: String) throws -> Network {
        let image = #"{"name": "image", "layer": "input", "channels": 3, "height": 9, "width": 8}"#
        return try Network(json: #"{"name": "t", "nodes": [\#(image), \#(nodes)]}"#)
    }

    @Test func randomNetworksRoundTrip() throws {
        for seed in 0 ..< 300 as Range<UInt64> {
            let network = try RandomNetwork.draw(seed: seed)
            let copy = try Network(json: network.json)
            #expect(copy == network && copy.json == network.json, "seed \(seed)")
            let sparse = try network.sparsified(with: Pattern.random(density: 0.05), seed: seed).network
            #expect(try Network(json: sparse.json).nodes == sparse.nodes, "seed \(seed)")
            let data = try JSONEncoder().encode(["network": network])
            let nested = try JSONDecoder().decode([String: Network].self, from: data)
            #expect(nested == ["network": network], "seed \(seed)")
        }
    }

    @Test func everyFieldRoundTrips() throws {
        var net = NetworkBuilder(name: "a \"name\" / ü", input: Shape(channels: 3, height: 20, width: 24))
        var x = net.convolution(
            net.input, filters: 4, kernel: Size(height: 1, width: 7), stride: Size(height: 2, width: 1),
            padding: .explicit(top: 0, left: 3, bottom: 1, right: 2), bias: false,
            pattern: .random(density: 0.5, block: 2))
        x = net.batchNormalization(x, epsilon: 0.001, momentum: 0.01)
        x = net.averagePooling(x, kernel: 3, stride: 2, padding: .same, countsPadding: false)
        x = net.maxPooling(x, kernel: 2, padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
        x = net.add(.channelSelection([0, 3]), [x])
        x = net.dropout(net.addition(x, x), rate: 0.3)
        _ = net.fullyConnected(x, units: 5, bias: false)
        let network = try net.build()
        #expect(try Network(json: network.json) == network)
    }

    @Test func everyActivationRoundTrips() throws {
        let activations: [Activation] = [
            .relu, .relu6, .sigmoid, .hardSigmoid, .hardSwish, .swish, .leakyReLU(slope: 0.1),
            .clip(low: -1, high: 2.5), .clip(low: -.infinity, high: 3), .clip(low: 0.5, high: .infinity),
        ]
        var net = NetworkBuilder(name: "activations", input: Shape(channels: 2, height: 3, width: 4))
        _ = activations.reduce(net.input) { net.activation($0, $1) }
        let network = try net.build()
        #expect(network.nodes.dropFirst().map(\.layer) == activations.map { .activation($0) })
        #expect(network.nodes[1].name == "relu1" && network.nodes[2].name == "act1")
        #expect(try Network(json: network.json) == network)
        #expect(network.json.contains(#""layer":"relu6""#))
        #expect(network.json.contains(#"{"high":3,"inputs":["act7"],"layer":"clip","name":"act8"}"#))
    }

    @Test func newerLayersRoundTrip() throws {
        var net = NetworkBuilder(name: "layers", input: Shape(channels: 6, height: 9, width: 8))
        var x = net.padding(net.input, top: 1, left: 2, bottom: 0, right: 3)
        x = net.convolution(
            x, filters: 5, kernel: Size(3), padding: .valid, dilation: Size(height: 2, width: 1))
        x = net.localResponseNormalization(x, size: 3, alpha: 0.01, beta: 0.5, bias: 2)
        let gates = net.activation(net.convolution(net.globalAveragePooling(x), filters: 5, kernel: 1), .sigmoid)
        _ = net.softmax(net.multiplication(net.multiplication(x, x), gates))
        let network = try net.build()
        #expect(network.shape(of: "pad1") == Shape(channels: 6, height: 10, width: 13))
        #expect(network.outputShape == Shape(channels: 5, height: 6, width: 11))
        #expect(try Network(json: network.json) == network)
    }

    @Test func auxiliaryOutputsRoundTrip() throws {
        var net = NetworkBuilder(name: "heads", input: Shape(channels: 2, height: 4, width: 4))
        let x = net.relu(net.convolution(net.input, filters: 3, kernel: 3))
        for weight in [0.3, 1] {
            net.auxiliaryHead(weight: weight) { $0.fullyConnected($0.convolution(x, filters: 2, kernel: 1), units: 5) }
        }
        _ = net.fullyConnected(x, units: 5)
        let network = try net.build()
        #expect(network.auxiliaryOutputs.map(\.node) == ["auxiliary1.fc1", "auxiliary2.fc1"])
        #expect(try Network(json: network.json) == network)
        #expect(network.json.contains(#""auxiliaryOutputs": [{"node":"auxiliary1.fc1","weight":0.3},"#))
        let sparse = try network.sparsified(with: Pattern.random(density: 0.5), seed: 1).network
        #expect(try Network(json: sparse.json).auxiliaryOutputs == network.auxiliaryOutputs)
    }

    @Test(arguments: [
        (#"[{"node": "a", "weight": 0.5}, {"node": "b", "weight": 0.5}]"#, "a node before the last one"),
        (#"[{"node": "image", "weight": 0.5}]"#, "nothing reads it"),
        (#"[{"node": "a", "weight": 0}]"#, "above 0 and at most 1"),
        (#"[{"node": "a"}]"#, "field 'weight'"), (#"[{"node": "a", "weight": 1, "loss": 2}]"#, "field 'loss'"),
        (#"[{"node": "a", "weight": 1}, {"node": "c", "weight": 1}]"#, "as many values as the output"),
        (#"[3]"#, "'node' and 'weight'"),
        (#"[{"node": "a", "weight": 1}, {"node": "a", "weight": 1}]"#, "stands alone"),
    ]) func rejectsAuxiliaryOutputs(value: String, expected: String) throws {
        let other = #"{"name": "c", "layer": "fully-connected", "units": 3, "inputs": ["image"]},"#
        let text = """
            {"name": "t", "auxiliaryOutputs": \(value), "nodes": [
              {"name": "image", "layer": "input", "channels": 3, "height": 9, "width": 8},
              \(value.contains("c\"") ? other : "")
              {"name": "a", "layer": "fully-connected", "units": 2, "inputs": ["image"]},
              {"name": "b", "layer": "fully-connected", "units": 2, "inputs": ["image"]}]}
            """
        let error = #expect(throws: NetworkError.self) { try Network(json: text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func textIsStable() throws {
        let network = try network(#"{"name": "p", "layer": "max-pooling", "kernel": [2, 1]}"#)
        #expect(
            network.json == """
                {
                  "name": "t",
                  "nodes": [
                    {"channels":3,"height":9,"layer":"input","name":"image","width":8},
                    {"inputs":["image"],"kernel":[2,1],"layer":"max-pooling","name":"p","padding":"valid","stride":[2,1]}
                  ]
                }

                """)
    }

    @Test func defaultsAreWhatAUserExpects() throws {
        let network = try network(
            """
            {"name": "c", "layer": "convolution", "filters": 2, "kernel": [3, 1]},
            {"name": "b", "layer": "batch-normalization"},
            {"name": "p", "layer": "max-pooling", "kernel": 2},
            {"name": "a", "layer": "addition", "inputs": ["p", "p"]},
            {"name": "r", "layer": "relu", "inputs": "a"},
            {"name": "f", "layer": "fully-connected", "units": 4}
            """)
        #expect(network.nodes[1].layer == .convolution(Convolution(filters: 2, kernel: Size(height: 3, width: 1))))
        #expect(network.nodes[2].layer == .batchNormalization(BatchNormalization()))
        #expect(network.nodes[3].layer == .maxPooling(Pooling(kernel: Size(2))))
        #expect(network.nodes.dropFirst().map(\.inputs) == [["image"], ["c"], ["b"], ["p", "p"], ["a"], ["r"]])
    }

    @Test(arguments: [
        (
            #"{"name": "c", "layer": "convolutoin"}"#,
            "node 'c': field 'layer': unknown layer 'convolutoin', did you mean 'convolution'?"
        ),
        (
            #"{"name": "c", "layer": "convolution", "kernel": 3}"#,
            "node 'c': field 'filters': expected a whole number from 1 to 1048576, it is missing"
        ),
        (#"{"name": "c", "layer": "convolution", "filters": 2.5, "kernel": 3}"#, "found 2.5"),
        (#"{"name": "c", "layer": "convolution", "filters": 1e300, "kernel": 3}"#, "field 'filters'"),
        (#"{"name": "c", "layer": "convolution", "filters": 99999999999999999999, "kernel": 3}"#, "field 'filters'"),
        (#"{"name": "c", "layer": "convolution", "filters": true, "kernel": 3}"#, "found true"),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": [3]}"#, "field 'kernel': expected"),
        (
            #"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "strides": 2}"#,
            "field 'strides': unknown for the layer convolution, did you mean 'stride'?"
        ),
        (
            #"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "padding": "full"}"#,
            #"expected "same", "valid""#
        ),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "padding": -1}"#, "field 'padding'"),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "pattern": "random:2"}"#, "at most 1"),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "bias": 1}"#, "true or false"),
        (
            #"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "inputs": ["nowhere"]}"#,
            "'nowhere' is not an earlier node"
        ),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "inputs": [1]}"#, "field 'inputs'"),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 12, "padding": "valid"}"#, "does not fit"),
        (
            #"{"name": "c", "layer": "convolution", "filters": 1000000, "kernel": 1000000, "padding": 1000000}"#,
            "too many weights"
        ),
        (#"{"name": "image", "layer": "relu"}"#, "a name must be unique"),
        (#"{"name": "c", "layer": "dropout", "rate": 1}"#, "in [0, 1)"),
        (#"{"name": "c", "layer": "max-pooling", "kernel": 2, "countsPadding": true}"#, "countsPadding"),
        (#"{"name": "c", "layer": "channel-selection", "channels": [0, 0]}"#, "must ascend"),
        (#"{"name": "c", "layer": "channel-selection", "channels": [7]}"#, "within 0 ..< 3"),
        (#"{"name": "c", "layer": "channel-selection", "channels": []}"#, "sizes must be"),
        (#"{"name": "c", "layer": "relu", "inputs": []}"#, "takes one input, it has 0"),
        (#"{"name": "c", "layer": "addition", "inputs": "image"}"#, "2 or more inputs"),
        (#"{"name": "c", "layer": "multiplication", "inputs": "image"}"#, "takes two inputs, it has 1"),
        (#"{"name": "c", "layer": "leaky-relu"}"#, "field 'slope'"),
        (#"{"name": "c", "layer": "leaky-relu", "slope": -1}"#, "slope must be finite and at least 0, it is -1"),
        (#"{"name": "c", "layer": "leaky-relu", "slope": 1e999}"#, "field 'slope'"),
        (#"{"name": "c", "layer": "clip", "low": 2, "high": 1}"#, "low must be at most high, 1.0, it is 2.0"),
        (#"{"name": "c", "layer": "relu6", "high": 5}"#, "field 'high'"),
        (#"{"name": "c", "layer": "local-response-normalization", "size": 4}"#, "size must be odd"),
        (#"{"name": "c", "layer": "local-response-normalization", "size": 3, "bias": 0}"#, "bias must be"),
        (#"{"name": "c", "layer": "padding", "padding": "same"}"#, "a number of pixels, or [top"),
        (#"{"name": "c", "layer": "padding"}"#, "field 'padding'"),
        (#"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "dilation": 0}"#, "field 'dilation'"),
        (
            #"{"name": "c", "layer": "convolution", "filters": 2, "kernel": 3, "dilation": 5, "padding": "valid"}"#,
            "does not fit"
        ),
        (
            #"{"name": "i", "layer": "input", "channels": 1, "height": 1, "width": 1}"#,
            "only the first node is an input"
        ),
        (#"{"name": "c\n\u001b[2J", "layer": "relu"}"#, "node 2: field 'name'"),
        (#"{"layer": "relu"}"#, "node 2: field 'name'"),
        (#"[1]"#, "node 2: expected an object"),
        (#"{"name": "c", "layer": "relu""#, "not valid JSON"),
        (#"{"name": "c", "layer": "relu", "x\u001b": 1}"#, "field 'x?'"),
    ])
    func mistakesAreNamedInOneLine(node: String, expected: String) {
        let error = #expect(throws: NetworkError.self) { try network(node) }
        let text = error?.description ?? ""
        #expect(text.contains(expected), "\(text)")
        #expect(!text.contains("\n") && text.utf8.count < 400, "\(text)")
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("[]", "expected an object"), ("{}", "field 'name'"), ("null", "expected an object"),
        (#"{"name": "n"}"#, "field 'nodes'"), (#"{"name": "n", "nodes": []}"#, "first node must be the input"),
        (#"{"name": "n", "nodes": [], "layers": 1}"#, "field 'layers'"), (#"{"name": 3, "nodes": []}"#, "field 'name'"),
        (String(repeating: "[", count: 1_000_000), "JSON"), (String(repeating: "{\"a\":", count: 1_000), "JSON"),
        (String(repeating: "[", count: 100) + String(repeating: "]", count: 100), "expected an object"),
        ("[" + String(repeating: "true,", count: 800_000) + "0]", "expected an object"),
        (#"{"name": "n", "nodes": ["# + String(repeating: "true,", count: 800_000) + "0]}", "node 1: expected"),
        (#"{"name": "n", "nodes": "# + String(repeating: "[", count: 400) + String(repeating: "]", count: 400) + "}", "node"),
        (String(repeating: " ", count: 5_000_000), "at most 4194304 bytes"),
    ])
    func hostileTextIsRefused(text: String, expected: String) {
        let error = #expect(throws: NetworkError.self) { try Network(json: text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func tooManyNodesAreRefused() {
        let nodes = (0 ..< 20_000).map { #"{"name": "r\#($0)", "layer": "relu"}"# }.joined(separator: ",")
        let error = #expect(throws: NetworkError.self) { try network(nodes) }
        #expect(error?.message.contains("at most 16384 nodes") == true)
    }

    /// Sums of sums, each of which doubles the paths, and a chain as long as allowed.
    @Test func deepGraphsAreSparsifiedInBoundedTime() throws {
        var net = NetworkBuilder(name: "deep", input: Shape(channels: 2, height: 3, width: 3))
        var x = net.convolution(net.input, filters: 4, kernel: 1)
        for _ in 0 ..< 100 { x = net.addition(x, x) }
        for _ in 0 ..< 16_000 { x = net.relu(x) }
        for _ in 0 ..< 100 { x = net.addition(x, x) }
        _ = net.fullyConnected(net.convolution(x, filters: 2, kernel: 1), units: 2)
        let result = try net.build().sparsified(with: Pattern.random(density: 0.3), seed: 1)
        #expect(result.removed.isEmpty)
    }

    @Test func filesAreReadAndErrorsNameThem() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("network-json-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("net.json").path
        try Network.mnist().json.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try Network.load(jsonFile: file) == .mnist())
        try Data([0xff, 0x00]).write(to: URL(fileURLWithPath: file))
        let wrong = [(file, "expected UTF-8"), (folder.path, "expected a file"), (file + "x", "No such file")]
        for (path, expected) in wrong {
            let error = #expect(throws: NetworkError.self) { try Network.load(jsonFile: path) }
            #expect(error?.description.hasPrefix("\(path): ") == true)
            #expect(error?.description.contains(expected) == true)
        }
    }

    @Test func architecturesAreFoundByName() throws {
        let grey = Shape(channels: 1, height: 28, width: 28)
        let mnist = try Architecture.named("mnist").network(classes: 10, input: grey)
        #expect(try mnist == .mnist())
        #expect(Architecture.names.contains("mnist"))
        let error = #expect(throws: NetworkError.self) { try Architecture.named("mnits") }
        #expect(error?.message.contains("unknown network 'mnits', did you mean 'mnist'?") == true)
        for (channels, height, width) in [(1, 28, 27), (1, 3, 3), (0, 28, 28)] {
            let shape = Shape(channels: channels, height: height, width: width)
            #expect(throws: NetworkError.self) { try Architecture.named("mnist").network(classes: 10, input: shape) }
        }
        #expect(throws: NetworkError.self) { try Network.mnist(classes: 0) }
    }
}
