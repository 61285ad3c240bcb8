/// Colours and marks, after the palette of Okabe and Ito, which colour-blind readers can tell apart. Each series has
/// a mark of its own too.
struct PlotStyle: Hashable {
    /// A colour by its role: the light theme's and the dark theme's value.
    struct Colour: Hashable {
        /// Of the CSS variable.
        let name: String
        let light: String
        let dark: String
    }

    let colour: Colour
    /// gnuplot's point type, and the same mark as text.
    let mark: Int
    let symbol: String

    static let surface = Colour(name: "surface", light: "#ffffff", dark: "#171b21")
    static let ink = Colour(name: "ink", light: "#1d2430", dark: "#e8ebf0")
    static let muted = Colour(name: "muted", light: "#5c6675", dark: "#9aa5b4")
    static let grid = Colour(name: "grid", light: "#e3e7ec", dark: "#2b323c")

    private static let blue = Colour(name: "blue", light: "#0072b2", dark: "#5bb8f0")
    private static let vermilion = Colour(name: "vermilion", light: "#d55e00", dark: "#ff8f45")
    private static let green = Colour(name: "green", light: "#008a64", dark: "#2fcb9c")
    private static let purple = Colour(name: "purple", light: "#b0518a", dark: "#e79ac8")
    private static let sky = Colour(name: "sky", light: "#3f9bd1", dark: "#a9dbf7")
    private static let yellow = Colour(name: "yellow", light: "#a88600", dark: "#f0e442")

    static let dense = PlotStyle(colour: muted, mark: 15, symbol: "⬟")
    private static let multiplier = PlotStyle(colour: vermilion, mark: 5, symbol: "■")
    private static let sparse = [
        PlotStyle(colour: blue, mark: 7, symbol: "●"), PlotStyle(colour: purple, mark: 13, symbol: "◆"),
        PlotStyle(colour: sky, mark: 6, symbol: "○"), PlotStyle(colour: purple, mark: 12, symbol: "◇"),
        PlotStyle(colour: blue, mark: 3, symbol: "✱"), PlotStyle(colour: purple, mark: 1, symbol: "+"),
    ]
    private static let hybrid = [
        PlotStyle(colour: green, mark: 9, symbol: "▲"), PlotStyle(colour: yellow, mark: 11, symbol: "▼"),
        PlotStyle(colour: green, mark: 8, symbol: "△"), PlotStyle(colour: yellow, mark: 10, symbol: "▽"),
        PlotStyle(colour: green, mark: 2, symbol: "×"), PlotStyle(colour: yellow, mark: 14, symbol: "⬠"),
    ]

    static let colours = [surface, ink, muted, grid, blue, vermilion, green, purple, sky, yellow]

    /// Styles of a comparison's series.
    static func styles(of series: [Series]) -> [Series: PlotStyle] {
        var styles: [Series: PlotStyle] = [:]
        var (sparseCount, hybridCount) = (0, 0)
        for one in series {
            switch one.method {
            case .dense: styles[one] = dense
            case .multiplier: styles[one] = multiplier
            case .sparse:
                styles[one] = sparse[sparseCount % sparse.count]
                sparseCount += 1
            case .hybrid:
                styles[one] = hybrid[hybridCount % hybrid.count]
                hybridCount += 1
            }
        }
        return styles
    }
}
