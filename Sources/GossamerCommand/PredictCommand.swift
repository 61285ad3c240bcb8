import ArgumentParser
import Gossamer
import GossamerExperiments

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what is on images.",
        discussion: """
            JPEG and PNG files of any size: the model file says how they are resized, cut and normalised, and what its \
            classes are called.

            Example:

              gossamer predict runs/tenth/model.safetensors photograph.jpg --top 3
            """)

    @Argument(help: "A model file.")
    var model: String

    @Argument(help: "Image files.")
    var images: [String]

    @Option(help: "How many of the likeliest classes to print.")
    var top = 5

    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top \(top): expected 1 or more") }
    }

    func run() throws {
        var classifier = try ImageClassifier(contentsOf: model, threads: threads.count, choice: .remembering)
        var answers: [Answer] = []
        for image in images {
            let predictions = try classifier.classify(fileAt: image, count: top)
            answers.append(Answer(image: image, classes: predictions.map(Answer.ClassAnswer.init)))
            guard !output.json else { continue }
            if images.count > 1 { print(image) }
            let width = predictions.map(\.name.count).max() ?? 0
            for prediction in predictions {
                print(prediction.name.padding(to: width + 2) + Format.percent(prediction.probability))
            }
        }
        if output.json { try Console.printJSON(answers) }
    }

    private struct Answer: Encodable {
        struct ClassAnswer: Encodable {
            let index: Int
            let name: String
            let probability: Double

            init(_ prediction: Prediction) {
                index = prediction.index
                name = prediction.name
                probability = prediction.probability
            }
        }

        let image: String
        /// The likeliest first.
        let classes: [ClassAnswer]
    }
}
