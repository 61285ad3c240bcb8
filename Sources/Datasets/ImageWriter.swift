import GossamerTensors

/// Writes images into the lanes of activations: normalised, and augmented where asked.
public struct ImageWriter: ~Copyable {
    public let layout: ActivationLayout
    /// 256 floats for each channel.
    private let tables: AlignedBuffer<Float>
    private let augmented: AlignedBuffer<UInt8>

    /// - Precondition: as many channels in the normalisation as in the layout.
    public init(layout: ActivationLayout, normalization: Normalization) {
        precondition(normalization.channelCount == layout.shape.channels)
        self.layout = layout
        let values = normalization.tables()
        tables = AlignedBuffer(count: values.count)
        tables.pointer.update(from: values, count: values.count)
        augmented = AlignedBuffer(count: layout.shape.count)
    }

    /// Writes one image, [channel][row][column], as number `position` of the batch; other images are left alone.
    public func write(
        _ pixels: UnsafePointer<UInt8>, at position: Int, of activations: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape
        var source = pixels
        for channel in 0 ..< shape.channels {
            let table = tables.pointer + 256 * channel
            // Rows of a channel follow each other without a gap.
            var target = activations + layout.offset(image: position, channel: channel, row: 0, column: 0)
            for _ in 0 ..< shape.height * shape.width {
                target.pointee = table[Int(source.pointee)]
                target += layout.lanes
                source += 1
            }
        }
    }

    /// Writes one image after changing it at random.
    func write(
        _ pixels: UnsafePointer<UInt8>, augmentedBy augmentation: Augmentation,
        using generator: inout SeededGenerator, at position: Int, of activations: UnsafeMutablePointer<Float>
    ) {
        augmentation.apply(to: pixels, shape: layout.shape, using: &generator, into: augmented.pointer)
        write(augmented.pointer, at: position, of: activations)
    }
}
