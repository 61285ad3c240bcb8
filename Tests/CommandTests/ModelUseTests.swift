import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import Testing

/// What is done with a trained model: evaluated, fine-tuned, pruned, asked.
@Suite struct ModelUseTests {
    private static func trained() async throws -> (gossamer: Gossamer, answer: TrainAnswer) {
        let gossamer = try Gossamer.withImages()
        let answer = try await gossamer.succeed(gossamer.training("--json", epochs: 3)).json(TrainAnswer.self)
        return (gossamer, answer)
    }

    private static let model = "run/model.safetensors"
    private static let short = ["--data", "mnist:images", "--batch-size", "16", "--threads", "1", "--epochs"]

    @Test func evaluatesEachClass() async throws {
        let (gossamer, trained) = try await Self.trained()
        let arguments = ["evaluate", "--model", Self.model, "--data", "mnist:images", "--threads", "1"]
        let answer = try await gossamer.succeed(arguments + ["--json"]).json(EvaluateAnswer.self)
        #expect(answer.accuracy == trained.testAccuracy)
        #expect(answer.topFiveAccuracy >= answer.accuracy)
        #expect(answer.classes.map(\.images) == [Int](repeating: 20, count: 10))
        #expect(answer.classes.reduce(0) { $0 + $1.correct } == answer.correct)
        for (index, row) in answer.confusion.enumerated() {
            #expect(row.reduce(0, +) == 20 && row[index] == answer.classes[index].correct)
        }
        let text = try await gossamer.succeed(arguments).output
        #expect(text.hasPrefix("accuracy ") && text.contains("top-5") && text.contains("most often taken for"))
        #expect(text.contains("taken for") && text.split(separator: "\n").count > 22)
    }

    /// Writes the trained model again, with other names of its classes.
    private static func rename(_ gossamer: Gossamer, to file: String, _ change: (inout [String]) -> Void) throws {
        let model = try Model(contentsOf: gossamer.path(Self.model))
        var labels = model.labels
        change(&labels.classNames)
        try Model.save(model.network, parameters: model.parameters, labels: labels, to: gossamer.path(file))
    }

    /// Classes are the same where their names are, whatever their order.
    @Test func matchesClassesByName() async throws {
        let (gossamer, trained) = try await Self.trained()
        let arguments = ["evaluate", "--data", "mnist:images", "--threads", "1", "--json", "--model"]
        let usual = try await gossamer.succeed(arguments + [Self.model])
        #expect(!usual.errors.contains("warning"))
        let confusion = try usual.json(EvaluateAnswer.self).confusion
        // What was taken for a 9 is now called a 0.
        try Self.rename(gossamer, to: "reversed") { $0.reverse() }
        let reversed = try await gossamer.succeed(arguments + ["reversed"])
        let answer = try reversed.json(EvaluateAnswer.self)
        #expect(!reversed.errors.contains("warning"))
        #expect(answer.classes.map(\.name) == (0 ..< 10).reversed().map { "\($0)" })
        #expect(answer.correct == (0 ..< 10).reduce(0) { $0 + confusion[$1][9 - $1] })
        try Self.rename(gossamer, to: "other") { $0[3] = "a\u{1b}c" }
        let other = try await gossamer.succeed(arguments + ["other"])
        #expect(try other.json(EvaluateAnswer.self).accuracy == trained.testAccuracy)
        #expect(other.errorLines.count == 1)
        #expect(other.errors.contains("warning: class 3 is 'a?c' in the model and '3' in the data set"))
    }

    /// A classifier that is kept begins with classes that are not those of the data set.
    @Test func tellsOfOtherClasses() async throws {
        let (gossamer, _) = try await Self.trained()
        try Self.rename(gossamer, to: "reversed") { $0.reverse() }
        let tune = ["train", "--init"]
        let other = try await gossamer.succeed(tune + ["reversed", "-o", "other"] + Self.short + ["1"])
        #expect(other.errors.contains("warning: class 0 is '9' in the model and '0' in the data set; the classifier"))
        let same = try await gossamer.succeed(tune + [Self.model, "-o", "same"] + Self.short + ["1"])
        #expect(!same.errors.contains("warning"))
    }

    private struct Evaluated: Decodable {
        let correct: Int
        let loss: Double
    }

