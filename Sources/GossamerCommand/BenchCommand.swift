import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time inference, or with --training whole training steps, of a network.",
        discussion: """
            Examples:

              gossamer bench --network mnist --pattern random:0.1 --batch 1 --threads 1
              gossamer bench --training --pattern random:0.1 --against dense --threads 1
              gossamer bench --model runs/tenth/model.safetensors --layers
            """)

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "A model file to load and run instead of making a network.")
    var model: String?

    @Option(help: "Another pattern, timed in turns with the first; prints how their medians compare.")
    var against: String?

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Option(help: "Images in a call or step. (default: 1, with --training 64)")
    var batch: Int?

    @Flag(help: "Time training steps: forward, loss, backward and update.")
    var training = false

    @Flag(help: "Time each layer of inference too, as it runs in the network.")
    var layers = false

    @Flag(help: "Take the kernel that the cost model predicts to be fastest, without trying those that fit.")
    var noAutotune = false

    @Option(help: "Seconds to measure each pattern for, at least.")
    var seconds = 2.0

    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard (1 ... 65_536).contains(imageCount) else {
            throw ValidationError("--batch \(imageCount): expected 1 to 65536")
        }
        guard seconds >= 0, seconds <= 3600 else {
            throw ValidationError("--seconds \(seconds): expected 0 to 3600")
        }
        guard !(training && noAutotune) else {
            throw ValidationError("--no-autotune: training tries nothing, its kernels follow from a fixed rule")
        }
        guard !layers || (against == nil && !training) else {
            throw ValidationError("--layers times inference of one network")
        }
        guard model == nil || (against == nil && !training && imageSize == nil) else {
            throw ValidationError("--model times inference of that file alone")
        }
        if model != nil { try network.requireUnused(beside: "--model", imageSize: imageSize) }
    }

    private var imageCount: Int { batch ?? (training ? 64 : 1) }

    func run() throws {
        let pool = ThreadPool(threads: threads.count)
        let subjects = try subjects(pool: pool)
        // Short turns: a machine whose speed drifts slows both down.
        let turns = subjects.count == 1 ? 1 : 8
        for _ in 0 ..< turns {
            for subject in subjects { try subject.time(seconds: seconds / Double(turns)) }
        }
        let figures = subjects.map { Figure($0.name, $0.cost, Timing(seconds: $0.times), batch: imageCount) }
        let inference = layers ? subjects[0] as? TimedInference : nil
        try report(figures, layers: inference.map { try $0.layers(seconds: seconds) })
    }

    private func subjects(pool: ThreadPool) throws -> [any BenchSubject] {
        let choice = noAutotune ? KernelChoice.untried(pool: pool) : .remembering
        if let model {
            let file = try ModelFile(contentsOf: model)
            let plan = try file.inferencePlan(capacity: imageCount, pool: pool, choice: choice)
            return [TimedInference(file.labels.origin["pattern"] ?? "model", plan)]
        }
        return try ([network.pattern] + (against.map { [$0] } ?? [])).map { pattern in
            let made = try network.make(pattern: pattern, imageSize: imageSize).network
            if training {
                let settings = TrainingSettings(batchSize: imageCount, seed: network.seed)
                return TimedTraining(pattern, made, settings, pool)
            }
            try requireMemory(byteCount: NetworkCost(made).weightBytes, for: "network '\(made.name)'")
            let plan = try InferencePlan(made, capacity: imageCount, pool: pool, choice: choice) {
                Parameters.initialize($0, of: made, seed: network.seed, into: $1)
            }
            return TimedInference(pattern, plan)
        }
    }

    private func report(_ figures: [Figure], layers: [LayerTime]?) throws {
        let outcome = Outcome(
            network: model ?? network.network, depthMultiplier: network.depthMultiplier, training: training,
            batch: imageCount, threads: threads.count, instructionSet: InstructionSet.current,
            peakMemoryBytes: peakMemoryBytes(),
            first: figures[0], against: figures.dropFirst().first, layers: layers)
        Console.say(
            "\(training ? "training step" : "inference") of \(model ?? network.network), batch \(imageCount), "
                + "\(threads.count) thread\(threads.count == 1 ? "" : "s"), \(InstructionSet.current)",
            json: output.json)
        for figure in figures { Console.say("  " + figure.text, json: output.json) }
        if let ratio = outcome.ratio {
            let text = "  \(figures[0].pattern) takes \(Format.fixed(ratio, 3)) of \(figures[1].pattern)"
            Console.say(text, json: output.json)
        }
        if let layers { Console.say(LayerTime.table(of: layers), json: output.json) }
        Console.say("  peak memory of the process \(Format.bytes(outcome.peakMemoryBytes))", json: output.json)
        if output.json { try Console.printJSON(outcome) }
    }
}

