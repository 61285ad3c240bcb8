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
    private static let velocitySuffix = ".velocity"

    func saveLast(
        _ state: TrainingState, fingerprint: String, parameters: borrowing Parameters,
        velocities: borrowing AlignedBuffer<Float>
    ) throws(TrainingError) {
        var writer = SafetensorsWriter(metadata: [
            Self.stateKey: Self.encode(state), Self.fingerprintKey: fingerprint,
        ])
        writer.add(parameters)
        for entry in parameters.layout.trained {
            let values = Array(UnsafeBufferPointer(start: velocities.pointer + entry.offset, count: entry.count))
            writer.add(entry.name + Self.velocitySuffix, shape: entry.shape, values: values)
        }
        try write(writer, to: lastPath)
    }

    func saveBest(_ parameters: borrowing Parameters, fingerprint: String) throws(TrainingError) {
        var writer = SafetensorsWriter(metadata: [Self.fingerprintKey: fingerprint])
        writer.add(parameters)
        try write(writer, to: bestPath)
    }

    /// Reads the last checkpoint back.
    func loadLast(
        fingerprint: String, limits: TrainingState.Limits, parameters: borrowing Parameters,
        velocities: borrowing AlignedBuffer<Float>
    ) throws(TrainingError) -> TrainingState {
        do throws(ModelFileError) {
            let file = try SafetensorsFile(contentsOf: lastPath)
            try requireFingerprint(fingerprint, of: file)
            guard let text = file.metadata[Self.stateKey],
                let state = try? JSONDecoder().decode(TrainingState.self, from: Data(text.utf8)),
                state.isPossible(within: limits)
            else { throw .malformed(file: lastPath, field: Self.stateKey, expected: "a state of this training") }
            try file.readParameters(into: parameters)
            for entry in parameters.layout.trained {
                try file.read(
                    entry.name + Self.velocitySuffix,
                    into: UnsafeMutableBufferPointer(start: velocities.pointer + entry.offset, count: entry.count))
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
        guard file.metadata[Self.fingerprintKey] == fingerprint else {
            throw .mismatch(file: file.path, field: Self.fingerprintKey, expected: "'\(fingerprint)'")
        }
    }

    private func wrongCheckpoint(_ error: ModelFileError, path: String) -> TrainingError {
        if case .mismatch(_, let field, _) = error, field == Self.fingerprintKey {
            return .wrongCheckpoint(path: path, expected: "the same network, pattern, seed, data and settings")
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
