import ArgumentParser
import Gossamer
import GossamerExperiments

struct DesignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "design",
        abstract: "Find, under a budget, which network to train, and train it.",
        discussion: """
            Example, the best network of 40,000 parameters that four minutes can find and train:

              gossamer design --max-parameters 40000 --max-training-time 4m --output runs/small

            Candidates with fewer connections, fewer channels and both use the budget up. Short trainings on images \
            apart from those that judge them stop the losers early; the winner is trained in full, and so is the best \
            of the other kind, to compare. Without a limit, the whole frontier is trained as compare does it. The same \
            command goes on after an interruption.
            """)

    @Option(help: "A built-in network, or the path of a network's JSON file.")
    var network = NetworkOptions.standardNetwork

    @Option(help: "Everything random follows from this number.")
    var seed: UInt64 = 1

    @OptionGroup(title: "Budget") var budget: BudgetOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Input") var input: InputOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Machine") var parallel: ParallelOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder of the design.", transform: folderPath)
    var folder = "runs/design"

    @Option(help: "Times of other runtimes for the report: a file that Benchmarks/peers wrote.", completion: .file())
    var peers: String?

    func validate() throws {
        if peers != nil && budget.budget.isEmpty {
            throw ValidationError("--peers: expected with a limit, beside whose choice the times stand")
        }
    }

    func run() throws {
        var training = training
        // With a limit in time, as many as fit.
        if training.epochs == nil && budget.maxTrainingTime != nil { training.epochs = Self.mostEpochs }
        let settings = try RunConfiguration(
            network: network, pattern: "dense", depthMultiplier: 1, seed: seed, data, training, input: input,
            threads: threads.count)
        let budget = budget.budget
        guard !budget.isEmpty else { return try frontier(settings) }
        let request = Design.Request(settings: settings, budget: budget)
        try DesignSession(request, folder: folder, parallel: parallel.count, peers: peers, json: output.json).run()
    }

    private static let mostEpochs = 40

    private func frontier(_ settings: RunConfiguration) throws {
        Console.say("no limit is given: training the whole frontier", json: output.json)
        let comparison = Comparison(
            settings: settings, densities: [1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01], patterns: ["random"],
            pairing: .parameters, seeds: [seed])
        try ComparisonSession(comparison, folder: folder, parallel: parallel.count, json: output.json).run()
    }
}

/// What the network and its training may cost.
struct BudgetOptions: ParsableArguments {
    @Option(help: "The most trained parameters, such as 40000 or 40k.", transform: count)
    var maxParameters: Int?

    @Option(help: "The most multiply-adds for one image, such as 2M.", transform: count)
    var maxMadds: Int?

    @Option(help: "The longest time for one image on one thread, such as 0.5ms.", transform: seconds)
    var maxLatency: Double?

    @Option(help: "The most memory that its training may hold, in bytes, such as 200M.", transform: count)
    var maxMemory: Int?

    @Option(
        help: "The longest time for all of it, short trainings included, such as 90s, 4m or 1.5h.", transform: seconds)
    var maxTrainingTime: Double?

    @Option(help: "The least accuracy, such as 0.9; alone, the cheapest network that reaches it is sought.")
    var minAccuracy: Double?

    var budget: DesignBudget {
        DesignBudget(
            parameters: maxParameters, multiplyAdds: maxMadds, latencyMilliseconds: maxLatency.map { $0 * 1000 },
            trainingMemoryBytes: maxMemory, trainingSeconds: maxTrainingTime, accuracy: minAccuracy)
    }

    func validate() throws {
        if let minAccuracy, !(minAccuracy > 0 && minAccuracy <= 1) {
            throw ValidationError("--min-accuracy \(minAccuracy): expected a fraction above 0 and at most 1")
        }
    }
}

/// How many trainings at a time.
struct ParallelOptions: ParsableArguments {
    @Option(name: .customLong("parallel"), help: "Trainings at a time, each with its share of the threads.")
    var count = 1

    func validate() throws {
        guard (1 ... 1024).contains(count) else {
            throw ValidationError("--parallel \(count): expected 1 to 1024")
        }
    }
}

/// A whole number above 0, with k, M or G for thousands, millions and so on.
private func count(_ text: String) throws -> Int {
    let scale = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9][text.suffix(1)]
    guard let value = Double(scale == nil ? text : String(text.dropLast())), value > 0,
        value * (scale ?? 1) < 9e18, (value * (scale ?? 1)).rounded() >= 1
    else { throw ValidationError("expected a number such as 40000, 40k or 2M") }
    return Int((value * (scale ?? 1)).rounded())
}

/// A time above 0 with its unit.
private func seconds(_ text: String) throws -> Double {
    let units: [(String, Double)] = [("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600)]
    guard let (unit, scale) = units.first(where: { text.hasSuffix($0.0) }),
        let value = Double(text.dropLast(unit.count)), value > 0, value.isFinite
    else { throw ValidationError("expected a time with its unit, such as 0.5ms, 90s, 4m or 1h") }
    return value * scale
}
