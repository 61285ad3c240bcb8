/// Finds a free place for each label of a plot, beside the point it belongs to. Lengths are in pixels from the lower
/// left corner of the plot's area.
struct LabelPlacement {
    struct Box: Hashable {
        var left, bottom, right, top: Double

        init(centreX: Double, centreY: Double, width: Double, height: Double) {
            left = centreX - width / 2
            right = centreX + width / 2
            bottom = centreY - height / 2
            top = centreY + height / 2
        }

        func overlap(_ other: Box) -> Double {
            let width = min(right, other.right) - max(left, other.left)
            let height = min(top, other.top) - max(bottom, other.bottom)
            return max(0, width) * max(0, height)
        }
    }

    let width: Double
    let height: Double
    private var obstacles: [Box] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func avoid(_ box: Box) { obstacles.append(box) }

    /// Keeps labels off a line, as so many small boxes.
    mutating func avoidLine(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let count = max(1, Int((dx * dx + dy * dy).squareRoot() / 6))
        for step in 0 ... count {
            let share = Double(step) / Double(count)
            avoid(Box(centreX: start.x + share * dx, centreY: start.y + share * dy, width: 5, height: 5))
        }
    }

    /// The centre of a label near a point, which later labels then avoid.
    ///
    /// - Parameter isAbove: the side to try first.
    mutating func place(
        _ text: String, at point: (x: Double, y: Double), isAbove: Bool
    ) -> (x: Double, y: Double) {
        let (labelWidth, labelHeight) = (7.6 * Double(text.count) + 2, 15.0)
        let side = 0.5 * labelWidth + 12
        let up = isAbove ? 1.0 : -1.0
        let offsets = [
            (0, 17 * up), (-side * 0.7, 14 * up), (side * 0.7, 14 * up), (side, 0), (-side, 0), (0, -17 * up),
            (side * 0.7, -14 * up), (-side * 0.7, -14 * up), (0, 33 * up), (0, -33 * up), (side, 20 * up),
            (-side, 20 * up), (0, 49 * up), (0, -49 * up),
        ]
        var best: (box: Box, cost: Double)?
        for (rank, offset) in offsets.enumerated() {
            let box = Box(
                centreX: point.x + offset.0, centreY: point.y + offset.1, width: labelWidth, height: labelHeight)
            let cost = self.cost(of: box) + 4 * Double(rank)
            if cost < best?.cost ?? .infinity { best = (box, cost) }
        }
        guard let box = best?.box else { return point }
        avoid(box)
        return ((box.left + box.right) / 2, (box.bottom + box.top) / 2)
    }

    private func cost(of box: Box) -> Double {
        let isInside = box.left >= 0 && box.right <= width + 20 && box.bottom >= 2 && box.top <= height
        return obstacles.reduce(isInside ? 0 : 2000) { $0 + $1.overlap(box) }
    }
}
