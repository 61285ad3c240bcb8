import Foundation
import Testing

/// Bad input gets one line, an exit status and nothing else: no crash, no file.
@Suite struct BadInputTests {
    /// A command line, what its error must say, and a status other than 1.
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let message: String
        let status: Int32

        /// - Parameter arguments: separated by spaces; `''` is an empty one.
        init(_ arguments: String, _ message: String, status: Int32 = 1) {
            self.arguments = arguments.split(separator: " ").map { $0 == "''" ? "" : String($0) }
            self.message = message
            self.status = status
        }

        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let train = "train --data mnist:images --output run "
    static let compare = "compare --data mnist:images --output sweep "

    static let design = "design --data mnist:images --output small "

    static let cases = [
        // Names, with the nearest that is known.
        Case("trian", "did you mean 'train'?", status: 64),
        Case("train --epocs 3", "--epochs", status: 64),
        Case("train --data fashon-mnist", "did you mean 'fashion-mnist'?"),
        Case(train + "--network mnits", "did you mean 'mnist'?"),
        Case(train + "--pattern rndom:0.1", "did you mean 'random'?"),
        Case(train + "--pattern random:0.1,blok=4", "block"),
        Case(train + "--augmentation flop", "flip"),
        Case(train + "--schedule cosin", "cosine"),
        Case(compare + "--pairing papr", "'paper'", status: 64),
        Case(compare + "--methods sprase", "did you mean 'sparse'?", status: 64),
        Case("runs --method spare", "sparse", status: 64),
        Case("bench --traning", "--training", status: 64),
        Case("report", "folder", status: 64),
        // Budgets.
        Case(design + "--max-parameters none", "such as 40000, 40k or 2M", status: 64),
        Case(design + "--max-parameters 3", "one that some network keeps to"),
        Case(design + "--max-training-time 4", "a time with its unit", status: 64),
        Case(design + "--min-accuracy 90", "a fraction", status: 64),
        Case(design + "--parallel 0", "1 to 1024", status: 64),
        // Numbers out of range, or none.
        Case(train + "--pattern random:0", "density"),
        Case(train + "--pattern random:1.5", "density"),
        Case(train + "--pattern random:nan", "density"),
        Case(train + "--pattern random:-0.1", "density"),
        Case(train + "--pattern random:0.1,block=0", "block"),
        Case(train + "--pattern random", "random"),
        Case(train + "--depth-multiplier 0", "depth multiplier"),
        Case(train + "--depth-multiplier nan", "depth multiplier"),
        Case(train + "--depth-multiplier 1e9", "depth multiplier"),
        Case(train + "--epochs 0", "epochs"),
        Case(train + "--epochs=-1", "epochs"),
        Case(train + "--epochs 1000000000", "epochs"),
        Case(train + "--epochs 99999999999999999999", "epochs", status: 64),
        Case(train + "--batch-size 0", "batch size"),
        Case(train + "--learning-rate nan", "learning rate"),
        Case(train + "--learning-rate 0", "learning rate"),
        Case(train + "--momentum 1", "momentum"), Case(train + "--optimizer adm", "did you mean 'adam'?"),
        Case(train + "--optimizer adam:beta1=2", "beta1"), Case(train + "--accumulate 0", "accumulated"),
        Case(train + "--clip-norm=-1", "norm limit"), Case(train + "--ema 1", "average decay"),
        Case(train + "--weight-decay inf", "weight decay"),
        Case(train + "--label-smoothing 1", "label smoothing"),
        Case(train + "--validation-split 1", "validation"),
        Case(train + "--validation-split nan", "validation"),
        Case(train + "--threads 0", "--threads", status: 64),
        Case(train + "--threads 1000000", "--threads", status: 64),
        Case(train + "--seed -1", "--seed", status: 64),
        Case("inspect --image-size 3", "4 x 4"),
        Case("inspect --image-size 0", "--image-size", status: 64),
        Case("inspect --image-size 65536", "too many"),
        Case("bench --batch 0", "--batch", status: 64),
        Case("bench --seconds nan", "--seconds", status: 64),
        // More memory than machines have.
        Case("bench --image-size 4000", "memory"),
        Case("bench --training --image-size 4000 --batch 1", "memory"),
        Case("bench --image-size 1000 --batch 65536 --depth-multiplier 0.01", "memory"),
        Case("bench --training --image-size 4000 --batch 65536 --depth-multiplier 0.01", "memory"),
        Case(compare + "--densities 0", "densities"),
        Case(compare + "--densities 0.1,nan", "densities"),
        Case(compare + "--densities 0.1,x", "densities", status: 64),
        Case(compare + "--methods hybrid", "hybrids"),
        Case(compare + "--methods hybrid --hybrids 0.5", "0.5x0.01", status: 64),
        Case(compare + "--pattern random:0.5", "patterns"),
        Case(compare + "--pattern random:0.5,block=4", "without a density"),
        Case(compare + "--hybrids 2x0.1", "hybrids"),
        Case(compare + "--seeds 1,-2", "seeds", status: 64),
        Case(compare + "--seeds , --pairing parameters", "seeds"),
        Case(compare + "--epochs 0", "epochs"),
        Case(compare + "--learning-rate -1", "learning", status: 64),
        Case(compare + "--network mnits", "did you mean 'mnist'?"),
        // Files and folders that are not there, or are something else.
        Case("train --data mnist:nowhere --output run", "nowhere/train-labels-idx1-ubyte"),
        Case("train --data mnist: --output run", "mnist:DIR"),
        Case(train + "--network nowhere.json", "nowhere.json"),
        Case(train + "--network images/", "images/"),
        Case("evaluate --model nowhere --data mnist:images", "nowhere"),
        Case("evaluate --model images --data mnist:images", "images"),
        Case("evaluate --model images/t10k-labels-idx1-ubyte --data mnist:images", "header"),
        Case("inspect --model images/t10k-images-idx3-ubyte", "header"),
        Case("train --data mnist:images --output ''", "folder", status: 64),
        Case("compare --data mnist:images --output ''", "folder", status: 64),
        Case("demo --output ''", "folder", status: 64),
        Case("report ''", "folder", status: 64),
        Case("runs nowhere", "nowhere", status: 64),
        Case("report nowhere", "nowhere/comparison.json"),
        Case("report images", "images/comparison.json"),
        Case("train --data mnist:images --output images/t10k-labels-idx1-ubyte", "images/t10k-labels-idx1-ubyte"),
    ]

