/// The page of a design: the choice, why it was made, and everything that was tried.
struct DesignPage {
    let design: Design
    let outcome: DesignOutcome
    /// Of the first round's trainings.
    let trials: ReportPage
    /// Of the whole trainings.
    let finals: ReportPage
    let peers: PeerTimes?

    var html: String {
        HTML.page(
            title: "\(settings.network) on \(settings.data): a network under a budget",
            """
            \(header)
            \(cards)
            \(HTML.section("The budget", budgetTable))
            \(HTML.section("Why this one", HTML.list(reasons)))
            \(HTML.section("What was tried", candidatesTable))
            \(HTML.section("After the first round", figures))
            \(peers.map { HTML.section("Other runtimes", otherRuntimes($0)) } ?? "")
            \(HTML.section("Not in the figures", HTML.list(outcome.notes + failures)))
            \(HTML.section("How it was measured", finals.provenance))
            """)
    }

    private var settings: RunConfiguration { design.request.settings }
    private var budget: DesignBudget { design.request.budget }

    private var header: String {
        let further = [outcome.comparison].compactMap { $0 } + outcome.excesses.map { "Over the budget: \($0)." }
        return """
            <header>
            <p class="eyebrow">\(HTML.escaped("\(settings.network) on \(settings.data) · \(budget.text)"))</p>
            <h1>\(HTML.prose(outcome.headline))</h1>
            \(further.map { "<p class=\"further\">\(HTML.prose($0))</p>" }.joined(separator: "\n"))
            </header>
            """
    }

    private var cards: String {
        let finals = [("The choice", outcome.choice)] + (outcome.rival.map { [("Compared with", $0)] } ?? [])
        let cards = finals.map { title, final in
            let facts = [
                "\(Format.exact(final.cost.parameters)) parameters",
                "\(Format.count(Double(final.cost.multiplyAdds))) multiply-adds",
                final.results.singleImageLatencyMilliseconds.map { "\(Format.milliseconds($0)) for one image" },
                final.results.modelFileBytes.map { "a file of \(Format.bytes($0))" },
                "\(epochs(final.record)) in \(Format.seconds(final.results.trainingSeconds))",
            ].compactMap { $0 }
            return """
                <div class="card" style="--accent: var(--\(final.candidate.isBaseline ? "vermilion" : "blue"))">
                <h3>\(HTML.escaped("\(title): \(final.candidate.name)"))</h3>
                <p class="figure">\(HTML.escaped(Format.percent(final.results.testAccuracy)))</p>
                <p class="change">test accuracy</p>
                \(HTML.list(facts))
                </div>
                """
        }
        return "<div class=\"cards\">\n" + cards.joined(separator: "\n") + "\n</div>"
    }

    private var budgetTable: String {
        let (choice, planned) = (outcome.choice, outcome.choice.candidate.cost)
        func row<Value>(
            _ what: String, _ limit: Value?, _ predicted: Value?, _ found: Value?, _ text: (Value) -> String
        ) -> [String] {
            [what] + [limit, predicted, found].map { $0.map { HTML.escaped(text($0)) } ?? "" }
        }
        let rows = [
            row("parameters", budget.parameters, planned.run.parameters, choice.cost.parameters, Format.exact),
            row("multiply-adds", budget.multiplyAdds, planned.run.multiplyAdds, choice.cost.multiplyAdds, Format.exact),
            row("one image, one thread", budget.latencyMilliseconds, planned.latencyMilliseconds,
                choice.results.singleImageLatencyMilliseconds, Format.milliseconds),
            row("memory in training", budget.trainingMemoryBytes, planned.trainingMemoryBytes,
                choice.results.trainingMemoryBytes) { Format.bytes($0) },
            row("time of the whole design", budget.trainingSeconds, nil, outcome.seconds, Format.seconds),
            row("accuracy", budget.accuracy, nil, choice.results.testAccuracy) { Format.percent($0) },
        ]
        return HTML.table(["the choice", "limit", "before training", "found"], rows: rows, textColumns: 1)
    }

    private var reasons: [String] {
        var reasons: [String] = []
        if design.isSearchForAccuracy, let least = budget.accuracy {
            reasons.append(
                "Candidates were trained from the fewest parameters up until one reached \(Format.percent(least)) on "
                    + "images held back.")
        } else if outcome.rounds.isEmpty {
            reasons.append("It was the only candidate that there was time for.")
        } else {
            let left = outcome.rounds.map { "\($0.kept)" }.joined(separator: ", then ")
            reasons.append(
                "Of \(outcome.rounds[0].trials.count) candidates, short trainings left \(left), by their accuracy on "
                    + "images held back; the test images decided nothing.")
        }
        for (number, round) in outcome.rounds.enumerated() {
            guard let best = round.ranking.first, let accuracy = best.accuracy else { continue }
            let second = round.ranking.dropFirst().first.map { other in
                ", ahead of \(design.candidates[other.candidate].name) with \(Format.percent(other.accuracy ?? 0))"
            } ?? ""
            reasons.append(
                "Round \(number + 1): \(design.candidates[best.candidate].name) led with \(Format.percent(accuracy))"
                    + second + ".")
        }
        return reasons
    }

