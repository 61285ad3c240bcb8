import GossamerTensors

/// Images of one size in memory, each with the class that it shows.
public struct LabelledImages: Hashable, Sendable {
    /// What error messages and reports call the set, such as `fashion-mnist test`.
    public let name: String
    /// The size of every image.
    public let shape: Shape
    /// 0 to 255, as [image][channel][row][column].
    public let pixels: [UInt8]
    /// The class of each image, 0 ..< classNames.count.
    public let labels: [Int32]
    public let classNames: [String]

    /// - Precondition: one label per image, each below the number of classes.
    public init(name: String, shape: Shape, pixels: [UInt8], labels: [Int32], classNames: [String]) {
        precondition(shape.channels > 0 && shape.height > 0 && shape.width > 0)
        precondition(pixels.count == labels.count * shape.count, "expected one label per image")
        precondition(labels.allSatisfy { $0 >= 0 && Int($0) < classNames.count }, "label out of range")
        self.name = name
        self.shape = shape
        self.pixels = pixels
        self.labels = labels
        self.classNames = classNames
    }

    /// Images in the set.
    public var count: Int { labels.count }

    public var classCount: Int { classNames.count }

    /// A copy of the images at `indices`, in that order.
    public func subset(_ indices: [Int], name: String? = nil) -> LabelledImages {
        var chosen: [UInt8] = []
        chosen.reserveCapacity(indices.count * shape.count)
        for index in indices { chosen += pixels[index * shape.count ..< (index + 1) * shape.count] }
        return LabelledImages(
            name: name ?? self.name, shape: shape, pixels: chosen, labels: indices.map { labels[$0] },
            classNames: classNames)
    }
}
