/// Pieces of HTML. All text goes through `escaped`.
enum HTML {
    /// A whole page that needs no other file and no script.
    ///
    /// - Parameter content: HTML.
    static func page(title: String, _ content: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="generator" content="Gossamer">
        <title>\(escaped(title))</title>
        <style>
        \(ReportStyle.css)
        </style>
        </head>
        <body>
        <main>
        \(content)
        </main>
        </body>
        </html>

        """
    }

    /// Text that no browser takes for markup, in content and in quoted attributes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in oneLine(text, limit: 4000) {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
        return result
    }

    /// Escaped text in which no line ends between a number and its unit.
    static func prose(_ text: String) -> String {
        escaped(text).replacing(/([0-9]) (%|±|k|M|G|ms|µs|s|min|h)(?![A-Za-z])/) { match in
            "\(match.output.1)\u{a0}\(match.output.2)"
        }
    }

    /// A table whose cells are HTML already.
    ///
    /// - Parameter textColumns: how many columns at the left hold text; the others hold numbers.
    static func table(_ headings: [String], rows: [[String]], textColumns: Int, label: String = "") -> String {
        func cells(_ row: [String], _ tag: String) -> String {
            row.enumerated().map { index, cell in
                "<\(tag)\(index < textColumns ? " class=\"text\"" : "")>\(cell)</\(tag)>"
            }.joined()
        }
        let body = rows.map { "<tr>\(cells($0, "td"))</tr>" }.joined(separator: "\n")
        return """
            <div class="scroll"\(label.isEmpty ? "" : " aria-label=\"\(escaped(label))\"")><table>
            <thead><tr>\(cells(headings, "th"))</tr></thead>
            <tbody>
            \(body)
            </tbody></table></div>
            """
    }

    /// Drawings under their titles.
    static func figures<Drawn: Plot>(_ drawings: [(plot: Drawn, svg: String)]) -> String {
        let figures = drawings.map { plot, svg in
            "<figure><figcaption>\(escaped(plot.title))</figcaption>\n\(svg)\n</figure>"
        }
        return "<div class=\"figures\">\n\(figures.joined(separator: "\n"))\n</div>"
    }

    static func section(_ heading: String, _ content: String) -> String {
        content.isEmpty ? "" : "<section><h2>\(escaped(heading))</h2>\n\(content)\n</section>"
    }

    static func list(_ items: [String]) -> String {
        items.isEmpty ? "" : "<ul>" + items.map { "<li>\(prose($0))</li>" }.joined() + "</ul>"
    }
}
