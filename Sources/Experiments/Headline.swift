/// What the comparison shows, in words computed from its figures.
extension ReportSummary {
    /// Verdicts of every sparse and hybrid point, for the axes on which it can be compared.
    public var verdicts: [Verdict] {
        let multipliers = points.filter { $0.series.method == .multiplier || $0.series.method == .dense }
        // The dense network alone is no baseline.
        guard multipliers.contains(where: { $0.series.method == .multiplier }) else { return [] }
        return points.filter { $0.series.method == .sparse || $0.series.method == .hybrid }.flatMap { point in
            CostAxis.allCases.compactMap { Verdict(of: point, against: multipliers, axis: $0) }
        }
    }

    /// Who wins at equal convolution parameters, at each budget.
    public var headline: String {
        if let main = mainSeries, let clause = clause(main, axis: .convolutionParameters) {
            return "At equal \(CostAxis.convolutionParameters.name), \(clause)."
        }
        let best = points.filter { $0.series.method != .dense }.max { $0.accuracy.mean < $1.accuracy.mean }
        guard let best = best ?? dense else { return "No run is completed yet." }
        let figures = "\(Format.percent(best.accuracy)) with \(Format.count(best.convolutionParameters)) convolution"
            + " parameters"
        guard let dense, dense != best else { return "The dense network reaches \(figures)." }
        return "\(best.series.name.capitalizedFirst) at \(best.label) reaches \(figures); the dense network reaches"
            + " \(Format.percent(dense.accuracy)) with \(Format.count(dense.convolutionParameters))."
    }

    /// The same series at the other equal costs; costs of equal verdicts share a sentence.
    public var furtherHeadlines: [String] {
        guard let main = mainSeries else { return [] }
        var groups: [(axes: [String], clause: String)] = []
        for axis in CostAxis.allCases.dropFirst() {
            guard let clause = clause(main, axis: axis) else { continue }
            if let index = groups.firstIndex(where: { $0.clause == clause }) {
                groups[index].axes.append(axis.name)
            } else {
                groups.append(([axis.name], clause))
            }
        }
        return groups.map { "At equal \(enumeration($0.axes)), \($0.clause)." }
    }

    /// Nil if the spread of every point is known, else why it is not.
    public var spreadNote: String? {
        points.contains { $0.accuracy.count < 2 }
            ? "Points with one seed have no known spread over seeds: small differences there may be chance." : nil
    }

    /// The first that is compared with the depth multiplier.
    private var mainSeries: Series? { series.first { $0.method == .sparse || $0.method == .hybrid } }

    /// Such as "sparse random beats the depth multiplier at 1 % and 3 %, but loses at 10 % of the connections". Nil if
    /// no point can be compared.
    private func clause(_ series: Series, axis: CostAxis) -> String? {
        let verdicts = verdicts.filter { $0.axis == axis && $0.point.series == series }
            .sorted { ($0.point.configuration.density ?? 1) < ($1.point.configuration.density ?? 1) }
        guard !verdicts.isEmpty else { return nil }
        func labels(_ outcome: Verdict.Outcome) -> String? {
            let labels = verdicts.filter { $0.outcome == outcome }.map(\.point.label)
            return labels.isEmpty ? nil : enumeration(labels)
        }
        var phrases: [String] = []
        if let wins = labels(.wins) { phrases.append("\(series.name) beats the depth multiplier at \(wins)") }
        if let ties = labels(.ties) {
            let subject = phrases.isEmpty ? "\(series.name) ties with the depth multiplier" : "and ties"
            phrases.append("\(subject) at \(ties)")
        }
        if let losses = labels(.loses) {
            let subject = phrases.isEmpty ? "the depth multiplier beats \(series.name)" : "but loses"
            phrases.append("\(subject) at \(losses)")
        }
        return phrases.joined(separator: ", ") + (series.method == .sparse ? " of the connections" : "")
    }
}

/// `a`, `a and b`, `a, b and c`.
func enumeration(_ parts: [String]) -> String {
    guard parts.count > 1, let last = parts.last else { return parts.first ?? "" }
    return parts.dropLast().joined(separator: ", ") + " and " + last
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
