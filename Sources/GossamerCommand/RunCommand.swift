import ArgumentParser
import Gossamer
import GossamerExperiments

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Outputs of a model file for images given as tensors.",
        discussion: """
            Inputs and outputs are safetensors files. The input is a tensor of F32, [image, channel, row, column], \
            normalised as the network expects it; it has the name of the network's first layer, or is the only tensor. \
            The output has the name of the last layer, and is [image, value] where that is one pixel.

            Example:

              gossamer run --model lite0.safetensors --inputs images.safetensors --outputs logits.safetensors
            """)

    @Option(help: "A model file.")
    var model: String

    @Option(help: "A safetensors file with the images.")
    var inputs: String

    @Option(help: "The safetensors file to write.")
    var outputs: String

    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    /// Images that are computed together.
    private static let batch = 16

    func run() throws {
        let model = try ModelFile(contentsOf: model)
        let network = model.network.withoutAuxiliaryHeads
        let file = try SafetensorsFile(contentsOf: inputs)
        let name = try inputName(file, network)
        let shape = network.inputShape
        let tensor = try file.tensor(name)
        guard tensor.shape.count == 4, Array(tensor.shape[1...]) == [shape.channels, shape.height, shape.width],
            tensor.shape[0] > 0
        else {
            throw ModelFileError.mismatch(
                file: inputs, field: "tensor \(name)",
                expected: "[image, \(shape.channels), \(shape.height), \(shape.width)], found \(tensor.shape)")
        }
        let count = tensor.shape[0]
        let images = try file.floats(name).values
        var plan = try model.inferencePlan(
            capacity: min(count, Self.batch), pool: ThreadPool(threads: threads.count), choice: .remembering)
        let values = network.outputShape
        var results: [Float] = []
        results.reserveCapacity(count * values.count)
        for start in stride(from: 0, to: count, by: plan.capacity) {
            let end = min(count, start + plan.capacity)
            results += plan(Array(images[start * shape.count ..< end * shape.count]))
        }
        let last = network.nodes[network.nodes.count - 1].name
        let isPixel = values.height == 1 && values.width == 1
        var writer = SafetensorsWriter()
        writer.add(
            last, shape: [count, values.channels] + (isPixel ? [] : [values.height, values.width]), values: results)
        try writer.write(to: outputs)
        Console.say("\(last) of \(count) images written to \(outputs)", json: output.json)
        if output.json { try Console.printJSON(Outcome(output: last, images: count, file: outputs)) }
    }

    /// The tensor called as the network's input, or the only one.
    private func inputName(_ file: SafetensorsFile, _ network: Network) throws -> String {
        let name = network.nodes[0].name
        if file.contains(name) { return name }
        guard file.names.count == 1 else {
            throw ModelFileError.mismatch(
                file: inputs, field: "tensors", expected: "one called '\(name)', or one alone")
        }
        return file.names[0]
    }

    private struct Outcome: Encodable {
        let output: String
        let images: Int
        let file: String
    }
}
