import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerONNX
import GossamerTensors
import GossamerTestSupport
import Testing

/// ONNX's checker accepts exported files, and ONNX Runtime computes from them what an inference plan does.
///
/// GOSSAMER_PYTHON names an interpreter that has `onnx` and `onnxruntime`; without the packages the tests are skipped.
/// GOSSAMER_ONNX_NETWORKS, as in "vgg16n resnet50", names architectures to compare at their own sizes too.
@Suite(.enabled(if: hasRuntime, "needs the Python packages onnx and onnxruntime, see GOSSAMER_PYTHON"))
struct InteroperabilityTests {
    @Test func randomNetworks() throws {
        var cases = ExportedCases()
        try forEachCase("randomNetworks", count: 40) { generator, replay in
            let network = RandomNetwork.draw(using: &generator)
            try cases.add(network, count: 1 + generator.index(below: 3), folds: generator.index(below: 2) == 0)
        }
        try cases.check()
    }

    /// Layers in orders that images and vectors alternate in.
    @Test func layersAfterTheClassifier() throws {
        var net = NetworkBuilder(name: "mixed", input: Shape(channels: 3, height: 9, width: 8))
        var x = net.convolution(net.input, filters: 5, kernel: 4, stride: 2, padding: .same)
        x = net.averagePooling(x, kernel: 2, stride: 1, padding: .same, countsPadding: false)
        let a = net.fullyConnected(x, units: 6)
        let b = net.batchNormalization(net.convolution(net.relu(a), filters: 6, kernel: 1))
        let sum = net.addition(a, b)
        x = net.concatenation([net.add(.channelSelection([0, 2, 5]), [a]), net.maxPooling(sum, kernel: 1)])
        _ = net.dropout(net.add(.addition, [x, x, x]), rate: 0.3)
        var cases = ExportedCases()
        for folds in [false, true] { try cases.add(net.build(), count: 2, folds: folds) }
        try cases.check()
    }

    @Test(arguments: ["dense", "random:0.1", "random:0.1,block=4", "expander:0.1", "grouped:4"])
    func architectures(pattern: String) throws {
        let pattern = try Pattern(parsing: pattern)
        var cases = ExportedCases()
        let networks = try [
            Network.mnist(), .cifar10(), .vgg16BN(), .resnet50(classes: 10, side: 32), .inceptionV3(side: 75),
            .mobilenetV1(classes: 10, side: 32), .resnet18(classes: 10, side: 32), .mobilenetV2(classes: 10, side: 32),
            .efficientnetLite0(classes: 10, side: 32), .vgg16n(classes: 10, side: 64),
        ]
        for network in networks {
            try cases.add(network.sparsified(with: pattern, seed: 1).network, count: 2, folds: false)
        }
        try cases.check()
    }

    @Test func namedArchitectures() throws {
        let names = ProcessInfo.processInfo.environment["GOSSAMER_ONNX_NETWORKS"] ?? ""
        for name in names.split(separator: " ") {
            let known = try Architecture.named(String(name))
            let network = try known.network(classes: known.standardClasses, input: known.standardInput)
            for pattern in [Pattern.dense, .random(density: 0.1)] {
                var cases = ExportedCases()
                try cases.add(network.sparsified(with: pattern, seed: 1).network, count: 1, folds: false)
                try cases.check()
            }
        }
    }
}

/// Networks that other libraries define and export, against ONNX Runtime: see make-import-cases.py.
///
/// GOSSAMER_IMPORT_CASES, as in "dynamo:timm.resnet18:64 tf2onnx:MobileNet:96", names others than the usual ones. Cases
/// whose packages are missing are left out.
@Suite(.enabled(if: hasRuntime, "needs the Python packages onnx and onnxruntime, see GOSSAMER_PYTHON"))
struct ImportInteroperabilityTests {
    private static let usual = [
        "torchscript13:torchvision.resnet18:64", "torchscript12:torchvision.mobilenet_v2:64",
        "torchscript11:torchvision.mobilenet_v3_small:64", "torchscript9:torchvision.squeezenet1_1:64",
        "torchscript16:torchvision.shufflenet_v2_x0_5:64", "torchscript15:torchvision.efficientnet_b0:64",
        "torchscript13:torchvision.regnet_x_400mf:64", "torchscript14:torchvision.mnasnet0_5:64",
    ]

    @Test func importedNetworks() throws {
        let folder = TemporaryFolder()
        let named = ProcessInfo.processInfo.environment["GOSSAMER_IMPORT_CASES"]
        let cases = named.map { $0.split(separator: " ").map(String.init) } ?? Self.usual
        let result = try Python.run([Python.script("make-import-cases.py"), folder.path] + cases)
        #expect(result.status == 0, "\(result.output)")
        let lines = result.output.split(separator: "\n").map { $0.split(separator: " ") }
        let made = lines.filter { $0.first == "made" }
        // Every case is there, or said to be left out.
        #expect(made.count + lines.count { $0.starts(with: ["left", "out"]) } == cases.count, "\(result.output)")
        for line in made {
            let model = try ONNXImporter().model(contentsOf: folder.file("\(line[1]).onnx"))
            let images = try rawFloats(ofFile: folder.file("\(line[1]).images"))
            let count = images.count / model.network.inputShape.count
            var plan = try InferencePlan(
                model.network, parameters: model.parameters, capacity: count, pool: ThreadPool(threads: 1))
            let error = relativeError(plan(images), try rawFloats(ofFile: folder.file("\(line[1]).outputs")))
            #expect(error < 1e-4, "\(line[2])")
        }
    }
}

/// Files in a folder: NAME.onnx, and the images and outputs as raw floats.
private struct ExportedCases {
    private let folder = TemporaryFolder()
    private var count = 0

    mutating func add(_ network: Network, count images: Int, folds: Bool) throws {
        let name = "\(count)-\(network.name)-\(images)"
        count += 1
        var generator = SeededGenerator(seed: UInt64(count))
        let parameters = Parameters(drawing: network, using: &generator)
        try ONNXExporter(foldsBatchNormalization: folds).write(
            network, parameters: parameters, to: folder.file("\(name).onnx"))
        let input = generator.bells(images * network.inputShape.count)
        var plan = try InferencePlan(network, parameters: parameters, capacity: images, pool: ThreadPool(threads: 1))
        try writeRaw(input, to: folder.file("\(name).images"))
        try writeRaw(plan(input), to: folder.file("\(name).logits"))
    }

    func check() throws {
        let result = try Python.run([Python.script("compare-onnx.py"), folder.path])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.split(separator: "\n").count { $0.hasPrefix("same ") } == count, "\(result.output)")
    }
}

private let hasRuntime = Python.has("numpy", "onnx", "onnxruntime")
