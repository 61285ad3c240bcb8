import ArgumentParser
import Gossamer
import GossamerExperiments

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Accuracy of a model file on a data set's test images.",
        discussion: """
            Example:

              gossamer evaluate --model runs/tenth/model.safetensors --data fashion-mnist
            """)

    @Option(help: "A model file.")
    var model: String

    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() throws {
        let model = try Model(contentsOf: model)
        let evaluation = try Evaluation(
            model.network, parameters: model.parameters, images: data.open().test,
            normalization: model.labels.normalization, pool: ThreadPool(threads: threads.count), choice: .remembering)
        Console.say(
            "accuracy \(Format.percent(evaluation.accuracy)) (\(evaluation.correctCount) of \(evaluation.imageCount)), "
                + "loss \(Format.fixed(evaluation.loss, 4))", json: output.json)
        if output.json {
            try Console.printJSON(
                Outcome(
                    accuracy: evaluation.accuracy, loss: evaluation.loss, images: evaluation.imageCount,
                    correct: evaluation.correctCount))
        }
    }

    private struct Outcome: Encodable {
        let accuracy: Double
        let loss: Double
        let images: Int
        let correct: Int
    }
}
