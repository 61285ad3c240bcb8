/// What one import may spend on values that its file does not hold as they are: constants that are computed or written
/// out, and the channels that views list. A short file could otherwise ask for hours, and for any memory.
struct ValueBudget {
    /// Far more than networks need, of which the computed constants are sizes.
    private static let standard = 1 << 26

    private let total: Int
    private var left: Int

    /// - Parameter fileByteCount: its weights may be moved once besides.
    init(fileByteCount: Int) {
        total = Self.standard + fileByteCount / MemoryLayout<Float>.size
        left = total
    }

    /// - Throws: ``ImportError`` where less is left.
    mutating func spend(_ count: Int) throws(ImportError) {
        guard count <= left else {
            throw ImportError("a graph that computes and moves at most \(total) values when it is imported")
        }
        left -= count
    }
}

/// How many values a tensor of some sizes has; nil where a size is negative, or where those that are not 0 make more
/// than `largest`: then the product of any of them could overflow.
func valueCount(_ sizes: [Int], atMost largest: Int) -> Int? {
    var product = 1
    for size in sizes where size != 0 {
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        guard size > 0, !overflow, next <= largest else { return nil }
        product = next
    }
    return sizes.contains(0) ? 0 : product
}
