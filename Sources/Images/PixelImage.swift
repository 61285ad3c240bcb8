import GossamerTensors

/// An image in memory: grey, or red, green and blue.
public struct PixelImage: Hashable, Sendable {
    /// 1 or 3 channels.
    public let shape: Shape
    /// 0 to 255, as [channel][row][column].
    public let pixels: [UInt8]

    /// - Precondition: 1 or 3 channels, at least one pixel, and as many values as the shape has.
    public init(shape: Shape, pixels: [UInt8]) {
        precondition(shape.channels == 1 || shape.channels == 3, "expected grey or colour")
        precondition(shape.height > 0 && shape.width > 0 && pixels.count == shape.count)
        self.shape = shape
        self.pixels = pixels
    }
}
