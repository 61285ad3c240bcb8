/// Where the value of (image, channel, row, column) lies in a buffer of activations.
///
/// Activations are stored as [block][channel][row][column][lane]; a block holds `lanes` images side by side, so that a
/// vector register holds the same pixel of 16 images. A single image uses one lane.
public struct ActivationLayout: Hashable, Sendable {
    public let shape: Shape
    /// Images in a block: 16, or 1.
    public let lanes: Int
    /// Distances in floats.
    public let rowPitch: Int
    public let channelPitch: Int
    public let blockPitch: Int

    public init(shape: Shape, lanes: Int) {
        self.shape = shape
        self.lanes = lanes
        rowPitch = shape.width * lanes
        let channel = shape.height * rowPitch
        // Channels a multiple of 4 KB apart would all compete for the same few cache sets.
        channelPitch = lanes > 1 && channel % 1024 == 0 ? channel + lanes : channel
        let block = shape.channels * channelPitch
        blockPitch = (block + 15) / 16 * 16
    }

    /// The layout of some of this one's channels, in place.
    public func channels(_ count: Int) -> ActivationLayout {
        precondition(count <= shape.channels, "\(count) of \(shape.channels) channels")
        return ActivationLayout(
            shape: Shape(channels: count, height: shape.height, width: shape.width), lanes: lanes, rowPitch: rowPitch,
            channelPitch: channelPitch, blockPitch: blockPitch)
    }

    private init(shape: Shape, lanes: Int, rowPitch: Int, channelPitch: Int, blockPitch: Int) {
        self.shape = shape
        self.lanes = lanes
        self.rowPitch = rowPitch
        self.channelPitch = channelPitch
        self.blockPitch = blockPitch
    }

    /// Blocks that `images` images occupy.
    public func blockCount(images: Int) -> Int { (images + lanes - 1) / lanes }

    /// Floats that `images` images occupy.
    public func count(images: Int) -> Int { blockCount(images: images) * blockPitch }

    public func offset(image: Int, channel: Int, row: Int, column: Int) -> Int {
        image / lanes * blockPitch + channel * channelPitch + row * rowPitch + column * lanes + image % lanes
    }
}