    @Test(arguments: cases) func isRefused(_ bad: Case) async throws {
        let gossamer = try Gossamer.withImages(SampleImages(trainingCount: 20, testCount: 10))
        let before = try gossamer.snapshot()
        let outcome = try await gossamer.run(bad.arguments)
        #expect(outcome.isOneLineFailure, "\(outcome)")
        #expect(outcome.status == bad.status, "\(outcome)")
        #expect(outcome.errors.lowercased().contains(bad.message.lowercased()), "\(outcome)")
        #expect(try gossamer.snapshot() == before, "no file may appear or change")
    }

    @Test func unknownInstructionSetIsRefused() async throws {
        let outcome = try await Gossamer().run(["inspect"], environment: ["GOSSAMER_ISA": "axv2"])
        #expect(outcome.isOneLineFailure && outcome.errors.contains("did you mean 'avx2'?"), "\(outcome)")
    }

    // MARK: Data

    /// Puts a damaged file among good ones.
    private func expectRefusal(
        of bytes: [UInt8], as name: String, naming field: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let gossamer = try Gossamer.withImages(SampleImages(trainingCount: 20, testCount: 10))
        let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
        try FileManager.default.removeItem(atPath: gossamer.path("images/" + plain))
        try gossamer.write(bytes, to: "images/" + name)
        let before = try gossamer.snapshot()
        let outcome = try await gossamer.run(gossamer.training())
        #expect(outcome.isOneLineFailure && outcome.status == 1, "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.errors.contains(name), "\(outcome)", sourceLocation: sourceLocation)
        #expect(outcome.errors.contains(field), "\(outcome)", sourceLocation: sourceLocation)
        #expect(try gossamer.snapshot() == before, sourceLocation: sourceLocation)
    }

    @Test func refusesDamagedIDX() async throws {
        let images = SampleImages(trainingCount: 20, testCount: 10)
        let pixels = images.images(20, seed: 1)
        try await expectRefusal(of: Array(pixels.dropLast(7)), as: "train-images-idx3-ubyte", naming: "pixels")
        try await expectRefusal(of: Array(pixels.prefix(6)), as: "train-images-idx3-ubyte", naming: "number of images")
        try await expectRefusal(of: [], as: "train-images-idx3-ubyte", naming: "magic number")
        try await expectRefusal(of: images.labels(20), as: "train-images-idx3-ubyte", naming: "magic number")
        try await expectRefusal(of: images.images(9, seed: 1), as: "t10k-images-idx3-ubyte", naming: "number of images")
        let endless = SampleImages.header(0x803, [20, 0xFFFF_FFFF, 0xFFFF_FFFF])
        try await expectRefusal(of: endless, as: "train-images-idx3-ubyte", naming: "image height")
        let narrow = SampleImages(side: 11).images(10, seed: 1)
        try await expectRefusal(of: narrow, as: "t10k-images-idx3-ubyte", naming: "image size")
    }

    @Test func refusesLabelsOutOfRange() async throws {
        var labels = SampleImages().labels(20)
        labels[8 + 13] = 10
        try await expectRefusal(of: labels, as: "train-labels-idx1-ubyte", naming: "label of image 13 is 10")
    }

