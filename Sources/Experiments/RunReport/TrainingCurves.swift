import GossamerTraining

/// Loss and accuracy over the epochs of a training with its growths and removals of connections, as in figure 6 of the
/// paper, as a gnuplot script.
struct TrainingCurves: Plot {
    enum Quantity: String, CaseIterable {
        case accuracy, loss
    }

    let quantity: Quantity
    let history: [EpochMetrics]
    let changes: [ConnectionChange]

    var name: String { "training-" + quantity.rawValue }
    var title: String { quantity == .accuracy ? "Accuracy by epoch" : "Loss by epoch" }

    func script(_ form: PlotForm) -> String {
        let scale = form == .png ? 2 : 1
        let paper = form == .inline ? "" : " background rgb '#ffffff'"
        let muted = "textcolor rgb '\(PlotStyle.muted.light)'"
        let series = self.series.filter { !$0.values.isEmpty }
        let blocks = series.enumerated().flatMap { index, series in
            ["$series\(index) << END"] + series.values.map { "\($0.epoch) \($0.value)" } + ["END"]
        }
        let drawings = series.enumerated().map { index, series in
            "$series\(index) using 1:2 with linespoints linewidth 2 pointsize \(scale == 2 ? 1.4 : 0.8) pointtype "
                + "\(series.mark) linecolor rgb '\(series.colour)' title '\(series.name)'"
        }
        let marks = marks.map { epoch in
            "set arrow from first \(epoch), graph 0 to first \(epoch), graph 1 nohead dashtype (4,4) linewidth 1"
                + " linecolor rgb '\(PlotStyle.muted.light)' back"
        }
        let lines = [
            "set terminal \(form == .png ? "pngcairo" : "svg dynamic") size \(720 * scale),\(430 * scale) font "
                + "'Liberation Sans,\(14 * scale)' noenhanced\(paper)",
            "set encoding utf8", "set output '\(fileName(form))'",
            "set border 1 linecolor rgb '\(PlotStyle.muted.light)'",
            "set grid ytics linetype 1 linecolor rgb '\(PlotStyle.grid.light)'",
            "set xtics nomirror scale 0 \(muted)", "set ytics nomirror scale 0 \(muted)",
            "set xlabel 'epoch' \(muted)",
            quantity == .accuracy ? "set format y '%g %%'" : "set format y '%g'",
            "set xrange [\(Double(history[0].epoch) - 0.3):\(Double(history[history.count - 1].epoch) + 0.3)]",
            "set key \(quantity == .accuracy ? "bottom" : "top") right reverse Left \(muted)",
        ]
        return (lines + marks + blocks + ["plot " + drawings.joined(separator: ", "), "unset output", "reset"])
            .joined(separator: "\n") + "\n"
    }

    private typealias Series = (
        name: String, mark: Int, colour: String, values: [(epoch: Int, value: Double)]
    )

    private var series: [Series] {
        func values(_ accuracy: (EpochMetrics) -> Double?, _ loss: (EpochMetrics) -> Double?) -> [(Int, Double)] {
            history.compactMap { metrics in
                (quantity == .accuracy ? accuracy(metrics).map { $0 * 100 } : loss(metrics)).map { (metrics.epoch, $0) }
            }
        }
        func colour(_ name: String) -> String { PlotStyle.colours.first { $0.name == name }!.light }
        return [
            ("training", 5, PlotStyle.muted.light, values(\.trainingAccuracy, \.trainingLoss)),
            ("held back", 7, colour("blue"), values(\.validationAccuracy, \.validationLoss)),
            ("test", 9, colour("green"), values(\.testAccuracy, \.testLoss)),
        ]
    }

    /// In epochs, when connections grew or were removed; explorations, which are many, are left out.
    private var marks: [Double] {
        changes.filter { $0.change != .exploration }.compactMap(\.epochsDone)
    }
}
