import ArgumentParser
import Gossamer
import GossamerExperiments
import GossamerONNX

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a model file, or a network with initial weights, as ONNX or for torchvision or timm.",
        discussion: """
            Depthwise and grouped convolutions are written as such, other sparse ones as dense ones with zeros. Images \
            go in as `images`, [batch, channel, row, column] and normalised; `logits` come out.

            The format safetensors holds the parameters of a built-in network under the names that torchvision or timm \
            give them, for load_state_dict. Connections and channels that do not exist are zeros there.

            Examples:

              gossamer export --model runs/tenth/model.safetensors --output tenth.onnx
              gossamer export --network resnet50 --pattern random:0.25 --output resnet50.onnx
              gossamer export --model resnet50.safetensors --format safetensors --names torchvision \\
                --output resnet50-torchvision.safetensors
            """)

    @Option(help: "A model file to read instead of making a network.")
    var model: String?

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var file: String

    @Option(help: "What to write: onnx or safetensors.")
    var format = ExportFormat.onnx

    @Option(help: """
        Whose names a safetensors file has: torchvision or timm. (default: torchvision, if it has the network)
        """)
    var names: ModuleNaming?

    @Flag(help: "Multiply batch normalisation into the convolutions before it.")
    var foldBatchNormalization = false

    @Flag(help: "Leave out the zeros of sparse weights; ONNX Runtime reads such files, many others do not.")
    var sparseInitializers = false

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if model != nil { try network.requireUnused(beside: "--model", imageSize: imageSize) }
        if format == .onnx, names != nil { throw ValidationError("--names: expected only with --format safetensors") }
        if format == .safetensors, foldBatchNormalization || sparseInitializers {
            throw ValidationError(
                "--fold-batch-normalization and --sparse-initializers: expected only with --format onnx")
        }
    }

    func run() throws {
        let name: String
        if let model {
            let model = try Model(contentsOf: model)
            name = model.network.name
            let multiplier = model.labels.origin["depthMultiplier"].flatMap(Double.init) ?? 1
            try write(model.network, model.parameters, labels: model.labels, multiplier: multiplier)
        } else {
            let made = try network.make(pattern: network.pattern, imageSize: imageSize).network
            name = made.name
            try requireMemory(byteCount: NetworkCost(made).weightBytes, for: "network '\(name)'")
            let parameters = Parameters(initializing: made, seed: network.seed)
            try write(made, parameters, labels: nil, multiplier: network.depthMultiplier)
        }
        let bytes = try byteCount(ofFile: file)
        Console.say("\(name) written to \(file), \(Format.bytes(bytes))", json: output.json)
        if output.json { try Console.printJSON(Outcome(network: name, file: file, fileBytes: bytes)) }
    }

    private func write(
        _ network: Network, _ parameters: borrowing Parameters, labels: ModelLabels?, multiplier: Double
    ) throws {
        switch format {
        case .onnx:
            let exporter = ONNXExporter(
                foldsBatchNormalization: foldBatchNormalization, usesSparseInitializers: sparseInitializers)
            try exporter.write(network, parameters: parameters, labels: labels, to: file)
        case .safetensors:
            let architecture = try Architecture.named(network.name)
            let dictionary = try StateDictionary(
                architecture, naming: names ?? architecture.namings.first ?? .torchvision)
            try dictionary.writer(network, parameters: parameters, multiplier: multiplier).write(to: file)
        }
    }

    private struct Outcome: Encodable {
        let network: String
        let file: String
        let fileBytes: Int
    }
}

enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
    case onnx, safetensors
}

extension ModuleNaming: ExpressibleByArgument {}
