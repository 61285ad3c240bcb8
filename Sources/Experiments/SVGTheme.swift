import Foundation

/// A drawing of gnuplot made part of a page: its colours become the page's variables, which follow light and dark,
/// and its identifiers its own.
enum SVGTheme {
    static func themed(_ svg: String, name: String, title: String) -> String {
        guard let start = svg.range(of: "<svg") else { return "" }
        var text = String(svg[start.lowerBound...])
        for colour in PlotStyle.colours { text = replacing(colour, in: text) }
        for (colour, variable) in [("black", "ink"), ("white", "surface")] {
            for attribute in ["fill", "stroke", "color"] {
                for quote in ["'", "\""] {
                    text = text.replacingOccurrences(
                        of: "\(attribute)=\(quote)\(colour)\(quote)", with: "\(attribute)=\"var(--\(variable))\"")
                }
            }
        }
        for identifier in ["gpDot", "gpPt", "textbox", "greybox", "gnuplot_"] {
            text = text.replacingOccurrences(of: "'\(identifier)", with: "'\(name)-\(identifier)")
                .replacingOccurrences(of: "\"\(identifier)", with: "\"\(name)-\(identifier)")
                .replacingOccurrences(of: "#\(identifier)", with: "#\(name)-\(identifier)")
        }
        text = text.replacingOccurrences(of: "font-family=\"Liberation Sans\"", with: "font-family=\"inherit\"")
        // gnuplot's titles would show as tooltips; the page's own says what a screen reader should read.
        text = text.replacing(/<title>[^<]*<\/title>/, with: "").replacing(/<desc>[^<]*<\/desc>/, with: "")
        let label = "<svg role=\"img\" aria-label=\"\(HTML.escaped(title))\""
        return text.replacing("<svg", with: label, maxReplacements: 1)
    }

    /// gnuplot writes `rgb(  0, 114, 178)`.
    private static func replacing(_ colour: PlotStyle.Colour, in text: String) -> String {
        let digits = colour.light.dropFirst()
        let parts = stride(from: 0, to: 6, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return Int(digits[start ..< digits.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
        let written = "rgb(" + parts.map { String(repeating: " ", count: 3 - String($0).count) + String($0) }
            .joined(separator: ", ") + ")"
        return text.replacingOccurrences(of: written, with: "var(--\(colour.name))")
            .replacingOccurrences(of: "rgb(" + parts.map(String.init).joined(separator: ",") + ")",
                                  with: "var(--\(colour.name))")
    }
}
