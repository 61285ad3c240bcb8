import GossamerTensors

/// Turns images of any size into a network's input: resized, cut, in the network's channels, normalised.
///
/// One thread at a time may use a writer; its buffers grow with the images.
public struct InputWriter: ~Copyable {
    public let layout: ActivationLayout
    public let preprocessing: Preprocessing
    private let writer: ImageWriter
    private var resampler: ImageResampler
    private var grey = ScratchBuffer<UInt8>()
    private let cut: AlignedBuffer<UInt8>
    private let moved: AlignedBuffer<UInt8>
    private let tables: AlignedBuffer<Float>

    /// - Parameter layout: of the network's input.
    /// - Precondition: as many channels in the normalisation as in the layout.
    public init(layout: ActivationLayout, preprocessing: Preprocessing) {
        self.layout = layout
        self.preprocessing = preprocessing
        writer = ImageWriter(layout: layout, normalization: preprocessing.normalization)
        resampler = ImageResampler(interpolation: preprocessing.interpolation)
        cut = AlignedBuffer(count: layout.shape.count)
        moved = AlignedBuffer(count: layout.shape.count)
        tables = AlignedBuffer(count: 256 * layout.shape.channels)
    }

    /// Writes one image as number `position` of a batch; other images are left alone.
    ///
    /// - Parameter name: what an error calls the image.
    /// - Throws: ``ImageError`` where the image is too small, or has channels that the network has no use for.
    public mutating func write(
        _ image: PixelImage, name: String, at position: Int, of activations: UnsafeMutablePointer<Float>
    ) throws(ImageError) {
        let window = try window(of: image.shape, name: name)
        image.withView { write($0, ImageChange(window: window), at: position, of: activations) }
    }

    /// The centre of an image.
    package func window(of shape: Shape, name: String) throws(ImageError) -> ImageWindow {
        try checkChannels(of: shape, name: name)
        guard let window = preprocessing.centralWindow(of: PixelSize(shape), input: PixelSize(layout.shape)) else {
            throw tooSmall(shape, name: name)
        }
        return window
    }

    package func tooSmall(_ shape: Shape, name: String) -> ImageError {
        ImageError(
            name: name,
            problem: "an image of \(PixelSize(shape)) pixels, resized by '\(preprocessing.resizing)', is smaller than "
                + "the network's \(PixelSize(layout.shape))")
    }

    package func checkChannels(of shape: Shape, name: String) throws(ImageError) {
        let (found, wanted) = (shape.channels, layout.shape.channels)
        guard found == wanted || (found == 1 && wanted == 3) || (found == 3 && wanted == 1) else {
            throw ImageError(name: name, problem: "it has \(found) channels, the network takes \(wanted)")
        }
    }

    /// Writes what is left of an image after a change.
    ///
    /// - Precondition: the image's channels have passed `checkChannels`, and the change's window is one of this image.
    package mutating func write(
        _ image: PixelView, _ change: ImageChange, at position: Int, of activations: UnsafeMutablePointer<Float>
    ) {
        cutOut(image, change.window)
        var pixels = cut.pointer
        if change.isMirrored || change.down != 0 || change.right != 0 {
            move(change)
            pixels = moved.pointer
        }
        if change.colors == ColorChange() {
            writer.write(pixels, at: position, of: activations)
        } else {
            if change.colors.saturation != 1, layout.shape.channels == 3 {
                writeSaturated(pixels, change.colors, at: position, of: activations)
            } else {
                fillTables(change.colors, means: channelMeans(pixels))
                writer.write(pixels, tables: tables.pointer, at: position, of: activations)
            }
        }
    }

    /// Fills `cut` with the window in the network's channels.
    private mutating func cutOut(_ image: PixelView, _ window: ImageWindow) {
        let size = PixelSize(layout.shape)
        let plane = size.height * size.width
        let sourcePlane = image.shape.height * image.shape.width
        if layout.shape.channels == 1, image.shape.channels == 3 {
            let grey = self.grey.pointer(count: sourcePlane)
            image.writeGrey(into: grey)
            resampler.resample(grey, width: image.shape.width, window: window, size: size, into: cut.pointer)
            return
        }
        for channel in 0 ..< image.shape.channels {
            let isReversed = preprocessing.channelOrder == .bgr && image.shape.channels == 3
            resampler.resample(
                image.pixels + channel * sourcePlane, width: image.shape.width, window: window, size: size,
                into: cut.pointer + (isReversed ? 2 - channel : channel) * plane)
        }
        if image.shape.channels < layout.shape.channels {
            for channel in 1 ..< layout.shape.channels {
                (cut.pointer + channel * plane).update(from: cut.pointer, count: plane)
            }
        }
    }

