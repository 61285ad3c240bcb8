import GossamerTensors

/// Pixels that somebody else owns, valid as long as the owner says.
package struct PixelView {
    package let shape: Shape
    /// [channel][row][column].
    package let pixels: UnsafePointer<UInt8>

    package init(shape: Shape, pixels: UnsafePointer<UInt8>) {
        self.shape = shape
        self.pixels = pixels
    }
}

extension PixelImage {
    package func withView<Result, Failure>(
        _ body: (PixelView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try pixels.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try body(PixelView(shape: shape, pixels: buffer.baseAddress!))
        }
    }
}