    @Test func refusesHostileGzip() async throws {
        let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        try await expectRefusal(of: header, as: "train-labels-idx1-ubyte.gz", naming: "gzip")
        try await expectRefusal(
            of: header + [UInt8](repeating: 0xFF, count: 100), as: "train-images-idx3-ubyte.gz", naming: "gzip")
        // A stored block that promises 65,535 bytes.
        try await expectRefusal(of: header + [1, 0xFF, 0xFF, 0, 0], as: "train-labels-idx1-ubyte.gz", naming: "gzip")
    }

    // MARK: Networks

    @Test(arguments: [
        ("[]", "nodes"), ("{", "JSON"), ("", "JSON"), (#"{"name": "x", "nodes": []}"#, "node"),
        (#"{"name": "x", "nodes": [{"name": "i", "layer": "inptu", "channels": 1}]}"#, "input"),
        (network(convolution: #""filters": 0, "kernel": 3"#), "filters"),
        (network(convolution: #""filters": 4, "kernel": 99, "padding": "valid""#), "conv"),
        (network(convolution: #""filters": 4, "kernel": 3, "strid": 2"#), "stride"),
        (network(convolution: #""filters": 1e300, "kernel": 3"#), "filters"),
        (network(convolution: #""filters": 999999999, "kernel": 3"#), "conv"),
        (network(convolution: #""filters": 4, "kernel": 3, "pattern": "random:2""#), "density"),
        (network(convolution: #""filters": 4, "kernel": 3, "inputs": ["nobody"]"#), "nobody"),
        // Not for these images, and not for this many classes.
        (network(side: 16, convolution: #""filters": 4, "kernel": 3"#), "16 x 16"),
        (network(units: 7, convolution: #""filters": 4, "kernel": 3"#), "7 outputs"),
    ])
    func refusesWrongNetworks(json: String, message: String) async throws {
        let gossamer = try Gossamer.withImages(SampleImages(trainingCount: 20, testCount: 10))
        try gossamer.write(json.utf8, to: "net.json")
        let before = try gossamer.snapshot()
        let outcome = try await gossamer.run(gossamer.training("--network", "net.json"))
        #expect(outcome.isOneLineFailure && outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains(message), "\(outcome)")
        #expect(try gossamer.snapshot() == before)
    }

    private static func network(side: Int = 12, units: Int = 10, convolution: String) -> String {
        """
        {"name": "net", "nodes": [
          {"name": "image", "layer": "input", "channels": 1, "height": \(side), "width": \(side)},
          {"name": "conv", "layer": "convolution", \(convolution)},
          {"name": "mean", "layer": "global-average-pooling"},
          {"name": "classes", "layer": "fully-connected", "units": \(units)}]}
        """
    }

    // MARK: Runs and models

    @Test func refusesToOverwriteARun() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training(epochs: 1))
        let before = try gossamer.snapshot()
        let outcome = try await gossamer.run(gossamer.training(epochs: 1))
        #expect(outcome.isOneLineFailure && outcome.status == 1, "\(outcome)")
        #expect(try gossamer.snapshot() == before)
    }

    @Test func refusesDamagedModels() async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training(epochs: 1))
        let model = try gossamer.bytes("run/model.safetensors")
        let headerEnd = 8 + model.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        var damaged: [[UInt8]] = [
            [], Array(model.prefix(7)), Array(model.prefix(headerEnd - 1)), Array(model.dropLast()), model + [0],
            [UInt8](repeating: 0xFF, count: 64),
        ]
        // Headers that are well formed and say something else.
        let text = String(decoding: model[..<headerEnd], as: UTF8.self)
        #expect(text.contains(".inputs"))
        damaged.append(Array(text.replacing("convolution", with: "convolutoin").utf8) + model[headerEnd...])
        damaged.append(Array(text.replacing(".inputs", with: ".inptus").utf8) + model[headerEnd...])
        for bytes in damaged {
            try gossamer.write(bytes, to: "damaged")
            for arguments in [["inspect"], ["evaluate", "--data", "mnist:images"]] {
                let outcome = try await gossamer.run(arguments + ["--model", "damaged"])
                #expect(outcome.isOneLineFailure && outcome.status == 1, "\(bytes.count) bytes: \(outcome)")
                #expect(outcome.errors.contains("damaged"))
            }
        }
    }

    /// A model resizes whatever it sees; where its preprocessing forbids that, smaller images are refused.
    @Test func refusesImagesThatAreTooSmall() async throws {
        let gossamer = try Gossamer.withImages()
        for side in [8, 16] {
            try SampleImages(side: side, trainingCount: 20, testCount: 10).write(to: "of\(side)", of: gossamer)
        }
        try await gossamer.succeed(gossamer.training("--resizing", "none", epochs: 1))
        let evaluate = ["evaluate", "--model", "run/model.safetensors", "--data"]
        try await gossamer.succeed(evaluate + ["mnist:of16"])
        let outcome = try await gossamer.run(evaluate + ["mnist:of8"])
        #expect(outcome.isOneLineFailure && outcome.errors.contains("8 x 8"), "\(outcome)")
    }
}
