import ArgumentParser
import Gossamer
import GossamerExperiments

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "The main job, small: dense against narrower against sparse networks on Fashion-MNIST.",
        discussion: """
            Trains the mnist network dense, with fewer channels and with fewer connections, and writes a report with \
            plots of accuracy against parameters, multiply-adds, latency and training time:

              gossamer demo --output demo-report

            Started again it goes on where it stopped.
            """)

    @Option(
        name: [.customLong("output"), .customShort("o")], help: "Folder of the runs and the report.",
        transform: folderPath)
    var folder = "demo-report"

    @Flag(help: "One short epoch and two densities: to see that everything works, not how well.")
    var quick = false

    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let defaults = TrainingSettings()
        let settings = RunConfiguration(
            network: "mnist", data: "fashion-mnist", epochs: quick ? 1 : defaults.epochs,
            batchSize: defaults.batchSize, learningRate: defaults.learningRate,
            schedule: defaults.schedule.description, weightDecay: defaults.weightDecay,
            threads: threads.count)
        let comparison = Comparison(
            settings: settings, densities: quick ? [0.1, 0.01] : [1, 0.1, 0.03, 0.01], seeds: [1])
        try ComparisonSession(comparison, folder: folder, json: output.json).run()
    }
}
