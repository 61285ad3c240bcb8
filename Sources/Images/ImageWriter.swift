import GossamerTensors

/// Writes images of a network's input size into the lanes of activations, normalised.
public struct ImageWriter: ~Copyable {
    public let layout: ActivationLayout
    /// 256 floats for each channel.
    private let tables: AlignedBuffer<Float>

    /// - Precondition: as many channels in the normalisation as in the layout.
    public init(layout: ActivationLayout, normalization: Normalization) {
        precondition(normalization.channelCount == layout.shape.channels)
        self.layout = layout
        let values = normalization.tables()
        tables = AlignedBuffer(count: values.count)
        tables.pointer.update(from: values, count: values.count)
    }

    /// Writes one image, [channel][row][column], as number `position` of the batch; other images are left alone.
    public func write(
        _ pixels: UnsafePointer<UInt8>, at position: Int, of activations: UnsafeMutablePointer<Float>
    ) {
        write(pixels, tables: tables.pointer, at: position, of: activations)
    }

    /// - Parameter tables: what each pixel value becomes, 256 floats for each channel.
    func write(
        _ pixels: UnsafePointer<UInt8>, tables: UnsafePointer<Float>, at position: Int,
        of activations: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape
        var source = pixels
        for channel in 0 ..< shape.channels {
            let table = tables + 256 * channel
            // Rows of a channel follow each other without a gap.
            var target = activations + layout.offset(image: position, channel: channel, row: 0, column: 0)
            for _ in 0 ..< shape.height * shape.width {
                target.pointee = table[Int(source.pointee)]
                target += layout.lanes
                source += 1
            }
        }
    }
}
