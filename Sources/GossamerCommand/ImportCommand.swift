import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments
import GossamerONNX

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read an ONNX file, or the parameters of torchvision or timm, and write a model file.",
        discussion: """
            Kernels that are all zero become missing connections, so that a network that was pruned elsewhere runs \
            sparse. What turns an image into the network's input is not in such files: say it here, and it travels \
            with the model. A safetensors file holds no network; name the one that its parameters are of.

            Examples:

              gossamer import resnet18.onnx --output resnet18.safetensors
              gossamer import resnet50.safetensors --network resnet50 --output resnet50-model.safetensors
              gossamer import lite0.onnx --output lite0.safetensors --class-names imagenet.txt \\
                --mean 0.498,0.498,0.498 --standard-deviation 0.502,0.502,0.502 \\
                --resizing shorter-side=256 --interpolation bicubic
            """)

    @Argument(help: "The file to read; tensors that ONNX keeps in other files must lie below its folder.")
    var file: String

    @Option(name: [.customLong("output"), .customShort("o")], help: "The model file to write.")
    var model: String

    @Option(help: "The built-in network that a safetensors file has the parameters of.")
    var network: String?

    @Option(help: "Whose names the parameters have: torchvision or timm. (default: what fits better)")
    var names: ModuleNaming?

    @Option(help: "The depth multiplier of that network. (default: 1)")
    var depthMultiplier: Double?

    @Option(help: "Which output to read, where an ONNX file has several.")
    var outputName: String?

    @Option(help: "Height and width of the images. (default: the file's, or what the network is made for)")
    var imageSize: Int?

    @Option(help: "A text file with the name of a class in each line.")
    var classNames: String?

    @Option(help: "What is taken from each channel of a pixel that counts from 0 to 1, as in 0.485,0.456,0.406.")
    var mean: String?

    @Option(help: "What each channel is divided by then, as in 0.229,0.224,0.225.")
    var standardDeviation: String?

    @Option(help: "How an image gets its size before its centre is cut out: \(Preprocessing.Resizing.forms).")
    var resizing: String?

    @Option(help: "How pixels between pixels are found: bilinear or bicubic.")
    var interpolation: Preprocessing.Interpolation?

    @Option(help: "Which colour the network takes first: rgb or bgr.")
    var channelOrder: Preprocessing.ChannelOrder?

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if let imageSize, !(1 ... 1 << 16).contains(imageSize) {
            throw ValidationError("--image-size \(imageSize): expected 1 to 65536")
        }
        if network == nil, names != nil || depthMultiplier != nil {
            throw ValidationError("--names and --depth-multiplier: expected only with --network")
        }
        if network == nil, file.hasSuffix(".safetensors") {
            throw ValidationError("--network: expected the network that '\(file)' has the parameters of")
        }
        if network != nil, outputName != nil {
            throw ValidationError("--output-name: expected only for an ONNX file")
        }
        if let resizing, Preprocessing.Resizing(parsing: resizing) == nil {
            throw ValidationError("--resizing \(resizing): expected \(Preprocessing.Resizing.forms)")
        }
    }

    func run() throws {
        let imported = try read()
        let labels = try labels(imported.labels, of: imported.network)
        try Model.save(imported.network, parameters: imported.parameters, labels: labels, to: model)
        let cost = NetworkCost(imported.network)
        let bytes = try byteCount(ofFile: model)
        Console.say(
            "\(imported.network.name): \(imported.network.nodes.count - 1) layers, "
                + "\(Format.exact(cost.parameters)) parameters, written to \(model), \(Format.bytes(bytes))",
            json: output.json)
        if output.json {
            try Console.printJSON(
                Outcome(
                    network: imported.network.name, layers: imported.network.nodes.count - 1,
                    parameters: cost.parameters, connections: cost.connections, file: model, fileBytes: bytes))
        }
    }

    private func read() throws -> Model {
        guard let network else {
            return try ONNXImporter(output: outputName, imageSize: imageSize).model(contentsOf: file)
        }
        let architecture = try Architecture.named(network)
        let file = try SafetensorsFile(contentsOf: file)
        let dictionary = try names.map { naming in try StateDictionary(architecture, naming: naming) }
            ?? StateDictionary(architecture, guessedFrom: file)
        return try dictionary.model(file, side: imageSize, multiplier: depthMultiplier ?? 1)
    }

    /// What the file says, and what the options say instead.
    private func labels(_ known: ModelLabels, of network: Network) throws -> ModelLabels {
        var labels = known
        if let classNames {
            labels.classNames = try Self.lines(of: classNames)
            guard labels.classNames.count == network.outputShape.count else {
                throw ValidationError(
                    "--class-names \(classNames): expected \(network.outputShape.count) lines, "
                        + "found \(labels.classNames.count)")
            }
        }
        let channels = network.inputShape.channels
        let means = try mean.map { try numbers($0, "--mean", count: channels) }
        let deviations = try standardDeviation.map { try numbers($0, "--standard-deviation", count: channels) }
        guard deviations?.allSatisfy({ $0 > 0 }) != false else {
            throw ValidationError("--standard-deviation: expected numbers above 0")
        }
        labels.preprocessing.normalization = Normalization(
            mean: means ?? labels.normalization.mean,
            standardDeviation: deviations ?? labels.normalization.standardDeviation)
        if let resizing { labels.preprocessing.resizing = Preprocessing.Resizing(parsing: resizing)! }
        if let interpolation { labels.preprocessing.interpolation = interpolation }
        if let channelOrder { labels.preprocessing.channelOrder = channelOrder }
        return labels
    }

    private func numbers(_ text: String, _ option: String, count: Int) throws -> [Float] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
        guard numbers.count == count, numbers.allSatisfy({ $0?.isFinite == true }) else {
            throw ValidationError("\(option) \(text): expected \(count) numbers with commas between them")
        }
        return numbers.map { $0! }
    }

    private static func lines(of path: String) throws -> [String] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ValidationError("--class-names \(path): cannot be read as text")
        }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private struct Outcome: Encodable {
        let network: String
        let layers: Int
        let parameters: Int
        let connections: Int
        let file: String
        let fileBytes: Int
    }
}

extension Preprocessing.Interpolation: ExpressibleByArgument {}
extension Preprocessing.ChannelOrder: ExpressibleByArgument {}
