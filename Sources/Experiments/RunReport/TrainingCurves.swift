import GossamerTraining

/// Loss and accuracy over the epochs of a training, as a gnuplot script.
struct TrainingCurves {
    enum Quantity: String, CaseIterable {
        case accuracy, loss
    }

    let quantity: Quantity
    let history: [EpochMetrics]

    var name: String { "training-" + rawName }
    var title: String { quantity == .accuracy ? "Accuracy by epoch" : "Loss by epoch" }
    private var rawName: String { quantity.rawValue }

    func fileName(_ form: TradeOffPlot.Form) -> String {
        form == .inline ? name + "-inline.svg" : name + (form == .svg ? ".svg" : ".png")
    }

    func script(_ form: TradeOffPlot.Form) -> String {
        let scale = form == .png ? 2 : 1
        let paper = form == .inline ? "" : " background rgb '#ffffff'"
        let muted = "textcolor rgb '\(PlotStyle.muted.light)'"
        let series = [training] + (validation.isEmpty ? [] : [validation])
        let blocks = series.enumerated().flatMap { index, values in
            ["$series\(index) << END"] + values.map { "\($0.epoch) \($0.value)" } + ["END"]
        }
        let names = ["training", "held back"]
        let colours = [PlotStyle.muted.light, PlotStyle.colours.first { $0.name == "blue" }!.light]
        let drawings = series.indices.map { index in
            "$series\(index) using 1:2 with linespoints linewidth 2 pointsize \(scale == 2 ? 1.4 : 0.8) pointtype "
                + "\(index == 0 ? 5 : 7) linecolor rgb '\(colours[index])' title '\(names[index])'"
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
        return (lines + blocks + ["plot " + drawings.joined(separator: ", "), "unset output", "reset"])
            .joined(separator: "\n") + "\n"
    }

    private var training: [(epoch: Int, value: Double)] {
        history.map { ($0.epoch, quantity == .accuracy ? $0.trainingAccuracy * 100 : $0.trainingLoss) }
    }

    private var validation: [(epoch: Int, value: Double)] {
        history.compactMap { metrics in
            (quantity == .accuracy ? metrics.validationAccuracy.map { $0 * 100 } : metrics.validationLoss)
                .map { (metrics.epoch, $0) }
        }
    }
}