    /// Fills `moved` with `cut`, mirrored and shifted.
    private func move(_ change: ImageChange) {
        let (height, width) = (layout.shape.height, layout.shape.width)
        for channel in 0 ..< layout.shape.channels {
            for row in 0 ..< height {
                let target = moved.pointer + (channel * height + row) * width
                guard row - change.down >= 0, row - change.down < height else {
                    target.update(repeating: 0, count: width)
                    continue
                }
                let source = cut.pointer + (channel * height + row - change.down) * width
                for column in 0 ..< width {
                    let origin = column - change.right
                    let isInside = origin >= 0 && origin < width
                    target[column] = isInside ? source[change.isMirrored ? width - 1 - origin : origin] : 0
                }
            }
        }
    }
}

// MARK: Colours

extension InputWriter {
    /// Of each channel, where a pixel counts from 0 to 1.
    private func channelMeans(_ pixels: UnsafePointer<UInt8>) -> [Float] {
        let plane = layout.shape.height * layout.shape.width
        return (0 ..< layout.shape.channels).map { channel in
            let start = pixels + channel * plane
            var sum = 0
            for place in 0 ..< plane { sum += Int(start[place]) }
            return Float(sum) / Float(255 * plane)
        }
    }

    /// What each pixel value becomes after brightness, contrast and normalisation.
    private func fillTables(_ colors: ColorChange, means: [Float]) {
        let normalization = preprocessing.normalization
        for channel in 0 ..< layout.shape.channels {
            let table = tables.pointer + 256 * channel
            let scale = 1 / normalization.standardDeviation[channel]
            let offset = means[channel] + colors.brightness - normalization.mean[channel]
            for value in 0 ..< 256 {
                table[value] = ((Float(value) / 255 - means[channel]) * colors.contrast + offset) * scale
            }
        }
    }

    /// Saturation mixes the channels of a pixel, so that no table can hold it.
    private func writeSaturated(
        _ pixels: UnsafePointer<UInt8>, _ colors: ColorChange, at position: Int,
        of activations: UnsafeMutablePointer<Float>
    ) {
        let normalization = preprocessing.normalization
        let plane = layout.shape.height * layout.shape.width
        let shares: [Float] = preprocessing.channelOrder == .rgb ? [0.299, 0.587, 0.114] : [0.114, 0.587, 0.299]
        let means = channelMeans(pixels)
        let greyMean = zip(means, shares).reduce(0) { $0 + $1.0 * $1.1 }
        for channel in 0 ..< 3 {
            let mean = colors.saturation * means[channel] + (1 - colors.saturation) * greyMean
            let scale = 1 / normalization.standardDeviation[channel]
            let offset = (mean * (1 - colors.contrast) + colors.brightness - normalization.mean[channel]) * scale
            let factor = colors.contrast * scale / 255
            let (own, grey) = (factor * colors.saturation, factor * (1 - colors.saturation))
            let (a, b, c) = (grey * shares[0], grey * shares[1], grey * shares[2])
            var target = activations + layout.offset(image: position, channel: channel, row: 0, column: 0)
            for place in 0 ..< plane {
                let mixed = a * Float(pixels[place]) + b * Float(pixels[plane + place])
                    + c * Float(pixels[2 * plane + place])
                target.pointee = own * Float(pixels[channel * plane + place]) + mixed + offset
                target += layout.lanes
            }
        }
    }
}

extension PixelView {
    /// Calls `body` with the image in grey.
    ///
    /// - Precondition: three channels.
    package func withGrey(_ body: (PixelView) -> Void) {
        let grey = AlignedBuffer<UInt8>(count: shape.height * shape.width)
        writeGrey(into: grey.pointer)
        body(PixelView(shape: Shape(channels: 1, height: shape.height, width: shape.width), pixels: grey.pointer))
    }

    /// The brightness of red, green and blue, rounded as Pillow does.
    func writeGrey(into target: UnsafeMutablePointer<UInt8>) {
        let plane = shape.height * shape.width
        for place in 0 ..< plane {
            let sum = 19595 * UInt32(pixels[place]) + 38470 * UInt32(pixels[plane + place])
                + 7471 * UInt32(pixels[2 * plane + place])
            target[place] = UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
        }
    }
}

extension Preprocessing {
    /// An image as a network's input, [channel][row][column].
    ///
    /// - Parameter shape: of the network's input.
    /// - Throws: ``ImageError`` where the image is too small, or has channels that the network has no use for.
    public func input(
        of image: PixelImage, shape: Shape, name: String = "image"
    ) throws(ImageError) -> [Float] {
        let layout = ActivationLayout(shape: shape, lanes: 1)
        var writer = InputWriter(layout: layout, preprocessing: self)
        let values = AlignedBuffer<Float>(count: layout.count(images: 1))
        try writer.write(image, name: name, at: 0, of: values.pointer)
        return Array(UnsafeBufferPointer(start: values.pointer, count: shape.count))
    }
}
