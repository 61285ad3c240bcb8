import GossamerTensors

/// How long other runtimes take for a network, as `Benchmarks/peers` measured it: they know nothing of its accuracy,
/// but what they run is the whole network or a form of it, such as one of 8-bit weights.
public struct PeerTimes: Hashable, Sendable {
    public struct Peer: Hashable, Sendable, Decodable {
        public let name: String
        public let medianMilliseconds: Double
    }

    public let peers: [Peer]
    /// Where and how they were measured.
    public let origin: String

    private struct File: Decodable {
        let benchmark: String
        let network: String
        let shape: [Int]
        let threads: Int
        let processor: String
        let date: String
        let contestants: [Peer]
    }

    /// - Parameters:
    ///   - path: of a file that `peers.py inference --output` wrote.
    ///   - network: that must have been measured, one image at a time on one thread.
    /// - Throws: `unreadable` or `invalid`.
    public init(contentsOf path: String, network: String, input: Shape) throws(ExperimentError) {
        let file = try JSONFile.read(File.self, from: path)
        let shape = [1, input.channels, input.height, input.width]
        let checks: [(String, Bool, String)] = [
            ("benchmark", file.benchmark == "inference", "inference"),
            ("network", file.network == network, "'\(network)', not '\(file.network)'"),
            ("shape", file.shape == shape, "\(shape), one image of the network's size"),
            ("threads", file.threads == 1, "1"),
            ("contestants", file.contestants.allSatisfy { $0.medianMilliseconds > 0 }, "times above 0"),
        ]
        if let failed = checks.first(where: { !$0.1 }) {
            throw .invalid(file: path, field: failed.0, expected: failed.2)
        }
        // The design measures its own networks itself.
        peers = file.contestants.filter { !$0.name.hasPrefix("gossamer") }
            .sorted { ($0.medianMilliseconds, $0.name) < ($1.medianMilliseconds, $1.name) }
        guard !peers.isEmpty else {
            throw .invalid(file: path, field: "contestants", expected: "one that is not Gossamer at least")
        }
        origin = "\(file.network), one image on one thread, \(file.processor), \(file.date)"
    }
}

extension PeerTimes {
    /// How a network's time compares, one line: `the fastest, onnxruntime, takes 0.31 ms: 1.4 times as long`.
    func comparison(milliseconds: Double) -> String {
        let fastest = peers[0]
        let ratio = fastest.medianMilliseconds / milliseconds
        let verdict = ratio >= 1
            ? "\(Format.fixed(ratio, 2)) times as long as the choice"
            : "less than the choice, which takes \(Format.fixed(1 / ratio, 2)) times as long"
        return "The fastest of them, \(fastest.name), takes \(Format.milliseconds(fastest.medianMilliseconds)): \(verdict)."
    }
}
