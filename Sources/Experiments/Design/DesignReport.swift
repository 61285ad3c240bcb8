import Foundation

extension DesignFolder {
    /// Writes `report/report.html`, which stands alone, with plots and `candidates.csv` beside it.
    ///
    /// - Parameter peers: times of other runtimes to set beside the choice.
    /// - Returns: the page's path.
    /// - Throws: `tool` where plots cannot be drawn; `unwritable`.
    @discardableResult
    public func writeReport(
        _ design: Design, _ outcome: DesignOutcome, peers: PeerTimes? = nil
    ) throws(ExperimentError) -> String {
        let trials = try ReportSummary(outcome.firstRoundRecords)
        let plots = CostAxis.allCases.compactMap { TradeOffPlot(trials, axis: $0, isOfTrials: true) }
        let (drawings, _) = try Report.draw(plots, to: reportPath)
        let finals = [outcome.choice.record] + (outcome.rival.map { [$0.record] } ?? [])
        let page = DesignPage(
            design: design, outcome: outcome,
            trials: ReportPage(summary: trials, options: .init(), drawings: drawings),
            finals: ReportPage(summary: try ReportSummary(finals), options: .init(), drawings: []), peers: peers)
        try JSONFile.writeWhole(Data(design.csv(outcome).utf8), to: reportPath + "/candidates.csv")
        try JSONFile.writeWhole(Data(page.html.utf8), to: reportPath + "/report.html")
        return reportPath + "/report.html"
    }
}

extension DesignOutcome {
    /// With the accuracy on images held back, which decided, in the place of that on test images.
    fileprivate var firstRoundRecords: [RunRecord] {
        let records = rounds.first?.trials.map(\.record) ?? []
        let validated = records.compactMap { record -> RunRecord? in
            guard var results = record.results, let accuracy = results.validationAccuracy else { return nil }
            results.testAccuracy = accuracy
            results.testImages = nil
            var record = record
            record.results = results
            return record
        }
        // A single candidate goes through no round.
        return validated.isEmpty ? [choice.record] : validated
    }

    /// The answer in a sentence.
    public var headline: String {
        "The choice, \(choice.candidate.name), reaches \(Format.percent(choice.results.testAccuracy)) on the test "
            + "images with \(Format.exact(choice.cost.parameters)) parameters"
    }

    /// How the best network of the other kind compares; nil where there was none.
    public var comparison: String? {
        guard let rival else { return nil }
        let difference = choice.results.testAccuracy - rival.results.testAccuracy
        let points = Format.fixed(abs(difference) * 100, 2) + " points"
        let verdict = difference == 0 ? "the same" : difference > 0 ? "\(points) less" : "\(points) more"
        return "Under the same budget and seed, \(rival.candidate.name) reaches "
            + "\(Format.percent(rival.results.testAccuracy)): \(verdict)."
    }
}

extension Design {
    /// One line a candidate: what it costs and how far it came.
    fileprivate func csv(_ outcome: DesignOutcome) -> String {
        var csv = CSV(
            [
                "candidate", "pattern", "depth_multiplier", "parameters", "multiply_adds", "training_memory_bytes",
                "latency_ms_predicted", "latency_ms_measured",
            ] + outcome.rounds.indices.flatMap { ["round_\($0 + 1)_epochs", "round_\($0 + 1)_validation_accuracy"] }
                + ["test_accuracy"])
        for (index, candidate) in candidates.enumerated() {
            let trials = outcome.trials(of: index)
            let measured = trials.compactMap { $0?.record.results?.singleImageLatencyMilliseconds }.last
            let cost = candidate.cost
            let start = [
                candidate.name, candidate.pattern, plain(candidate.depthMultiplier), "\(cost.run.parameters)",
                "\(cost.run.multiplyAdds)", "\(cost.trainingMemoryBytes)",
                cost.latencyMilliseconds.map(plain) ?? "", measured.map(plain) ?? "",
            ]
            let rounds = trials.flatMap { trial in
                [
                    trial.map { "\($0.record.configuration.epochs)" } ?? "",
                    trial?.record.results?.validationAccuracy.map(plain) ?? "",
                ]
            }
            csv.append(start + rounds + [outcome.final(of: candidate).map { plain($0.results.testAccuracy) } ?? ""])
        }
        return csv.text
    }
}

extension DesignOutcome {
    /// By round; nil where the candidate was out.
    func trials(of candidate: Int) -> [Trial?] {
        rounds.map { round in round.trials.first { $0.candidate == candidate } }
    }

    func final(of candidate: DesignCandidate) -> Final? {
        [choice, rival].compactMap { $0 }.first { $0.candidate == candidate }
    }
}
