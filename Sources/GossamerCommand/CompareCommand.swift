import ArgumentParser
import Foundation
import Gossamer
import GossamerExperiments

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Train a network in several sizes, sparse and narrow, and report the trade-off.",
        discussion: """
            Example, three seeds of each point:

              gossamer compare --densities 0.1,0.03,0.01 --seeds 1,2,3 --output runs/sweep

            Points that are done are skipped, so that the same command goes on after an interruption. Several \
            processes, on several machines that share the folder, may work on one comparison at a time.
            """)

    @Option(help: "A built-in network, or the path of a network's JSON file.")
    var network = "mnist"

    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Input") var input: InputOptions

    @Option(help: "Fractions of connections, separated by commas; 1 is the dense network.")
    var densities = "1,0.1,0.03,0.01"

    @Option(help: "Methods to compare, separated by commas: dense, sparse, multiplier, hybrid.")
    var methods = "dense,sparse,multiplier"

    @Option(help: "Kind of sparse pattern, without its density: random, or random,block=4. May be repeated.")
    var pattern: [String] = ["random"]

    @Option(
        help: """
            How the depth multiplier beside a density is found: paper (its square root), parameters or multiply-adds \
            (the largest that costs no more).
            """)
    var pairing = Comparison.Pairing.paper

    @Option(help: "Hybrids as MULTIPLIERxDENSITY, separated by commas, such as 0.5x0.01; they add the method hybrid.")
    var hybrids = ""

    @Option(help: "Seeds, separated by commas; each point is trained with each.")
    var seeds = "1"

    @Option(help: """
        Learning rates to choose from, separated by commas, instead of --learning-rate: each method gets the one with \
        which its middling network is most accurate on training images held back.
        """)
    var learningRates: String?

    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Machine") var threads: ThreadOptions
    @OptionGroup(title: "Machine") var parallel: ParallelOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(name: [.customLong("output"), .customShort("o")], help: "Folder of the comparison.", transform: folderPath)
    var folder = "runs/comparison"

    @Flag(help: "Train points again that failed before.")
    var retryFailed = false

    @Flag(help: "Stay until points that other processes train are done too.")
    var wait = false

    func run() throws {
        // Pattern, depth multiplier and seed are those of each point.
        let settings = try RunConfiguration(
            network: network, pattern: "dense", depthMultiplier: 1, seed: 1, data, training, input: input,
            threads: threads.count)
        let rates = try learningRates.map {
            try parse($0, "--learning-rates", "numbers above 0") { Double($0).flatMap { $0 > 0 ? $0 : nil } }
        }
        let hybrids = try parseHybrids()
        var methods = try parse(
            methods, "--methods", "dense, sparse, multiplier, hybrid",
            names: RunConfiguration.Method.allCases.map(\.rawValue)
        ) { RunConfiguration.Method(rawValue: $0) }
        if !hybrids.isEmpty && !methods.contains(.hybrid) { methods.append(.hybrid) }
        let comparison = Comparison(
            settings: settings, methods: methods,
            densities: try parse(densities, "--densities", "numbers in (0, 1]") { Double($0) }, patterns: pattern,
            pairing: pairing, hybrids: hybrids,
            seeds: try parse(seeds, "--seeds", "whole numbers from 0") { UInt64($0) }, learningRates: rates)
        try ComparisonSession(
            comparison, folder: folder, retryFailed: retryFailed, waits: wait, parallel: parallel.count,
            json: output.json
        ).run()
    }

    private func parseHybrids() throws -> [Comparison.Hybrid] {
        guard !hybrids.isEmpty else { return [] }
        return try parse(hybrids, "--hybrids", "pairs such as 0.5x0.01") { text in
            let parts = text.split(separator: "x").map { Double($0) }
            guard parts.count == 2, let multiplier = parts[0], let density = parts[1] else { return nil }
            return Comparison.Hybrid(depthMultiplier: multiplier, density: density)
        }
    }

    /// - Parameter names: all values, where they are words.
    private func parse<Value>(
        _ list: String, _ option: String, _ expected: String, names: [String] = [], _ value: (String) -> Value?
    ) throws -> [Value] {
        try list.split(separator: ",").map { part in
            let text = part.trimmingCharacters(in: .whitespaces)
            guard let value = value(text) else {
                let hint = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? ""
                throw ValidationError("\(option) '\(text)': expected \(expected)\(hint)")
            }
            return value
        }
    }
}

extension Comparison.Pairing: ExpressibleByArgument {}
