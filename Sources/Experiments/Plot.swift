/// Something that gnuplot draws for a page.
protocol Plot {
    /// Of its files, without an ending.
    var name: String { get }
    var title: String { get }

    func script(_ form: PlotForm) -> String
}

/// Where a drawing is shown.
enum PlotForm: Hashable, CaseIterable {
    /// Within the page, under a heading and a legend of the page's own.
    case inline
    case svg
    case png
}

extension Plot {
    func fileName(_ form: PlotForm) -> String {
        switch form {
        case .inline: name + "-inline.svg"
        case .svg: name + ".svg"
        case .png: name + ".png"
        }
    }
}
