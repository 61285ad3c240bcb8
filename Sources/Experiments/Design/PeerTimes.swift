import GossamerTensors

/// How long other runtimes take for a network, as `Benchmarks/peers` measured it. How accurate the network is that they
/// run, the whole one or a form of it such as one of 8-bit weights, is not known from it.
public struct PeerTimes: Hashable, Sendable {
    /// A runtime, and what it runs where its name says so.
    public struct Peer: Hashable, Sendable, Decodable {
        public let name: String
        /// Of one image on one thread.
        public let medianMilliseconds: Double
    }

    /// The fastest first.
    public let peers: [Peer]
    /// Where and how they were measured.
    public let origin: String

    private struct File: Decodable {
        let benchmark: String
        let network: String
        let shape: [Int]
        let threads: Int
        /// What the peers' network was drawn with.
        let peerPattern: String
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
            ("peerPattern", file.peerPattern == "dense", "dense"),
            ("contestants", file.contestants.allSatisfy { $0.medianMilliseconds > 0 }, "times above 0"),
        ]
        if let failed = checks.first(where: { !$0.1 }) {
            throw .invalid(file: path, field: failed.0, expected: failed.2)
        }
        // The design measures its own networks itself.
        peers = file.contestants.filter { !$0.name.hasPrefix("gossamer ") }
            .sorted { ($0.medianMilliseconds, $0.name) < ($1.medianMilliseconds, $1.name) }
        guard !peers.isEmpty else {
            throw .invalid(file: path, field: "contestants", expected: "one that is not Gossamer at least")
        }
        origin = "\(file.network), one image on one thread, \(file.processor), \(file.date)"
    }
}

extension PeerTimes {
    /// How the choice's time compares, in a sentence.
    func comparison(milliseconds: Double) -> String {
        let fastest = peers[0]
        let ratio = fastest.medianMilliseconds / milliseconds
        let verdict = ratio >= 1
            ? "\(Format.fixed(ratio, 2)) times as long as the choice"
            : "less than the choice, which takes \(Format.fixed(1 / ratio, 2)) times as long"
        return "The fastest of them, \(fastest.name), takes \(Format.milliseconds(fastest.medianMilliseconds)): "
            + verdict + "."
    }
}
