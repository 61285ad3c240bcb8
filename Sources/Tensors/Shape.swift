/// The size of one image's activations: channels, height and width in pixels.
public struct Shape: Hashable, Sendable, Codable, BitwiseCopyable, CustomStringConvertible {
    public var channels: Int
    public var height: Int
    public var width: Int

    public init(channels: Int, height: Int, width: Int) {
        self.channels = channels
        self.height = height
        self.width = width
    }

    /// Values in one image.
    public var count: Int { channels * height * width }

    public var description: String { "\(channels) x \(height) x \(width)" }
}
