import GossamerDatasets
import GossamerExecution
import GossamerModelFiles

/// Why a training cannot start or go on, as one line.
public enum TrainingError: Error, CustomStringConvertible {
    case invalidOption(name: String, found: String, expected: String)
    /// The images and the network do not fit together.
    case mismatch(String)
    /// A checkpoint of another network, data set or setting.
    case wrongCheckpoint(path: String, expected: String)
    /// The loss or a parameter is no longer finite.
    case diverged(epoch: Int, step: Int, what: String)
    /// An image that cannot be used.
    case data(DatasetError)
    case execution(ExecutionError)
    case file(ModelFileError)

    public var description: String {
        switch self {
        case .invalidOption(let name, let found, let expected): "\(name) '\(found)': expected \(expected)"
        case .mismatch(let message): message
        case .wrongCheckpoint(let path, let expected): "\(path): not a checkpoint of this run, expected \(expected)"
        case .diverged(let epoch, let step, let what):
            "training diverged in epoch \(epoch + 1), step \(step + 1): \(what) is not finite; "
                + "the last good checkpoint is kept, a lower learning rate may help"
        case .data(let error): error.description
        case .execution(let error): error.description
        case .file(let error): error.description
        }
    }
}

extension TrainingError {
    /// Whether another network might train where this one cannot: it diverged, or does not fit into memory.
    public var isOfTheNetwork: Bool {
        switch self {
        case .diverged, .execution: true
        case .invalidOption, .mismatch, .wrongCheckpoint, .data, .file: false
        }
    }
}