    private var candidatesTable: String {
        let order = design.candidates.indices.sorted { first, second in
            lastAccuracy(first) > lastAccuracy(second)
        }
        let rows = order.map { index in
            let candidate = design.candidates[index]
            let cells = outcome.trials(of: index).map(cell)
            let final = outcome.final(of: candidate).map {
                "\(Format.percent($0.results.testAccuracy))<br><span class=\"note\">"
                    + "\(epochs($0.record))</span>"
            }
            return [HTML.escaped(candidate.name)] + [
                Format.count(Double(candidate.cost.run.parameters)),
                Format.count(Double(candidate.cost.run.multiplyAdds)),
                candidate.cost.latencyMilliseconds.map(Format.milliseconds) ?? "",
                Format.bytes(candidate.cost.trainingMemoryBytes),
                candidate.epochSeconds.map(Format.seconds) ?? "",
            ].map(HTML.escaped) + cells + [final ?? ""]
        }
        let headings = [
            "candidate", "parameters", "multiply-adds", "one image, predicted", "memory in training",
            "an epoch, from timed steps",
        ] + outcome.rounds.indices.map { "round \($0 + 1), validation" } + ["whole training, test"]
        return HTML.table(headings, rows: rows, textColumns: 1)
    }

    private func cell(_ trial: DesignOutcome.Trial?) -> String {
        guard let trial else { return "<span class=\"note\">out</span>" }
        guard let accuracy = trial.accuracy else {
            return "<span class=\"note\">\(HTML.escaped(trial.problem ?? "no accuracy"))</span>"
        }
        return "\(Format.percent(accuracy))<br><span class=\"note\">\(epochs(trial.record))</span>"
    }

    private func epochs(_ record: RunRecord) -> String {
        let count = record.configuration.epochs
        return "\(count) epoch\(count == 1 ? "" : "s")"
    }

    /// Those that came further first, then by accuracy.
    private func lastAccuracy(_ candidate: Int) -> Double {
        let trials = outcome.trials(of: candidate)
        guard let last = trials.lastIndex(where: { $0?.accuracy != nil }) else { return -1 }
        return Double(last) + (trials[last]?.accuracy ?? 0)
    }

    private var figures: String {
        guard !outcome.rounds.isEmpty else { return "" }
        return "<p class=\"note\">Every candidate after its first short training, one seed: accuracy on images held "
            + "back against what it costs.</p>\n" + trials.figures
    }

    private func otherRuntimes(_ peers: PeerTimes) -> String {
        let own = [outcome.choice, outcome.rival].compactMap { $0 }.map {
            ($0.candidate.name, $0.results.singleImageLatencyMilliseconds)
        }
        let rows = (own + peers.peers.map { ($0.name, $0.medianMilliseconds) }).map { name, milliseconds in
            [HTML.escaped(name), milliseconds.map { HTML.escaped(Format.milliseconds($0)) } ?? ""]
        }
        let verdict = outcome.choice.results.singleImageLatencyMilliseconds.map { peers.comparison(milliseconds: $0) }
        return HTML.table(["network or runtime", "one image, one thread"], rows: rows, textColumns: 1)
            + (verdict.map { "<p>\(HTML.prose($0))</p>\n" } ?? "") + "<p class=\"note\">"
            + HTML.escaped(
                "The runtimes: \(peers.origin). They run the whole network unless their name says otherwise, and "
                    + "nothing here says how accurate it is.") + "</p>"
    }

    private var failures: [String] {
        outcome.rounds.flatMap(\.trials).compactMap { trial in
            trial.problem.map { "\(design.candidates[trial.candidate].name): \($0)" }
        }
    }
}

extension DesignBudget {
    /// In words: `at most 40,000 parameters, 4 min`.
    public var text: String {
        let most = [
            parameters.map { "\(Format.exact($0)) parameters" },
            multiplyAdds.map { "\(Format.exact($0)) multiply-adds" },
            latencyMilliseconds.map { "\(Format.milliseconds($0)) for one image" },
            trainingMemoryBytes.map { "\(Format.bytes($0)) in training" },
            trainingSeconds.map { "\(Format.seconds($0)) for the design" },
        ].compactMap { $0 }
        let least = accuracy.map { "at least \(Format.percent($0)) right" }
        return ([most.isEmpty ? nil : "at most " + enumeration(most), least].compactMap { $0 }).joined(separator: ", ")
    }
}
