import Foundation

/// The size of a drawing and the ranges of its axes: where a value lies, in pixels of the plot's area.
struct PlotCanvas {
    private let form: PlotForm
    private let ticks: LogarithmicTicks
    private let low: Double
    private let high: Double
    /// Of the whole drawing; a PNG has twice as many pixels a side.
    private let size: (width: Double, height: Double)
    private let margins: (left: Double, right: Double, bottom: Double, top: Double)

    init(_ form: PlotForm, summary: ReportSummary, axis: CostAxis) {
        self.form = form
        ticks = LogarithmicTicks(values: summary.points.compactMap { axis.value(of: $0) })
        let lows = summary.points.map { ($0.accuracy.mean - ($0.accuracy.deviation ?? 0)) * 100 }
        let highs = summary.points.map { ($0.accuracy.mean + ($0.accuracy.deviation ?? 0)) * 100 }
        let margin = max(0.12 * ((highs.max() ?? 100) - (lows.min() ?? 0)), 0.2)
        low = (lows.min() ?? 0) - margin
        high = (highs.max() ?? 100) + margin
        size = form == .inline ? (720, 430) : (800, 540)
        margins = form == .inline ? (76, 20, 66, 8) : (80, 26, 108, 86)
    }

    var width: Double { size.width - margins.left - margins.right }
    var height: Double { size.height - margins.bottom - margins.top }

    func x(_ cost: Double) -> Double { width * log(cost / ticks.low) / log(ticks.high / ticks.low) }

    /// - Parameter accuracy: a fraction.
    func y(_ accuracy: Double) -> Double { height * (accuracy * 100 - low) / (high - low) }

    func settings(outputName: String) -> [String] {
        let scale = form == .png ? 2.0 : 1
        let kind = form == .png ? "pngcairo" : "svg dynamic"
        let extent = "size \(Int(size.width * scale)),\(Int(size.height * scale))"
        let font = "font 'Liberation Sans,\(form == .png ? 21 : 14)' noenhanced"
        let paper = form == .inline ? "" : " background rgb '#ffffff'"
        return [
            "set terminal \(kind) \(extent) \(font)\(paper)" + (form == .png ? " linewidth 2 pointscale 2" : ""),
            "set encoding utf8",
            "set output '\(outputName)'",
            "set lmargin at screen \(margins.left / size.width)",
            "set rmargin at screen \(1 - margins.right / size.width)",
            "set bmargin at screen \(margins.bottom / size.height)",
            "set tmargin at screen \(1 - margins.top / size.height)",
        ]
    }

    func axes(_ axis: CostAxis) -> [String] {
        let marks = ticks.marks.map { "\(Gnuplot.quoted(axis.text($0))) \($0)" }.joined(separator: ", ")
        return [
            "set logscale x", "set xrange [\(ticks.low):\(ticks.high)]", "set xtics (\(marks))",
            "set yrange [\(low):\(high)]",
        ]
    }
}

/// Round numbers along a logarithmic axis.
struct LogarithmicTicks {
    let low: Double
    let high: Double
    let marks: [Double]

    /// - Parameter values: above 0.
    init(values: [Double]) {
        let (least, greatest) = (values.min() ?? 1, values.max() ?? 10)
        // A little air on both sides, and never an empty range.
        let margin = pow(max(greatest / least, 1.5), 0.1)
        (low, high) = (least / margin, greatest * margin)
        let decades = log10(high / low)
        let digits: [Double] = decades < 0.7 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < 1.6 ? [1, 2, 5] : [1, 3]
        let exponents = Int(log10(low).rounded(.down)) ... Int(log10(high).rounded(.up))
        let (first, last) = (low, high)
        marks = exponents.flatMap { exponent in digits.map { $0 * pow(10, Double(exponent)) } }
            .filter { $0 >= first && $0 <= last }
    }
}
