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
            """)

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "Another pattern, timed in turns with the first; prints how their medians compare.")
    var against: String?

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Option(help: "Images in a call or step. (default: 1, with --training 64)")
    var batch: Int?

    @Flag(help: "Time training steps: forward, loss, backward and update.")
    var training = false

    @Flag(help: "Take each layer's first kernel that fits, without trying the others first.")
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
    }

    private var imageCount: Int { batch ?? (training ? 64 : 1) }

    func run() throws {
        let patterns = [network.pattern] + (against.map { [$0] } ?? [])
        let networks = try patterns.map { try network.make(pattern: $0, imageSize: imageSize).network }
        let pool = ThreadPool(threads: threads.count)
        var times = patterns.map { _ in [Double]() }
        // Short turns: a machine whose speed drifts slows both down.
        let turns = patterns.count == 1 ? 1 : 8
        for _ in 0 ..< turns {
            for index in patterns.indices {
                times[index] += try time(networks[index], pool: pool, seconds: seconds / Double(turns)).seconds
            }
        }
        let figures = patterns.indices.map {
            Figure(patterns[$0], NetworkCost(networks[$0]), Timing(seconds: times[$0]), batch: imageCount)
        }
        try report(figures)
    }

    private func time(_ network: Network, pool: ThreadPool, seconds: Double) throws -> Timing {
        if training {
            let settings = TrainingSettings(batchSize: imageCount, seed: self.network.seed)
            return try Timing.training(network, settings: settings, pool: pool, minimumSeconds: seconds).timing
        }
        try requireMemory(byteCount: NetworkCost(network).weightBytes, for: "network '\(network.name)'")
        let parameters = Parameters(initializing: network, seed: self.network.seed)
        return try Timing.inference(
            network, parameters: parameters, batch: imageCount, pool: pool, minimumSeconds: seconds,
            choice: noAutotune ? .byRule : .measured)
    }

    private func report(_ figures: [Figure]) throws {
        let outcome = Outcome(
            network: network.network, depthMultiplier: network.depthMultiplier, training: training, batch: imageCount,
            threads: threads.count, instructionSet: InstructionSet.current, peakMemoryBytes: peakMemoryBytes(),
            first: figures[0], against: figures.dropFirst().first)
        Console.say(
            "\(training ? "training step" : "inference") of \(network.network), batch \(imageCount), "
                + "\(threads.count) thread\(threads.count == 1 ? "" : "s"), \(InstructionSet.current)",
            json: output.json)
        for figure in figures { Console.say("  " + figure.text, json: output.json) }
        if let ratio = outcome.ratio {
            let text = "  \(figures[0].pattern) takes \(Format.fixed(ratio, 3)) of \(figures[1].pattern)"
            Console.say(text, json: output.json)
        }
        Console.say("  peak memory of the process \(Format.bytes(outcome.peakMemoryBytes))", json: output.json)
        if output.json { try Console.printJSON(outcome) }
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

    /// Of the medians.
    var ratio: Double? { against.map { first.medianMilliseconds / $0.medianMilliseconds } }

    private enum CodingKeys: CodingKey {
        case network, depthMultiplier, training, batch, threads, instructionSet, peakMemoryBytes, against, ratio
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
