/// A setting in which two runs or comparisons differ, and both its values, as words.
struct SettingDifference: Hashable {
    let name: String
    let own: String
    let other: String
}

extension RunConfiguration {
    /// The first setting in which another configuration trains something else; threads change only the time.
    func difference(from other: RunConfiguration) -> SettingDifference? {
        let settings: [(String, String, String)] = [
            ("network", network, other.network),
            ("data", data, other.data),
            ("pattern", pattern, other.pattern),
            ("depth multiplier", plain(depthMultiplier), plain(other.depthMultiplier)),
            ("seed", "\(seed)", "\(other.seed)"),
            ("epochs", "\(epochs)", "\(other.epochs)"),
            ("batch size", "\(batchSize)", "\(other.batchSize)"),
            ("learning rate", plain(learningRate), plain(other.learningRate)),
            ("schedule", schedule, other.schedule),
            ("momentum", plain(momentum), plain(other.momentum)),
            ("optimizer", optimizer ?? "sgd", other.optimizer ?? "sgd"),
            ("accumulated batches", "\(accumulatedBatches ?? 1)", "\(other.accumulatedBatches ?? 1)"),
            ("gradient norm limit", optional(gradientNormLimit), optional(other.gradientNormLimit)),
            ("average decay", optional(averageDecay), optional(other.averageDecay)),
            ("initial model", initialModel ?? "none", other.initialModel ?? "none"),
            ("frozen layers", list(frozenPrefixes), list(other.frozenPrefixes)),
            ("pruning", pruning?.description ?? "none", other.pruning?.description ?? "none"),
            ("growth", growth ?? "none", other.growth ?? "none"),
            ("exploration", exploration ?? "none", other.exploration ?? "none"),
            ("distribution", distribution?.rawValue ?? "uniform", other.distribution?.rawValue ?? "uniform"),
            ("weight decay", plain(weightDecay), plain(other.weightDecay)),
            ("label smoothing", plain(labelSmoothing), plain(other.labelSmoothing)),
            ("augmentation", augmentation, other.augmentation),
            ("image size", imageSize.map(String.init) ?? "not given", other.imageSize.map(String.init) ?? "not given"),
            ("resizing", resizing ?? "cover", other.resizing ?? "cover"),
            ("interpolation", interpolation ?? "bilinear", other.interpolation ?? "bilinear"),
            ("validation fraction", plain(validationFraction), plain(other.validationFraction)),
        ]
        return settings.first { $0.1 != $0.2 }.map { SettingDifference(name: $0.0, own: $0.1, other: $0.2) }
            ?? inputDifference(from: other)
    }

    private func list(_ words: [String]?) -> String { words?.joined(separator: " ") ?? "none" }

    private func optional(_ number: Double?) -> String { number.map(plain) ?? "none" }

    /// Runs that were recorded before their inputs were read say nothing of them.
    private func inputDifference(from other: RunConfiguration) -> SettingDifference? {
        guard let mine = inputs, let theirs = other.inputs else { return nil }
        if mine.network != theirs.network {
            return SettingDifference(
                name: "network \(network) of other contents,", own: "digest \(mine.network)", other: theirs.network)
        }
        guard mine.data != theirs.data else { return nil }
        return SettingDifference(
            name: "data \(data) of other contents,", own: "digest \(mine.data)", other: theirs.data)
    }
}
