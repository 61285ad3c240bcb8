import GossamerTensors

/// Random changes to training images, drawn anew for every image of every epoch.
///
/// Written `none`, `flip`, `shift=2` or `flip,shift=2`.
public struct Augmentation: Hashable, Sendable {
    /// Pixels, at least 0: an image moves by up to this far along each axis, and black (pixel value 0) moves in.
    public var maximumShift: Int
    /// Mirrors half of the images left to right.
    public var horizontalFlip: Bool

    public init(maximumShift: Int = 0, horizontalFlip: Bool = false) {
        precondition(maximumShift >= 0)
        self.maximumShift = maximumShift
        self.horizontalFlip = horizontalFlip
    }

    public static let none = Augmentation()

    /// Writes the changed image; source and target are [channel][row][column] and do not overlap.
    func apply(
        to source: UnsafePointer<UInt8>, shape: Shape, using generator: inout SeededGenerator,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        let down = generator.index(below: 2 * maximumShift + 1) - maximumShift
        let right = generator.index(below: 2 * maximumShift + 1) - maximumShift
        let isMirrored = horizontalFlip && generator.index(below: 2) == 1
        let width = shape.width
        for channel in 0 ..< shape.channels {
            for row in 0 ..< shape.height {
                let targetRow = target + (channel * shape.height + row) * width
                guard row - down >= 0, row - down < shape.height else {
                    targetRow.update(repeating: 0, count: width)
                    continue
                }
                let sourceRow = source + (channel * shape.height + row - down) * width
                for column in 0 ..< width {
                    let origin = column - right
                    let isInside = origin >= 0 && origin < width
                    targetRow[column] = isInside ? sourceRow[isMirrored ? width - 1 - origin : origin] : 0
                }
            }
        }
    }
}
