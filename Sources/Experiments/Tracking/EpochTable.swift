import Foundation
import GossamerTraining

/// Every epoch of many runs, as a table for other programs.
public enum EpochTable {
    /// Writes comma-separated values with a line for each epoch of each run.
    ///
    /// - Parameters:
    ///   - root: of the paths that name the runs.
    ///   - path: the file, written whole or not at all.
    /// - Throws: `unreadable` where a run's metrics cannot be read; `unwritable`.
    public static func write(
        _ entries: [RunIndex.Entry], below root: String, to path: String
    ) throws(ExperimentError) {
        var csv = CSV([
            "run", "network", "data", "pattern", "depth_multiplier", "distribution", "growth", "exploration", "seed",
            "status", "epoch", "connections", "learning_rate", "training_loss", "training_accuracy",
            "validation_loss", "validation_accuracy", "test_loss", "test_accuracy", "seconds",
        ])
        for entry in entries {
            let configuration = entry.record.configuration
            let run = [
                entry.name(below: root), configuration.network, configuration.data, configuration.pattern,
                plain(configuration.depthMultiplier), configuration.distribution?.rawValue ?? "",
                configuration.growth ?? "", configuration.exploration ?? "", "\(configuration.seed)",
                entry.record.status.rawValue,
            ]
            let changes = try entry.folder.metrics(ConnectionChange.self)
            let first = changes.first?.connectionsBefore ?? entry.record.cost?.connections
            for metrics in try entry.folder.metrics(EpochMetrics.self) {
                let connections = changes.last { $0.epoch <= metrics.epoch }?.connections ?? first
                csv.append(run + [
                    "\(metrics.epoch)", connections.map { "\($0)" } ?? "", plain(metrics.learningRate),
                    plain(metrics.trainingLoss),
                    plain(metrics.trainingAccuracy), metrics.validationLoss.map(plain) ?? "",
                    metrics.validationAccuracy.map(plain) ?? "", metrics.testLoss.map(plain) ?? "",
                    metrics.testAccuracy.map(plain) ?? "", plain(metrics.seconds),
                ])
            }
        }
        try JSONFile.writeWhole(Data(csv.text.utf8), to: path)
    }
}

extension RunIndex.Entry {
    /// The run's folder, from a folder around it on.
    public func name(below root: String) -> String {
        folder.path == root ? "." : String(folder.path.dropFirst(root.count + 1))
    }
}