/// What is timed in turns.
private protocol BenchSubject: AnyObject {
    var name: String { get }
    var cost: NetworkCost { get }
    /// Seconds of every run so far.
    var times: [Double] { get }
    func time(seconds: Double) throws
}

private final class TimedInference: BenchSubject {
    let name: String
    let cost: NetworkCost
    private(set) var times: [Double] = []
    private var plan: InferencePlan

    init(_ name: String, _ plan: consuming InferencePlan) {
        self.name = name
        cost = NetworkCost(plan.network)
        self.plan = plan
    }

    func time(seconds: Double) { times += Timing.inference(&plan, minimumSeconds: seconds).seconds }

    func layers(seconds: Double) throws -> [LayerTime] { try LayerTime.measure(&plan, seconds: seconds) }
}

private final class TimedTraining: BenchSubject {
    let name: String
    let cost: NetworkCost
    private(set) var times: [Double] = []
    private let network: Network
    private let settings: TrainingSettings
    private let pool: ThreadPool

    init(_ name: String, _ network: Network, _ settings: TrainingSettings, _ pool: ThreadPool) {
        self.name = name
        cost = NetworkCost(network)
        self.network = network
        self.settings = settings
        self.pool = pool
    }

    func time(seconds: Double) throws {
        times += try Timing.training(network, settings: settings, pool: pool, minimumSeconds: seconds).timing.seconds
    }
}

/// The times of one pattern.
private struct Figure: Encodable {
    let pattern: String
    let parameters: Int
    let multiplyAdds: Int
    let medianMilliseconds: Double
    let minMilliseconds: Double
    let runs: Int
    let imagesPerSecond: Double

    init(_ pattern: String, _ cost: NetworkCost, _ timing: Timing, batch: Int) {
        self.pattern = pattern
        parameters = cost.parameters
        multiplyAdds = cost.multiplyAdds
        medianMilliseconds = timing.medianMilliseconds
        minMilliseconds = timing.minMilliseconds
        runs = timing.runs
        imagesPerSecond = Double(batch) / timing.medianMilliseconds * 1000
    }

    var text: String {
        "\(pattern): median \(Format.fixed(medianMilliseconds, 3)) ms, minimum "
            + "\(Format.fixed(minMilliseconds, 3)) ms of \(runs) runs, \(Int(imagesPerSecond)) images/s"
    }
}

/// The line of `bench --json`: the first pattern's figures, and those that it was timed against.
private struct Outcome: Encodable {
    let network: String
    let depthMultiplier: Double
    let training: Bool
    let batch: Int
    let threads: Int
    let instructionSet: String
    /// Of the whole process.
    let peakMemoryBytes: Int
    let first: Figure
    let against: Figure?
    let layers: [LayerTime]?

    /// Of the medians.
    var ratio: Double? { against.map { first.medianMilliseconds / $0.medianMilliseconds } }

    private enum CodingKeys: CodingKey {
        case network, depthMultiplier, training, batch, threads, instructionSet, peakMemoryBytes, against, ratio, layers
    }

    func encode(to encoder: any Encoder) throws {
        try first.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(network, forKey: .network)
        try container.encode(depthMultiplier, forKey: .depthMultiplier)
        try container.encode(training, forKey: .training)
        try container.encode(batch, forKey: .batch)
        try container.encode(threads, forKey: .threads)
        try container.encode(instructionSet, forKey: .instructionSet)
        try container.encode(peakMemoryBytes, forKey: .peakMemoryBytes)
        try container.encodeIfPresent(against, forKey: .against)
        try container.encodeIfPresent(ratio, forKey: .ratio)
        try container.encodeIfPresent(layers, forKey: .layers)
    }
}

/// The largest memory that this process has held so far.
private func peakMemoryBytes() -> Int {
    // On Linux getrusage also counts what the process was before it became this program.
    if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) {
        return kibibytes * 1024
    }
    var usage = rusage()
    #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
    #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
    #endif
}
