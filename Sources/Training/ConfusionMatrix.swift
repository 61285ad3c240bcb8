/// How many images of each class were taken for which.
public struct ConfusionMatrix: Hashable, Sendable {
    public let classCount: Int
    /// [actual class][predicted class]
    public private(set) var counts: [Int]

    public init(classCount: Int) {
        self.classCount = classCount
        counts = [Int](repeating: 0, count: classCount * classCount)
    }

    public subscript(actual actual: Int, predicted predicted: Int) -> Int {
        counts[actual * classCount + predicted]
    }

    mutating func add(actual: Int, predicted: Int) { counts[actual * classCount + predicted] += 1 }

    /// The images of a class by what they were taken for.
    public func row(_ actual: Int) -> ArraySlice<Int> { counts[actual * classCount ..< (actual + 1) * classCount] }

    public func imageCount(of actual: Int) -> Int { row(actual).reduce(0, +) }

    /// The fraction of a class's images that are classified right; nil where it has none.
    public func accuracy(of actual: Int) -> Double? {
        let count = imageCount(of: actual)
        return count == 0 ? nil : Double(self[actual: actual, predicted: actual]) / Double(count)
    }

    /// The class that a class's images are most often taken for wrongly, the first of several; nil where none is.
    public func mostFrequentError(of actual: Int) -> (predicted: Int, count: Int)? {
        var worst: (predicted: Int, count: Int)?
        for (predicted, count) in row(actual).enumerated() where predicted != actual && count > worst?.count ?? 0 {
            worst = (predicted, count)
        }
        return worst
    }
}
