import ArgumentParser
import Gossamer
import GossamerExperiments

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Accuracy of a model file on a data set's test images, by class.",
        discussion: """
            Prints how many images are classified right (top-1), how many have their class among the five likeliest \
            (top-5), each class's accuracy and what it is most often taken for, and of up to 20 classes the confusion \
            matrix. With --json all of it, whatever the number of classes. Classes are matched by their names; where \
            those of the model and of the data set differ, by their order.

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
        let images = matched(try data.open().test, to: model.labels)
        let evaluation = try Evaluation(
            model.network, parameters: model.parameters, images: images,
            preprocessing: model.labels.preprocessing, pool: ThreadPool(threads: threads.count), choice: .remembering)
        if output.json { return try Console.printJSON(Outcome(evaluation, names: images.classNames)) }
        let topFive = images.classCount > 5 ? ", top-5 \(Format.percent(evaluation.topFiveAccuracy))" : ""
        print(
            "accuracy \(Format.percent(evaluation.accuracy)) (\(evaluation.correctCount) of \(evaluation.imageCount))"
                + "\(topFive), loss \(Format.fixed(evaluation.loss, 4))\n")
        print(ClassTable(evaluation.confusion, names: images.classNames).text, terminator: "")
    }

    /// The images with their classes in the model's order, as far as names tell it.
    private func matched(_ images: LabelledImages, to labels: ModelLabels) -> LabelledImages {
        if let matched = images.withClasses(inOrder: labels.classNames) { return matched }
        if let difference = labels.difference(from: images.classNames) {
            Console.warn("\(difference); classes are matched by their order")
        }
        return images
    }

    private struct Outcome: Encodable {
        struct ClassOutcome: Encodable {
            let name: String
            let images: Int
            let correct: Int
            /// Null where the class has no images.
            let accuracy: Double?
        }

        let accuracy: Double
        let topFiveAccuracy: Double
        /// Left out where the model's outputs are not finite.
        let loss: Double?
        let images: Int
        let correct: Int
        let classes: [ClassOutcome]
        /// [actual class][predicted class]
        let confusion: [[Int]]

        init(_ evaluation: Evaluation, names: [String]) {
            accuracy = evaluation.accuracy
            topFiveAccuracy = evaluation.topFiveAccuracy
            loss = evaluation.loss.isFinite ? evaluation.loss : nil
            images = evaluation.imageCount
            correct = evaluation.correctCount
            let matrix = evaluation.confusion
            classes = names.enumerated().map { index, name in
                ClassOutcome(
                    name: name, images: matrix.imageCount(of: index), correct: matrix[actual: index, predicted: index],
                    accuracy: matrix.accuracy(of: index))
            }
            confusion = names.indices.map { Array(matrix.row($0)) }
        }
    }
}

/// Accuracies by class, and the confusion matrix where it fits a terminal.
private struct ClassTable {
    let matrix: ConfusionMatrix
    let names: [String]
    /// Classes of a matrix or of a table of the worst.
    private let most = 20

    init(_ matrix: ConfusionMatrix, names: [String]) {
        self.matrix = matrix
        self.names = names
    }

    var text: String {
        guard names.count > most else { return accuracies(Array(names.indices)) + "\n" + confusion }
        let known = names.indices.filter { matrix.accuracy(of: $0) != nil }
        let worst = known.sorted { (matrix.accuracy(of: $0)!, $0) < (matrix.accuracy(of: $1)!, $1) }.prefix(most)
        return "the \(worst.count) classes with the lowest accuracy, of \(names.count):\n" + accuracies(Array(worst))
    }

    private func accuracies(_ classes: [Int]) -> String {
        let rows = classes.map { index in
            [
                "\(index)", names[index], "\(matrix.imageCount(of: index))",
                matrix.accuracy(of: index).map { Format.percent($0) } ?? "",
                matrix.mostFrequentError(of: index).map { "\(names[$0.predicted]) (\($0.count))" } ?? "",
            ]
        }
        return TextTable(["", "class", "images", "accuracy", "most often taken for"], rows: rows, textColumns: 2).text
    }

    private var confusion: String {
        let rows = names.indices.map { actual in
            ["\(actual)", names[actual]] + matrix.row(actual).map { $0 == 0 ? "·" : "\($0)" }
        }
        return TextTable(["", "taken for"] + names.indices.map { "\($0)" }, rows: rows, textColumns: 2).text
    }
}
