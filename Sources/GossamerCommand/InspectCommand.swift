import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Layers, shapes and exact costs of a network or a model file.",
        discussion: """
            Examples:

              gossamer inspect --network mnist --pattern random:0.1
              gossamer inspect --model runs/tenth/model.safetensors --json
              gossamer inspect --network vgg16n --pattern random:0.1 --implementations
            """)

    @Option(help: "A model file to read instead of making a network.")
    var model: String?

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Flag(help: "Say which kernel each layer of inference on one image gets and why, trying those not yet known.")
    var implementations = false

    @Option(help: "Predict time and memory of a training step on this many images too, on one thread.")
    var batch: Int?

    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard (1 ... 65_536).contains(batch ?? 1) else {
            throw ValidationError("--batch \(batch ?? 0): expected 1 to 65536")
        }
        if model != nil { try network.requireUnused(beside: "--model", imageSize: imageSize) }
    }

    func run() throws {
        var inspection = try model.map { try Inspection(model: $0) } ?? Inspection(network, imageSize: imageSize)
        try inspection.predict(batch: batch)
        if implementations { try inspection.tryKernels() }
        if output.json { try Console.printJSON(inspection) } else { inspection.print() }
    }
}

/// What `inspect` found.
private struct Inspection: Encodable {
    let cost: NetworkCost
    let network: Network
    /// Of one image on one thread, with the fastest kernels; nil where no rates may be kept.
    var predictedMilliseconds: Double?
    var trainingStep: TrainingStepPrediction?
    private var rates: CostModel?
    var implementations: [LayerReport]?
    var removed: [RemovedChannels] = []
    var facts: [(name: String, text: String)] = []
    var fileBytes: Int?

    init(_ options: NetworkOptions, imageSize: Int?) throws {
        let made = try options.make(pattern: options.pattern, imageSize: imageSize)
        network = made.network
        cost = NetworkCost(network)
        removed = made.removed
        facts = [("pattern", options.pattern), ("seed", "\(options.seed)")]
        if options.depthMultiplier != 1 { facts.append(("depth multiplier", "\(options.depthMultiplier)")) }
    }

    init(model path: String) throws {
        let model = try Model(contentsOf: path)
        network = model.network
        cost = NetworkCost(network)
        fileBytes = try byteCount(ofFile: path)
        facts = model.labels.origin.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        facts.append(("classes", model.labels.classNames.joined(separator: ", ")))
    }

    private enum CodingKeys: CodingKey {
        case removedChannels, fileBytes, implementations, predictedMilliseconds, trainingStep
    }

    mutating func predict(batch: Int?) throws {
        let pool = ThreadPool(threads: 1)
        rates = CostModel.remembered(for: .inference, pool: pool)
        predictedMilliseconds = try rates?.inferenceMilliseconds(network)
        trainingStep = try batch.map { try TrainingStepPrediction(network, batch: $0, pool: pool) }
    }

    /// Compiles the network for one image on one thread. The weights do not matter to the time.
    mutating func tryKernels() throws {
        try requireMemory(byteCount: cost.weightBytes, for: "network '\(network.name)'")
        let plan = try InferencePlan(network, pool: ThreadPool(threads: 1), choice: .remembering) {
            $1.update(repeating: 0)
        }
        let predictions = try rates?.kernelMilliseconds(network) ?? [:]
        implementations = plan.implementations.map { LayerReport($0, predictions[$0.node] ?? [:]) }
    }

    func encode(to encoder: any Encoder) throws {
        try cost.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(removed.reduce(0) { $0 + $1.channels.count }, forKey: .removedChannels)
        try container.encodeIfPresent(fileBytes, forKey: .fileBytes)
        try container.encodeIfPresent(implementations, forKey: .implementations)
        try container.encodeIfPresent(predictedMilliseconds, forKey: .predictedMilliseconds)
        try container.encodeIfPresent(trainingStep, forKey: .trainingStep)
    }

