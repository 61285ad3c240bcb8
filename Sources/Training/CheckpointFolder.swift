import Foundation
import GossamerExecution
import GossamerModelFiles
import GossamerNetworks
import GossamerTensors

/// The folder of a training's checkpoints: `last.safetensors` to go on from and `best.safetensors`.
///
/// Each is one file that is replaced whole, so that a process killed at any instant leaves a usable one.
public struct CheckpointFolder: Sendable {
    public let path: String

    /// - Parameter path: created with the first checkpoint.
    public init(path: String) { self.path = path }

    public var lastPath: String { path + "/last.safetensors" }
    public var bestPath: String { path + "/best.safetensors" }

    public var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: lastPath) }

    /// Removes what killed processes left while they saved. No other process may be saving here.
    func removeRemains() {
        for file in [lastPath, bestPath] { AtomicFile.removeRemains(of: file) }
    }

    private static let stateKey = "gossamer.state"
    private static let fingerprintKey = "gossamer.fingerprint"
    private static let versionKey = "gossamer.checkpoint"
    private static let version = "3"
    private static let averageSuffix = ".average"

    /// - Parameter network: where connections change during the training, the base with those that there are.
    func saveLast(
        _ state: TrainingState, fingerprint: String, network: Network?, parameters: borrowing Parameters,
        optimizer: borrowing OptimizerState, average: WeightAverage?
    ) throws(TrainingError) {
        var writer = SafetensorsWriter(metadata: [
            Self.stateKey: Self.encode(state), Self.fingerprintKey: fingerprint, Self.versionKey: Self.version,
        ])
        if let network { writer.add(network) }
        writer.add(parameters)
        for (index, name) in optimizer.optimizer.slots.enumerated() {
            for span in optimizer.spans {
                let values = Array(optimizer.slot(index, of: span))
                writer.add("\(span.entry.name).\(name)", shape: span.entry.shape, values: values)
            }
        }
        if let average {
            for entry in parameters.layout.all {
                writer.add(
                    entry.name + Self.averageSuffix, shape: entry.shape, values: average.parameters.values(entry))
            }
        }
        try write(writer, to: lastPath)
    }

    func saveBest(_ parameters: borrowing Parameters, fingerprint: String) throws(TrainingError) {
        var writer = SafetensorsWriter(metadata: [
            Self.fingerprintKey: fingerprint, Self.versionKey: Self.version,
        ])
        writer.add(parameters)
        try write(writer, to: bestPath)
    }

    func openLast(fingerprint: String) throws(TrainingError) -> SafetensorsFile {
        do throws(ModelFileError) {
            let file = try SafetensorsFile(contentsOf: lastPath)
            try requireFingerprint(fingerprint, of: file)
            return file
        } catch {
            throw wrongCheckpoint(error, path: lastPath)
        }
    }

    /// The part of its base that a training whose connections change had come to.
    ///
    /// - Returns: nil where it is the one that the training began with.
    func subnetwork(
        of file: SafetensorsFile, startingAt start: Subnetwork
    ) throws(TrainingError) -> Subnetwork? {
        do throws(ModelFileError) {
            let network = try file.network()
            guard network.nodes == start.base.nodes else {
                throw .mismatch(file: file.path, field: "network", expected: "'\(start.base.name)' with connections")
            }
            guard network.connections != start.connections else { return nil }
            do throws(NetworkError) {
                return try Subnetwork(of: start.base, connections: network.connections)
            } catch {
                throw .malformed(file: file.path, field: "network", expected: error.description)
            }
        } catch {
            throw .file(error)
        }
    }

    /// Reads a checkpoint back.
    func loadLast(
        _ file: SafetensorsFile, limits: TrainingState.Limits, parameters: borrowing Parameters,
        optimizer: borrowing OptimizerState, average: WeightAverage?
    ) throws(TrainingError) -> TrainingState {
        do throws(ModelFileError) {
            guard let text = file.metadata[Self.stateKey],
                let state = try? JSONDecoder().decode(TrainingState.self, from: Data(text.utf8)),
                state.isPossible(within: limits)
            else { throw .malformed(file: lastPath, field: Self.stateKey, expected: "a state of this training") }
            try file.readParameters(into: parameters)
            for (index, name) in optimizer.optimizer.slots.enumerated() {
                for span in optimizer.spans {
                    try file.read("\(span.entry.name).\(name)", into: optimizer.slot(index, of: span))
                }
            }
            if let average {
                for entry in parameters.layout.all {
                    try file.read(
                        entry.name + Self.averageSuffix,
                        into: UnsafeMutableBufferPointer(
                            start: average.parameters.pointer(entry), count: entry.count))
                }
            }
            return state
        } catch {
            throw wrongCheckpoint(error, path: lastPath)
        }
    }

    /// Reads the parameters of the best epoch of the training with this fingerprint.
    func loadBest(fingerprint: String, into parameters: borrowing Parameters) throws(TrainingError) {
        do throws(ModelFileError) {
            let file = try SafetensorsFile(contentsOf: bestPath)
            try requireFingerprint(fingerprint, of: file)
            try file.readParameters(into: parameters)
        } catch {
            throw wrongCheckpoint(error, path: bestPath)
        }
    }

    private func requireFingerprint(_ fingerprint: String, of file: SafetensorsFile) throws(ModelFileError) {
        guard file.metadata[Self.versionKey] == Self.version else {
            throw .mismatch(file: file.path, field: Self.versionKey, expected: "'\(Self.version)'")
        }
        guard file.metadata[Self.fingerprintKey] == fingerprint else {
            throw .mismatch(file: file.path, field: Self.fingerprintKey, expected: "'\(fingerprint)'")
        }
    }

    private func wrongCheckpoint(_ error: ModelFileError, path: String) -> TrainingError {
        if case .mismatch(_, let field, _) = error, field == Self.fingerprintKey {
            return .wrongCheckpoint(path: path, expected: "the same network, pattern, seed, data and settings")
        }
        if case .mismatch(_, let field, _) = error, field == Self.versionKey {
            return .wrongCheckpoint(
                path: path, expected: "one of format \(Self.version); another version of the program wrote it, and the "
                    + "training must begin anew")
        }
        return .file(error)
    }

    private func write(_ writer: SafetensorsWriter, to path: String) throws(TrainingError) {
        do {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        } catch {
            throw .file(.unwritable(file: self.path, reason: error.localizedDescription))
        }
        do throws(ModelFileError) {
            try writer.write(to: path)
        } catch {
            throw .file(error)
        }
    }

    private static func encode(_ state: TrainingState) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Every field is a finite number or an array of such, so that encoding cannot fail.
        return String(decoding: try! encoder.encode(state), as: UTF8.self)
    }
}
