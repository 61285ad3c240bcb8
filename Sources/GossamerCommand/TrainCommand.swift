import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train one network on one data set.",
        discussion: """
            Example, a network with a tenth of its connections:

              gossamer train --pattern random:0.1 --epochs 4 --output runs/tenth

            Example, a trained model made to tell other images apart, its first layers as they are:

              gossamer train --init runs/tenth/model.safetensors --data mnist:digits --freeze conv1 --output runs/tuned

            Example, incremental training that begins with 1 % of the connections and ends with a fifth:

              gossamer train --pattern random:0.2 --grow from=0.01,double-every=400 --output runs/grown

            The run's folder holds run.json (everything that repeats it), metrics.jsonl, model.safetensors and \
            checkpoint/. After an interruption of any kind, the same command with --resume goes on and ends with the \
            same bits.
            """)

    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Fine-tuning") var start: StartOptions
    @OptionGroup(title: "Changing connections") var connections: ConnectionOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @OptionGroup(title: "Run") var folder: RunFolderOptions

    func run() throws {
        var configuration = try RunConfiguration(
            network: network.network, pattern: network.pattern, depthMultiplier: network.depthMultiplier,
            seed: network.seed, data, training, input: input, threads: threads.count)
        try start.apply(to: &configuration, network, input)
        try connections.apply(to: &configuration)
        let dataset = try data.open()
        try start.checkClasses(of: dataset)
        let prepared = try PreparedRun(configuration, dataset: dataset)
        try TrainingSession(
            prepared: prepared, options: folder, json: output.json, watchEvery: connections.evaluateEvery
        ).run()
    }
}
