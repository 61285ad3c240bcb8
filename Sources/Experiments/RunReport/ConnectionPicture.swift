import GossamerConnectivity

/// The connections of a layer as a matrix, after figure 1 of the paper: a row for each filter, a column for each input
/// channel. Large layers are gathered into cells, darker the more of their connections exist.
struct ConnectionPicture {
    private let table: ConnectionTable
    /// Cells a side, at most.
    private let resolution: Int

    init(_ table: ConnectionTable, resolution: Int) {
        self.table = table
        self.resolution = resolution
    }

    /// How much of a cell is drawn: a quarter, half, three quarters, all.
    private static let levels = 4

    private var columns: Int { min(table.inputCount, resolution) }
    private var rows: Int { min(table.outputCount, resolution) }

    /// An SVG element whose colours are the page's.
    var svg: String {
        let levels = self.levels
        let paths = (1 ... Self.levels).map { level in
            let path = path(of: level, levels)
            guard !path.isEmpty else { return "" }
            let opacity = Double(level) / Double(Self.levels)
            return "<path d=\"\(path)\" fill=\"var(--blue)\" fill-opacity=\"\(plain(opacity))\"/>"
        }
        return """
            <svg role="img" aria-label="connections" viewBox="0 0 \(columns) \(rows)" preserveAspectRatio="none" \
            shape-rendering="crispEdges"><rect width="\(columns)" height="\(rows)" fill="var(--grid)"/>\
            \(paths.joined())</svg>
            """
    }

    /// Runs of neighbouring cells of one level.
    private func path(of level: Int, _ levels: [[Int]]) -> String {
        var path = ""
        for row in 0 ..< rows {
            let levels = levels[row]
            var column = 0
            while column < columns {
                var end = column
                while end < columns && levels[end] == level { end += 1 }
                if end > column { path += "M\(column) \(row)h\(end - column)v1h-\(end - column)z" }
                column = max(end, column + 1)
            }
        }
        return path
    }

    /// By row and column of cells, 0 where there is no connection.
    private var levels: [[Int]] {
        var counts = [[Int]](repeating: [Int](repeating: 0, count: columns), count: rows)
        for filter in 0 ..< table.outputCount {
            for input in table.inputs(of: filter) {
                counts[filter * rows / table.outputCount][Int(input) * columns / table.inputCount] += 1
            }
        }
        return counts.enumerated().map { row, counts in
            counts.enumerated().map { column, count in
                let size = Self.size(of: row, rows, table.outputCount)
                    * Self.size(of: column, columns, table.inputCount)
                return (count * Self.levels + size - 1) / size
            }
        }
    }

    /// How many channels a cell gathers.
    private static func size(of cell: Int, _ cells: Int, _ channels: Int) -> Int {
        func start(_ cell: Int) -> Int { (cell * channels + cells - 1) / cells }
        return start(cell + 1) - start(cell)
    }
}