    /// A softmax at the end changes neither an evaluation nor a training; what is trained ends without.
    @Test func leavesOutAFinalSoftmax() async throws {
        let (gossamer, _) = try await Self.trained()
        let model = try Model(contentsOf: gossamer.path(Self.model))
        let last = model.network.nodes.last!.name
        let nodes = model.network.nodes + [Node(name: "probabilities", layer: .softmax, inputs: [last])]
        let network = try Network(name: model.network.name, nodes: nodes, connections: model.network.connections)
        try Model.save(network, parameters: model.parameters, labels: model.labels, to: gossamer.path("softmax"))
        var evaluations: [Evaluated] = []
        var losses: Set<String> = []
        for (name, file) in [("plain", Self.model), ("ended", "softmax")] {
            let evaluate = ["evaluate", "--data", "mnist:images", "--threads", "1", "--json", "--model", file]
            evaluations.append(try await gossamer.succeed(evaluate).json(Evaluated.self))
            let tune = ["train", "--init", file, "--freeze", "conv1", "-o", name] + Self.short + ["1"]
            try await gossamer.succeed(tune)
            let prune = ["prune", file, "--density", "0.5", "-o", name + "-pruned"] + Self.short + ["1"]
            try await gossamer.succeed(prune)
            try await gossamer.succeed(prune + ["--resume"])
            for folder in [name, name + "-pruned"] {
                let tuned = try ModelFile(contentsOf: gossamer.path("\(folder)/model.safetensors")).network
                #expect(tuned.nodes.last?.name == last)
                let metrics = try gossamer.text("\(folder)/metrics.jsonl")
                losses.insert(metrics.firstMatch(of: /"trainingLoss":[^,}]+/).map { String($0.output) } ?? "none")
            }
        }
        #expect(evaluations[0].correct == evaluations[1].correct)
        // Each process tries kernels for itself, which round differently.
        #expect(abs(evaluations[0].loss - evaluations[1].loss) < 1e-4)
        #expect(losses.count == 2, "\(losses)")
    }

    @Test func refusesModelsThatSayNothing() async throws {
        let (gossamer, _) = try await Self.trained()
        let model = try Model(contentsOf: gossamer.path(Self.model))
        let entry = model.parameters.layout.trained[0]
        model.parameters.set(entry, to: [Float](repeating: .nan, count: entry.count))
        try Model.save(
            model.network, parameters: model.parameters, labels: model.labels, to: gossamer.path("damaged"))
        for arguments in [
            ["predict", "damaged", "image.png"], ["predict", "damaged", "image.png", "--json"],
            ["evaluate", "--model", "damaged", "--data", "mnist:images"], ["bench", "--model", "damaged"],
            ["prune", "damaged", "--density", "0.5", "--data", "mnist:images"], ["inspect", "--model", "damaged"],
        ] {
            let refused = try await gossamer.run(arguments)
            #expect(refused.isOneLineFailure && refused.errors.contains("damaged: tensor \(entry.name)"), "\(refused)")
        }
    }

    @Test func fineTunesAModel() async throws {
        let (gossamer, trained) = try await Self.trained()
        let arguments = ["train", "--init", Self.model, "--freeze", "conv1", "-o", "tuned"] + Self.short + ["1"]
        let tuned = try await gossamer.succeed(arguments + ["--json"]).json(TrainAnswer.self)
        #expect(tuned.parameters == trained.parameters && tuned.testAccuracy > 0.9)
        #expect(try gossamer.text("tuned/run.json").contains("\"initialModel\" : \"run/model.safetensors\""))
        // The same command goes on with what is complete; another beginning is another run.
        try await gossamer.succeed(arguments + ["--resume"])
        let other = ["train", "--init", "tuned/model.safetensors", "--freeze", "conv1", "-o", "tuned", "--resume"]
        let refused = try await gossamer.run(other + Self.short + ["1"])
        #expect(refused.isOneLineFailure && refused.errors.contains("initial model"), "\(refused)")
    }

    /// A network of an ONNX file learns on as one of our own does, and its connections stay those that it has.
    @Test func fineTunesAnImportedNetwork() async throws {
        let (gossamer, trained) = try await Self.trained()
        try await gossamer.succeed(["export", "--model", Self.model, "--output", "trained.onnx"])
        try await gossamer.succeed(["import", "trained.onnx", "--output", "imported.safetensors"])
        let tuned = try await gossamer.succeed(
            ["train", "--init", "imported.safetensors", "-o", "tuned", "--json"] + Self.short + ["1"])
            .json(TrainAnswer.self)
        #expect(tuned.parameters == trained.parameters && tuned.testAccuracy > 0.9)
    }

    @Test(arguments: ["magnitude", "saliency", "random"]) func prunesAModel(score: String) async throws {
        let (gossamer, trained) = try await Self.trained()
        let cost = try await gossamer.succeed(["inspect", "--model", Self.model, "--json"]).json(CostAnswer.self)
        let arguments = ["prune", Self.model, "--density", "0.5", "--score", score, "-o", "pruned"] + Self.short
        let pruned = try await gossamer.succeed(arguments + ["3", "--over", "1", "--json"]).json(TrainAnswer.self)
        let left = try await gossamer.succeed(["inspect", "--model", "pruned/model.safetensors", "--json"])
            .json(CostAnswer.self)
        #expect(left.connections < cost.connections && pruned.parameters == left.parameters)
        #expect(pruned.modelBytes < trained.modelBytes)
        #expect(pruned.testAccuracy > 0.8)
        let again = try await gossamer.succeed(arguments + ["3", "--over", "1", "--json", "--resume"])
            .json(TrainAnswer.self)
        #expect(again.testAccuracy == pruned.testAccuracy && again.parameters == pruned.parameters)
        // Without training.
        let alone = ["prune", Self.model, "--density", "0.5", "--score", score, "-o", "alone"] + Self.short
        let bare = try await gossamer.succeed(alone + ["0", "--json"]).json(TrainAnswer.self)
        #expect(bare.parameters < trained.parameters)
    }

    @Test func saysWhatIsOnAnImage() async throws {
        let (gossamer, _) = try await Self.trained()
        let images = ["grey.png", "baseline-420.jpg"].map {
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Fixtures/images/\($0)").path
        }
        let arguments = ["predict", Self.model, "--threads", "1"]
        let answers = try await gossamer.succeed(arguments + images + ["--top", "10", "--json"])
            .json([PredictAnswer].self)
        #expect(answers.map(\.image) == images)
        for answer in answers {
            #expect(Set(answer.classes.map(\.index)) == Set(0 ..< 10))
            #expect(abs(answer.classes.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
            let probabilities = answer.classes.map(\.probability)
            #expect(zip(probabilities, probabilities.dropFirst()).allSatisfy(>=))
        }
        let text = try await gossamer.succeed(arguments + [images[0], "--top", "3"]).output.split(separator: "\n")
        #expect(text.count == 3 && text.allSatisfy { $0.hasSuffix(" %") })
        #expect(text[0].hasPrefix(answers[0].classes[0].name))
        try gossamer.write([1, 2, 3], to: "text.jpg")
        for (image, words) in [("text.jpg", "not an image"), ("nowhere.jpg", "nowhere.jpg"), ("images", "regular")] {
            let refused = try await gossamer.run(arguments + [image])
            #expect(refused.isOneLineFailure && refused.errors.contains(words), "\(refused)")
        }
    }

    @Test func refusesWhatDoesNotFit() async throws {
        let (gossamer, _) = try await Self.trained()
        let tune = "train --init \(Self.model) --data mnist:images -o other --threads 1"
        let prune = "prune \(Self.model) --data mnist:images -o other --threads 1"
        let cases = [
            ("\(tune) --network vgg16", "--network"), ("\(tune) --freeze cnov", "conv1"),
            ("\(tune) --classes 7", "--classes 7"), ("\(tune) --freeze conv --freeze fc", "leave a layer"),
            ("\(prune) --density 0", "density"), ("\(prune) --density 0.5 --over 9", "pruning epochs"),
            ("\(prune) --density 0.5 --except conv9", "except"), ("\(prune) --density 0.5 --block 0", "block"),
            ("prune nowhere --density 0.5 --data mnist:images", "nowhere"), ("\(prune) --density 0.5 --score x", "'x'"),
        ]
        for (line, words) in cases {
            let outcome = try await gossamer.run(line.split(separator: " ").map(String.init))
            #expect(outcome.isOneLineFailure && outcome.errors.contains(words), "\(line): \(outcome)")
            #expect(!gossamer.exists("other"), "\(line)")
        }
    }
}
