import ArgumentParser
import Gossamer
import GossamerExperiments
import GossamerONNX

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a model file, or a network with initial weights, as ONNX.",
        discussion: """
            Depthwise and grouped convolutions are written as such, other sparse ones as dense ones with zeros. Images \
            go in as `images`, [batch, channel, row, column] and normalised; `logits` come out.

            Examples:

              gossamer export --model runs/tenth/model.safetensors --output tenth.onnx
              gossamer export --network resnet50 --pattern random:0.25 --output resnet50.onnx
            """)

    @Option(help: "A model file to read instead of making a network.")
    var model: String?

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Option(name: [.customLong("output")], help: "The ONNX file to write.")
    var file: String

    @Flag(help: "Multiply batch normalisation into the convolutions before it.")
    var foldBatchNormalization = false

    @Flag(help: "Leave out the zeros of sparse weights; ONNX Runtime reads such files, many others do not.")
    var sparseInitializers = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let exporter = ONNXExporter(
            foldsBatchNormalization: foldBatchNormalization, usesSparseInitializers: sparseInitializers)
        let name: String
        if let model {
            let model = try Model(contentsOf: model)
            name = model.network.name
            try exporter.write(model.network, parameters: model.parameters, labels: model.labels, to: file)
        } else {
            let made = try network.make(pattern: network.pattern, imageSize: imageSize).network
            name = made.name
            try requireMemory(byteCount: NetworkCost(made).weightBytes, for: "network '\(name)'")
            let parameters = Parameters(initializing: made, seed: network.seed)
            try exporter.write(made, parameters: parameters, to: file)
        }
        let bytes = try byteCount(ofFile: file)
        Console.say("\(name) written to \(file), \(Format.bytes(bytes))", json: output.json)
        if output.json { try Console.printJSON(Outcome(network: name, file: file, fileBytes: bytes)) }
    }

    private struct Outcome: Encodable {
        let network: String
        let file: String
        let fileBytes: Int
    }
}