    func print() {
        for fact in facts { Swift.print("\(fact.name): \(fact.text)") }
        let rows = cost.layers.map { layer in
            [
                layer.name, layer.layer, layer.output.description, figure(layer.parameters), figure(layer.multiplyAdds),
                layer.connections.map { figure($0) } ?? "", layer.density.map { Format.percent($0, digits: 1) } ?? "",
                fanIn(layer),
            ]
        }
        let headings = ["node", "layer", "output", "parameters", "multiply-adds", "connections", "density", "fan-in"]
        Swift.print(TextTable(headings, rows: rows, textColumns: 3).text)
        Swift.print(
            """
            parameters       \(Format.exact(cost.parameters)), \
            \(Format.exact(cost.parametersWithoutClassifier)) without the classifier
            convolutions     \(Format.exact(cost.convolutionParameters)) weights, \(Format.exact(cost.connections)) of \
            \(Format.exact(cost.denseConnections)) connections
            multiply-adds    \(Format.exact(cost.multiplyAdds)) an image
            weights          \(Format.bytes(cost.weightBytes)), connection indices \(Format.bytes(cost.indexBytes))
            activations      \(Format.bytes(cost.activationBytes)) an image
            """)
        if let auxiliary = cost.auxiliary {
            Swift.print(
                "auxiliary heads  \(Format.exact(auxiliary.parameters)) parameters, "
                    + "\(Format.exact(auxiliary.multiplyAdds)) multiply-adds an image, in training alone")
        }
        if let predictedMilliseconds {
            let text = Format.fixed(predictedMilliseconds, 2)
            Swift.print("predicted        \(text) ms for one image on one thread, \(InstructionSet.current)")
        }
        if let trainingStep { Swift.print("training step    \(trainingStep.text)") }
        if let fileBytes { Swift.print("file             \(Format.bytes(fileBytes))") }
        if let implementations { Swift.print(Self.table(of: implementations)) }
        for removed in removed { Swift.print("removed          \(removed)") }
    }

    /// Each layer's kernel with its trial, and below it what else was tried or could not be.
    private static func table(of implementations: [LayerReport]) -> String {
        let rows = implementations.flatMap { layer in
            layer.candidates.map { candidate in
                [
                    layer.node, candidate.kernel == layer.kernel ? layer.source.rawValue : "", candidate.kernel,
                    candidate.declines ?? candidate.loss ?? "",
                    candidate.milliseconds.map { Format.fixed($0, 3) } ?? "",
                    candidate.predictedMilliseconds.map { Format.fixed($0, 3) } ?? "",
                ]
            }
        }
        return TextTable(
            ["node", "runs", "kernel", "why not", "ms", "predicted ms"], rows: rows, textColumns: 4).text
    }

    private func figure(_ value: Int) -> String { value == 0 ? "" : Format.exact(value) }

    private func fanIn(_ layer: LayerCost) -> String {
        guard let smallest = layer.smallestFanIn, let largest = layer.largestFanIn else { return "" }
        return smallest == largest ? "\(smallest)" : "\(smallest) to \(largest)"
    }
}

/// What runs a layer and what each kernel takes, measured and predicted.
private struct LayerReport: Encodable {
    struct Candidate: Encodable {
        let kernel: String
        /// Of the fastest trial, now or remembered.
        let milliseconds: Double?
        let predictedMilliseconds: Double?
        /// Why the kernel cannot run the layer.
        let declines: String?
        /// Why a kernel that could run the layer does not.
        let loss: String?
    }

    let node: String
    let kernel: String
    let source: LayerImplementation.Source
    let candidates: [Candidate]

    /// - Parameter predictions: milliseconds by kernel.
    init(_ layer: LayerImplementation, _ predictions: [String: Double]) {
        node = layer.node
        kernel = layer.kernel
        source = layer.source
        let best = layer.candidates.first { $0.kernel == layer.kernel }?.milliseconds
        candidates = layer.candidates.map { candidate in
            let slower = best.flatMap { best in candidate.milliseconds.map { $0 / best } }
            return Candidate(
                kernel: candidate.kernel, milliseconds: candidate.milliseconds,
                predictedMilliseconds: predictions[candidate.kernel], declines: candidate.declines,
                loss: candidate.kernel == layer.kernel
                    ? nil : slower.map { "takes \(Format.fixed($0, 2)) times as long" })
        }
    }
}
