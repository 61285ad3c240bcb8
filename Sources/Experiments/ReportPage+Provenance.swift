import Foundation

extension ReportPage {
    /// Everything needed to repeat the runs.
    var provenance: String {
        let records = summary.records
        var rows: [(String, [String])] = [
            ("Network", [summary.network]),
            ("Data", [summary.data] + unique(records.compactMap(\.dataNote))),
            ("Training", unique(records.map { settings($0.configuration) })),
            ("Seeds", [Set(records.map(\.configuration.seed)).sorted().map(String.init).joined(separator: ", ")]),
            ("Machine", summary.machines.map(describe)),
            ("Version", unique(records.map { "Gossamer \($0.programVersion)" })),
            ("Command", unique(records.map { $0.commandLine.map(shellQuoted).joined(separator: " ") })),
        ]
        if let first = records.map(\.started).min() {
            let last = records.compactMap(\.finished).max()
            rows.append(("Date", [day(first) + (last.map { $0 == first ? "" : " to " + day($0) } ?? "")]))
        }
        let list = rows.map { (name, values) -> String in
            let tag = name == "Command" ? "code" : "span"
            let lines: String = values.map { "<\(tag)>\(HTML.escaped($0))</\(tag)>" }.joined(separator: "<br>")
            return "<dt>\(name)</dt><dd>\(lines)</dd>"
        }.joined(separator: "\n")
        return warning + "<dl>\n\(list)\n</dl>\n" + figuresExplained
    }

    /// Of what makes the times of runs differ though their networks may not.
    private var warning: String {
        func several(_ count: Int, _ what: String) -> String? { count > 1 ? "\(count) \(what)" : nil }
        let records = summary.records
        let causes = [
            several(summary.machines.count, "machines"),
            several(Set(records.map(\.configuration.threads)).count, "numbers of threads"),
            several(Set(records.map(\.programVersion)).count, "versions of the program"),
        ].compactMap { $0 }
        guard !causes.isEmpty else { return "" }
        return "<p class=\"warning\">The runs were measured on \(enumeration(causes)): compare their times with"
            + " care.</p>"
    }

    private var figuresExplained: String {
        """
        <p class="note">Parameters and multiply-adds are counted exactly; convolution parameters are the weights of \
        convolutions, without biases and the classifier. Latency is the median of one image at a time on one thread, \
        the training step that of all steps since the run last went on; training time is that of all epochs. Each plot \
        lies beside the page as SVG and PNG, and so do tables of the figures.</p>
        """
    }

    private func settings(_ configuration: RunConfiguration) -> String {
        var parts = [
            "\(configuration.epochs) epochs", "batch \(configuration.batchSize)",
            "learning rate \(plain(configuration.learningRate)), \(configuration.schedule)",
            configuration.optimizer ?? "momentum \(plain(configuration.momentum))",
            "weight decay \(plain(configuration.weightDecay))",
        ]
        if let batches = configuration.accumulatedBatches { parts.append("\(batches) batches a step") }
        if let limit = configuration.gradientNormLimit { parts.append("gradient norm at most \(plain(limit))") }
        if let decay = configuration.averageDecay { parts.append("parameters averaged with \(plain(decay))") }
        if let model = configuration.initialModel { parts.append("from \(model)") }
        if let frozen = configuration.frozenPrefixes { parts.append("frozen: \(frozen.joined(separator: ", "))") }
        if let pruning = configuration.pruning { parts.append("pruned: \(pruning)") }
        if let growth = configuration.growth { parts.append("grown: \(growth)") }
        if let exploration = configuration.exploration { parts.append("explored: \(exploration)") }
        if let distribution = configuration.distribution { parts.append("distribution \(distribution.rawValue)") }
        if configuration.labelSmoothing > 0 { parts.append("label smoothing \(plain(configuration.labelSmoothing))") }
        if configuration.augmentation != "none" { parts.append("augmentation \(configuration.augmentation)") }
        if configuration.validationFraction > 0 {
            parts.append("\(Format.share(configuration.validationFraction)) of the images kept for validation")
        }
        parts.append("\(configuration.threads) \(configuration.threads == 1 ? "thread" : "threads")")
        return parts.joined(separator: "; ")
    }

    private func describe(_ machine: Machine) -> String {
        let name = summary.machines.count > 1 ? "\(machine.hostName): " : ""
        let cores = "\(machine.cores) \(machine.cores == 1 ? "core" : "cores")"
        let memory = "\(Format.significant(Double(machine.memoryBytes) / 1_073_741_824, 3)) GiB"
        return "\(name)\(machine.processor), \(cores), \(memory), \(machine.instructionSet), \(machine.operatingSystem)"
    }

    /// In the order of their first appearance.
    private func unique(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private func day(_ date: Date) -> String {
        date.formatted(.iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space)
            .time(includingFractionalSeconds: false))
    }

    private func shellQuoted(_ word: String) -> String {
        let isPlain = word.wholeMatch(of: /[A-Za-z0-9\-_.\/:=,+@%]+/) != nil
        return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
