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
              gossamer bench --training --pattern random:0.1 --batch 64 --threads 1
            """)

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(help: "Height and width of the images. (default: what the network is made for)")
    var imageSize: Int?

    @Option(help: "Images in a call or step. (default: 1, with --training 64)")
    var batch: Int?

    @Flag(help: "Time training steps: forward, loss, backward and update.")
    var training = false

    @Option(help: "Seconds to measure for, at least.")
    var seconds = 2.0

    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard (1 ... 65_536).contains(batch ?? 1) else { throw ValidationError("--batch: expected 1 to 65536") }
        guard seconds >= 0, seconds <= 3600 else { throw ValidationError("--seconds: expected 0 to 3600") }
    }

    func run() throws {
        let made = try network.make(imageSize: imageSize).network
        let pool = ThreadPool(threads: threads.count)
        let count = batch ?? (training ? 64 : 1)
        let timing: Timing
        if training {
            let settings = TrainingSettings(batchSize: count, seed: network.seed)
            timing = try Timing.training(made, settings: settings, pool: pool, minimumSeconds: seconds).timing
        } else {
            try requireMemory(byteCount: NetworkCost(made).weightBytes, for: "network '\(made.name)'")
            let parameters = Parameters(initializing: made, seed: network.seed)
            timing = try Timing.inference(
                made, parameters: parameters, batch: count, pool: pool, minimumSeconds: seconds)
        }
        try report(timing, NetworkCost(made), batch: count)
    }

    private func report(_ timing: Timing, _ cost: NetworkCost, batch: Int) throws {
        let outcome = Outcome(
            network: network.network, pattern: network.pattern, depthMultiplier: network.depthMultiplier,
            training: training, batch: batch, threads: threads.count,
            medianMilliseconds: timing.medianMilliseconds, minMilliseconds: timing.minMilliseconds, runs: timing.runs,
            imagesPerSecond: Double(batch) / timing.medianMilliseconds * 1000,
            peakMemoryBytes: peakMemoryBytes(), multiplyAdds: cost.multiplyAdds,
            parameters: cost.parameters, instructionSet: InstructionSet.current)
        Console.say(
            """
            \(training ? "training step" : "inference") of \(network.network), \(network.pattern), batch \(batch), \
            \(threads.count) thread\(threads.count == 1 ? "" : "s"), \(InstructionSet.current): \
            median \(Format.fixed(timing.medianMilliseconds, 3)) ms, minimum \
            \(Format.fixed(timing.minMilliseconds, 3)) ms of \(timing.runs) runs, \
            \(Int(outcome.imagesPerSecond)) images/s, peak memory \(Format.bytes(outcome.peakMemoryBytes))
            """, json: output.json)
        if output.json { try Console.printJSON(outcome) }
    }

    private struct Outcome: Encodable {
        let network: String
        let pattern: String
        let depthMultiplier: Double
        let training: Bool
        let batch: Int
        let threads: Int
        let medianMilliseconds: Double
        let minMilliseconds: Double
        let runs: Int
        let imagesPerSecond: Double
        /// Of the whole process.
        let peakMemoryBytes: Int
        let multiplyAdds: Int
        let parameters: Int
        let instructionSet: String
    }
}

/// The largest memory that this process has held so far.
private func peakMemoryBytes() -> Int {
    var usage = rusage()
    #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
    #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
    #endif
}

extension NetworkOptions {
    /// The network for images of its own size, or of the size given, with ten classes.
    func make(imageSize: Int?) throws -> SparsifiedNetwork {
        let side = imageSize ?? 28
        guard (1 ... 1 << 16).contains(side) else { throw ValidationError("--image-size: expected 1 to 65536") }
        let base = try Network.named(network, classes: 10, input: Shape(channels: 1, height: side, width: side))
        if let imageSize, base.inputShape.height != imageSize || base.inputShape.width != imageSize {
            throw ValidationError(
                "--image-size \(imageSize): network '\(base.name)' takes images of \(base.inputShape)")
        }
        let scaled = depthMultiplier == 1 ? base : try base.scaled(byDepthMultiplier: depthMultiplier)
        return try scaled.sparsified(with: Pattern(parsing: pattern), seed: seed)
    }
}
