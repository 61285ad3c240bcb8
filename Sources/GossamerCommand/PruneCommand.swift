import ArgumentParser
import Gossamer
import GossamerExperiments

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove connections of a trained model, and fine-tune what is left.",
        discussion: """
            Whole kernels go, and with them filters that nothing feeds or reads any more: the new model's file, memory \
            and time are those of the connections that are left. Which go is decided by --score: magnitude (the root \
            mean square of the kernel's weights), saliency (|sum of weight * gradient|, from a few batches) or random.

            Example, to a quarter of the connections over the first four of eight epochs:

              gossamer prune runs/dense/model.safetensors --density 0.25 --over 4 --epochs 8 --output runs/quarter

            The run's folder is that of train, and --resume goes on in the same way. With --epochs 0 connections are \
            removed and nothing is trained.
            """)

    @Argument(help: "A model file.")
    var model: String

    @OptionGroup(title: "Pruning") var pruning: PruningOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @Option(help: "Everything random follows from this number.")
    var seed: UInt64 = 1
    @Option(help: "Leave the layers alone whose names begin so. May be repeated.")
    var freeze: [String] = []
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Run") var folder: RunFolderOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        var configuration = try RunConfiguration(
            network: NetworkOptions.standardNetwork, pattern: "dense", depthMultiplier: 1, seed: seed, data, training,
            threads: threads.count)
        configuration.initialModel = model
        if !freeze.isEmpty { configuration.frozenPrefixes = freeze }
        configuration.pruning = pruning.value
        let dataset = try data.open()
        try StartOptions.compareClasses(ofModel: model, with: dataset)
        let prepared = try PreparedRun(configuration, dataset: dataset)
        try TrainingSession(prepared: prepared, options: folder, json: output.json).run()
    }
}

/// Which connections go, and when.
struct PruningOptions: ParsableArguments {
    @Option(help: "Share of the connections to keep, in the layers that are pruned.")
    var density: Double

    @Option(help: "What decides: magnitude, saliency or random.")
    var score = Pruning.Score.magnitude

    @Option(help: "Compare connections within each layer (uniform), or over all of them (global).")
    var scope = Pruning.Scope.uniform

    @Option(help: "Filters in a row that lose a channel together.")
    var block = 1

    @Option(
        help: """
            Epochs over which connections go, along the cubic schedule of Zhu and Gupta; 0 removes all before the \
            first step.
            """)
    var over = 0.0

    @Option(help: "Removals in each of these epochs.")
    var removalsPerEpoch = 4

    @Option(help: "Batches that saliency is measured on.")
    var saliencyBatches = 16

    @Option(help: "Do not prune layers whose names begin so. May be repeated.")
    var except: [String] = []

    var value: Pruning {
        Pruning(
            density: density, score: score, scope: scope, block: block, epochs: over,
            removalsPerEpoch: removalsPerEpoch, batches: saliencyBatches, exceptPrefixes: except)
    }
}

extension Pruning.Score: ExpressibleByArgument {}
extension Pruning.Scope: ExpressibleByArgument {}
