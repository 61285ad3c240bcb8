import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerONNX
import GossamerTensors
import GossamerTestSupport
import SwiftProtobuf
import Testing

/// What exported files say, read back with the same description of the format.
@Suite struct ExporterTests {
    private func export(
        _ network: Network, folds: Bool = false, labels: ModelLabels? = nil
    ) throws -> (model: Onnx_ModelProto, weights: [String: [Float]]) {
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 1)
        let parameters = Parameters(drawing: network, using: &generator)
        let path = folder.file("network.onnx")
        try ONNXExporter(foldsBatchNormalization: folds).write(
            network, parameters: parameters, labels: labels, to: path)
        #expect(folder.contents == ["network.onnx"])
        var weights: [String: [Float]] = [:]
        for entry in parameters.layout.trained { weights[entry.name] = parameters.values(entry) }
        return (try Onnx_ModelProto(serializedBytes: bytes(ofFile: path)), weights)
    }

    @Test func mnist() throws {
        let (model, weights) = try export(.mnist())
        #expect(model.opsetImport.map(\.version) == [17] && model.irVersion == 8)
        #expect(
            model.graph.node.map(\.opType)
                == ["Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool", "Conv", "Relu", "Flatten", "Gemm"])
        let (input, output) = (model.graph.input[0], model.graph.output[0])
        #expect(input.name == "images" && input.type.tensorType.shape.dim[0].dimParam == "batch")
        #expect(input.type.tensorType.shape.dim.dropFirst().map(\.dimValue) == [1, 28, 28])
        #expect(output.name == "logits" && output.type.tensorType.shape.dim.dropFirst().map(\.dimValue) == [10])
        #expect(model.graph.node.last?.output == ["logits"])
        let kernel = try #require(model.graph.initializer.first { $0.name == "conv2.weight" })
        #expect(kernel.dims == [64, 32, 5, 5])
        #expect(kernel.floats == weights["conv2.weight"])
        #expect(model.graph.node[0].attribute("pads") == [2, 2, 2, 2])
        #expect(model.graph.node[6].attribute("pads") == [0, 0, 0, 0])
        #expect(model.metadataProps.isEmpty)
    }

    @Test func sparseKernelsAreDenseWithZeros() throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: 0.1), seed: 1).network
        let (model, weights) = try export(network)
        let table = try #require(network.connections["conv2"])
        let kernel = try #require(model.graph.initializer.first { $0.name == "conv2.weight" })
        let values = try #require(weights["conv2.weight"])
        var expected = [Float](repeating: 0, count: 64 * 32 * 25)
        for filter in 0 ..< 64 {
            for connection in Int(table.rowStarts[filter]) ..< Int(table.rowStarts[filter + 1]) {
                let target = (filter * 32 + Int(table.inputs[connection])) * 25
                for tap in 0 ..< 25 { expected[target + tap] = values[connection * 25 + tap] }
            }
        }
        #expect(kernel.floats == expected)
    }

    @Test func groupsAreWrittenAsGroups() throws {
        var net = NetworkBuilder(name: "groups", input: Shape(channels: 6, height: 5, width: 5))
        var x = net.convolution(net.input, filters: 6, kernel: 3, pattern: .depthwise)
        x = net.convolution(x, filters: 4, kernel: 1, pattern: .grouped(2))
        _ = net.convolution(x, filters: 6, kernel: 1, pattern: .grouped(3))
        let graph = try export(net.build()).model.graph
        #expect(graph.node.map(\.group) == [6, 2, nil])
        #expect(graph.initializer.filter { $0.dims.count == 4 }.map { $0.dims[1] } == [1, 3, 4])
    }

    /// What a pattern drew is written as groups too, whatever the layers say.
    @Test func drawnGroupsAreWrittenAsGroups() throws {
        let dense = try Network.resnet18(classes: 10, side: 32).scaled(byDepthMultiplier: 0.25)
        let network = try dense.sparsified(with: Pattern.grouped(4), seed: 1).network
        let folder = TemporaryFolder()
        var generator = SeededGenerator(seed: 1)
        let whole = Parameters(drawing: dense, using: &generator)
        try ONNXExporter().write(dense, parameters: whole, to: folder.file("dense.onnx"))
        let parameters = Parameters(drawing: network, using: &generator)
        let path = folder.file("network.onnx")
        try ONNXExporter().write(network, parameters: parameters, to: path)
        #expect(try bytes(ofFile: path).count < bytes(ofFile: folder.file("dense.onnx")).count / 2)
        let nodes = try Onnx_ModelProto(serializedBytes: bytes(ofFile: path)).graph.node.filter { $0.opType == "Conv" }
        // The image has three channels for sixteen filters.
        #expect(nodes.count == 20 && nodes.dropFirst().allSatisfy { $0.group == 4 })
        let model = try ONNXImporter().model(contentsOf: path)
        #expect(NetworkCost(model.network).connections == NetworkCost(network).connections)
        let images = generator.bells(network.inputShape.count)
        var plan = try InferencePlan(network, parameters: parameters, pool: ThreadPool(threads: 1))
        var imported = try InferencePlan(model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
        #expect(relativeError(imported(images), plan(images)) < 1e-5)
    }

    @Test func groupsAreSeenInTheConnections() throws {
        var net = NetworkBuilder(name: "blocks", input: Shape(channels: 12, height: 4, width: 4))
        _ = net.convolution(net.input, filters: 24, kernel: 3, name: "conv")
        let plain = try net.build()
        func written(_ rows: [[Int]]) throws -> (group: Int64?, sizes: [Int64]?) {
            let table = ConnectionTable(inputCount: 12, rows: rows)
            let network = try Network(name: plain.name, nodes: plain.nodes, connections: ["conv": table])
            let graph = try export(network).model.graph
            return (graph.node[0].group, graph.initializer.first { $0.name == "conv.weight" }?.dims)
        }
        for groups in [2, 3, 4, 6, 12] {
            let channels = 12 / groups, filters = 24 / groups
            var rows = (0 ..< 24).map { Array($0 / filters * channels ..< ($0 / filters + 1) * channels) }
            let block = try written(rows)
            #expect(block.group == Int64(groups) && block.sizes == [24, Int64(channels), 3, 3])
            rows.swapAt(0, 23)
            #expect(try written(rows).group == nil)
            rows.swapAt(0, 23)
            rows[5].removeLast()
            let broken = try written(rows)
            #expect(broken.group == nil && broken.sizes == [24, 12, 3, 3])
        }
    }

    /// Zeros are left out where that is shorter, and what comes back is the same.
    @Test func sparseInitializers() throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: 0.05), seed: 1).network
        var generator = SeededGenerator(seed: 1)
        let parameters = Parameters(drawing: network, using: &generator)
        let folder = TemporaryFolder()
        let path = folder.file("network.onnx")
        var sizes: [Int] = []
        for isSparse in [false, true] {
            try ONNXExporter(usesSparseInitializers: isSparse).write(network, parameters: parameters, to: path)
            sizes.append(try bytes(ofFile: path).count)
            let model = try ONNXImporter().model(contentsOf: path)
            #expect(NetworkCost(model.network).connections == NetworkCost(network).connections)
            var plan = try InferencePlan(network, parameters: parameters, pool: ThreadPool(threads: 1))
            var imported = try InferencePlan(
                model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
            let images = generator.bells(network.inputShape.count)
            #expect(relativeError(imported(images), plan(images)) < 1e-5)
        }
        #expect(sizes[1] < sizes[0] / 4)
    }

    @Test func normalizationIsFoldedOnRequest() throws {
        var net = NetworkBuilder(name: "folded", input: Shape(channels: 2, height: 5, width: 5))
        let x = net.batchNormalization(net.convolution(net.input, filters: 3, kernel: 3))
        let y = net.convolution(x, filters: 3, kernel: 1, bias: false)
        _ = net.fullyConnected(net.addition(net.batchNormalization(y), y), units: 2)
        let network = try net.build()
        #expect(try export(network).model.graph.node.count { $0.opType == "BatchNormalization" } == 2)
        let folded = try export(network, folds: true).model.graph
        // The second convolution has another reader.
        #expect(folded.node.map(\.opType) == ["Conv", "Conv", "BatchNormalization", "Add", "Flatten", "Gemm"])
    }

    @Test func labelsAreMetadata() throws {
        let network = try Network.mnist(classes: 2)
        let labels = ModelLabels(
            classNames: ["a", "b \"c\""],
            preprocessing: Preprocessing(
                resizing: .shorterSide(256), interpolation: .bicubic,
                normalization: Normalization(mean: [0.5], standardDeviation: [0.25])),
            origin: ["data": "drawn"])
        let model = try export(network, labels: labels).model
        let entries = model.metadataProps
        let texts = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
        #expect(texts["gossamer.classNames"] == #"["a","b \"c\""]"#)
        #expect(texts["gossamer.origin"] == #"{"data":"drawn"}"#)
        // All of it comes back.
        #expect(try ONNXImporter().model(bytes: model.serializedBytes()).labels == labels)
        var earlier = model
        earlier.metadataProps.removeAll { $0.key == "gossamer.preprocessing" }
        var entry = Onnx_StringStringEntryProto()
        entry.key = "gossamer.normalization"
        entry.value = #"{"mean":[0.5],"standardDeviation":[0.25]}"#
        earlier.metadataProps.append(entry)
        #expect(
            try ONNXImporter().model(bytes: earlier.serializedBytes()).labels.preprocessing
                == Preprocessing(normalization: labels.normalization))
    }

    @Test func auxiliaryHeadsAreLeftOut() throws {
        let network = try Network.inceptionV3(classes: 3, side: 75, auxiliaryHead: true)
            .scaled(byDepthMultiplier: 0.05)
        let nodes = try export(network).model.graph.node
        #expect(nodes.count { $0.opType == "Conv" } == 94 && nodes.count { $0.opType == "Gemm" } == 1)
    }

    /// Values are called after nodes, but no two are called alike.
    @Test func namesAreUnique() throws {
        let nodes = [
            Node(name: "logits", layer: .input(Shape(channels: 1, height: 3, width: 3)), inputs: []),
            Node(name: "images", layer: .convolution(Convolution(filters: 2, kernel: Size(3))), inputs: ["logits"]),
            Node(name: "images.weight", layer: .activation(.relu), inputs: ["images"]),
            Node(name: "fc", layer: .fullyConnected(FullyConnected(units: 2)), inputs: ["images.weight"]),
        ]
        let graph = try export(Network(name: "names", nodes: nodes)).model.graph
        let values = graph.node.flatMap(\.output) + graph.input.map(\.name) + graph.initializer.map(\.name)
        #expect(Set(values).count == values.count)
        #expect(graph.node.allSatisfy { $0.input.allSatisfy(values.contains) })
    }

    @Test func refusesWhatTheFormatCannotHold() throws {
        var net = NetworkBuilder(name: "wide", input: Shape(channels: 1, height: 1, width: 1))
        let x = net.convolution(net.input, filters: 30_000, kernel: 1, name: "first")
        _ = net.convolution(x, filters: 30_000, kernel: 1, name: "second")
        let plain = try net.build()
        let table = ConnectionTable(inputCount: 30_000, rows: (0 ..< 30_000).map { [($0 + 1) % 30_000] })
        let network = try Network(name: "wide", nodes: plain.nodes, connections: ["second": table])
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        let folder = TemporaryFolder()
        let error = #expect(throws: ModelFileError.self) {
            try ONNXExporter().write(network, parameters: parameters, to: folder.file("wide.onnx"))
        }
        #expect(error?.description.contains("at most 2 GB") == true)
        #expect(folder.contents.isEmpty)
    }

    @Test func failsWithTheFileAsItWas() throws {
        let network = try Network.mnist()
        let parameters = Parameters(initializing: network, seed: 1)
        let folder = TemporaryFolder()
        #expect(throws: ModelFileError.self) {
            try ONNXExporter().write(network, parameters: parameters, to: folder.file("missing/network.onnx"))
        }
        #expect(folder.contents.isEmpty)
    }
}

extension Onnx_TensorProto {
    fileprivate var floats: [Float] { rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } }
}

extension Onnx_NodeProto {
    fileprivate func attribute(_ name: String) -> [Int64]? { attribute.first { $0.name == name }?.ints }

    fileprivate var group: Int64? { attribute.first { $0.name == "group" }?.i }
}
