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

extension PixelImage {
    /// The image in another size; both filters are antialiased.
    ///
    /// - Parameter size: at least one pixel.
    public func resized(to size: PixelSize, interpolation: Preprocessing.Interpolation) -> PixelImage {
        precondition(size.height > 0 && size.width > 0)
        return cut(ImageWindow(whole: PixelSize(shape), resized: size), size: size, interpolation: interpolation)
    }

    /// A window of the image resized.
    ///
    /// - Precondition: the window's part lies in the image, and `size` pixels from its corner in the resized part.
    package func cut(
        _ window: ImageWindow, size: PixelSize, interpolation: Preprocessing.Interpolation
    ) -> PixelImage {
        var resampler = ImageResampler(interpolation: interpolation)
        let shape = Shape(channels: shape.channels, height: size.height, width: size.width)
        let plane = size.height * size.width
        let pixels = [UInt8](unsafeUninitializedCapacity: shape.count) { target, count in
            withView { image in
                for channel in 0 ..< shape.channels {
                    resampler.resample(
                        image.pixels + channel * image.shape.height * image.shape.width, width: image.shape.width,
                        window: window, size: size, into: target.baseAddress! + channel * plane)
                }
            }
            count = shape.count
        }
        return PixelImage(shape: shape, pixels: pixels)
    }
}
