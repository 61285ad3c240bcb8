import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerONNX
import GossamerTensors
import GossamerTestSupport
import Testing

/// Small files for every operator, with what ONNX Runtime computes from them: Scripts/make-onnx-fixtures.py.
@Suite struct ImporterTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/onnx").path

    private func model(_ name: String) throws -> Model {
        try ONNXImporter().model(contentsOf: "\(Self.folder)/\(name).onnx")
    }

    @Test(arguments: Fixture.names(in: "onnx")) func outputs(name: String) throws {
        let file = try SafetensorsFile(contentsOf: "\(Self.folder)/\(name.dropFirst(5)).safetensors")
        let (shape, values) = try file.floats("input")
        let model = try model(String(name.dropFirst(5)))
        let images = channelsFirst(values, shape, of: model.network.inputShape)
        let expected = try file.floats("output").values
        for capacity in [1, 16] {
            var plan = try InferencePlan(
                model.network, parameters: model.parameters, capacity: capacity, pool: ThreadPool(threads: 1))
            let step = min(capacity, shape[0]) * model.network.inputShape.count
            let outputs = stride(from: 0, to: images.count, by: step).flatMap { plan(Array(images[$0 ..< $0 + step])) }
            #expect(relativeError(outputs, expected) < 1e-5, "capacity \(capacity)")
        }
    }

    /// What is imported can be written, read and trained.
    @Test(arguments: Fixture.names(in: "onnx")) func models(name: String) throws {
        let model = try model(String(name.dropFirst(5)))
        let bytes = try Model.writer(model.network, parameters: model.parameters, labels: model.labels).serialized()
        let again = try Model(SafetensorsFile(bytes: bytes))
        #expect(again.network == model.network && again.labels == model.labels)
        guard model.parameters.layout.trainedCount > 0 else { return }
        _ = try TrainingPlan(model.network, capacity: 3, pool: ThreadPool(threads: 1))
    }

    private func channelsFirst(_ values: [Float], _ shape: [Int], of image: Shape) -> [Float] {
        guard Array(shape[1...]) != [image.channels, image.height, image.width] else { return values }
        var result = values
        for index in values.indices {
            let channel = index % image.channels, pixel = index / image.channels % (image.height * image.width)
            let first = index / image.count * image.count
            result[first + channel * image.height * image.width + pixel] = values[index]
        }
        return result
    }

    private func kinds(_ name: String) throws -> [String] { try model(name).network.nodes.map(\.layer.kind) }

    @Test func patternsBecomeLayers() throws {
        #expect(try kinds("hard-swish-arithmetic").suffix(2) == ["hard-swish", "hard-swish"])
        #expect(try kinds("hard-swish-product") == ["input", "hard-swish"])
        #expect(try kinds("swish") == ["input", "convolution", "swish"])
        #expect(try kinds("pad-conv") == ["input", "convolution"])
        #expect(try kinds("pad-average-pool") == ["input", "average-pooling"])
        #expect(try kinds("pad-max-pool") == ["input", "max-pooling"])
        #expect(try kinds("torch-static-padding") == ["input", "convolution"])
        #expect(try kinds("matmul-add") == ["input", "fully-connected"])
        #expect(try kinds("reduce-mean-input") == ["input", "global-average-pooling"])
        #expect(try kinds("conv-batch-normalization-scaled") == ["input", "convolution", "batch-normalization", "relu"])
        #expect(try kinds("concat-dropout").suffix(1) == ["concatenation"])
    }

    @Test func zeroKernelsAreNoConnections() throws {
        let network = try model("conv-zero-kernels").network
        let table = try #require(network.connections[network.nodes[1].name])
        #expect((0 ..< 5).map { table.inputs(of: $0).map(Int.init) } == [[0, 2], [0, 1, 2], [1], [0, 1, 2], []])
    }

    @Test func groupsAreConnections() throws {
        let grouped = try model("conv-groups").network
        #expect(grouped.connections[grouped.nodes[1].name]?.inputs(of: 3).map(Int.init) == [3, 4, 5])
        let depthwise = try model("conv-depthwise").network
        #expect(depthwise.connections[depthwise.nodes[1].name]?.inputs(of: 3).map(Int.init) == [1])
        #expect(depthwise.hasFixedConnectionsOnly && grouped.hasFixedConnectionsOnly)
    }

    @Test func layersAreCalledAsTheirWeights() throws {
        #expect(try model("conv-pads-strides").network.nodes.map(\.name) == ["x", "features.0"])
        #expect(try model("batch-normalization").network.nodes[1].name == "bn")
    }

    /// What the exporter writes comes back as it was.
    @Test func exportedNetworks() throws {
        let folder = TemporaryFolder()
        try forEachCase("exportedNetworks", count: 60) { generator, replay in
            let network = RandomNetwork.draw(using: &generator)
            let parameters = Parameters(drawing: network, using: &generator)
            let path = folder.file("network.onnx")
            try ONNXExporter().write(network, parameters: parameters, to: path)
            let model = try ONNXImporter().model(contentsOf: path)
            let images = generator.bells(2 * network.inputShape.count)
            var plan = try InferencePlan(network, parameters: parameters, capacity: 2, pool: ThreadPool(threads: 1))
            var imported = try InferencePlan(
                model.network, parameters: model.parameters, capacity: 2, pool: ThreadPool(threads: 1))
            #expect(relativeError(imported(images), plan(images)) < 1e-5, "\(replay)")
        }
    }
}
