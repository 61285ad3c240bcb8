import GossamerTensors

/// Height and width in pixels.
public struct PixelSize: Hashable, Sendable, CustomStringConvertible {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    public init(_ shape: Shape) { self.init(height: shape.height, width: shape.width) }

    public var description: String { "\(height) x \(width)" }
}

/// What of an image becomes a network's input: a part of it is resized, and of the result a window is cut out that has
/// the size of the input.
public struct ImageWindow: Hashable, Sendable {
    /// Where the part begins in the image, and its size.
    public var top = 0
    public var left = 0
    public var part: PixelSize
    /// What the part is resized to.
    public var resized: PixelSize
    /// Where the window begins in the resized part.
    public var windowTop = 0
    public var windowLeft = 0

    /// The whole image, resized.
    public init(whole image: PixelSize, resized: PixelSize) {
        part = image
        self.resized = resized
    }
}

extension Preprocessing {
    /// The size that an image gets before a window of it is cut out.
    ///
    /// - Returns: nil where the image, resized so, does not cover the input.
    public func resizedSize(of image: PixelSize, input: PixelSize) -> PixelSize? {
        let size: PixelSize
        switch resizing {
        case .none: size = image
        case .stretch: size = input
        case .shorterSide(let side): size = Self.scaled(image, side, bindsHeight: image.height <= image.width)
        case .cover:
            let bindsHeight = input.height * image.width >= input.width * image.height
            size = Self.scaled(image, bindsHeight ? input.height : input.width, bindsHeight: bindsHeight)
        }
        return size.height >= input.height && size.width >= input.width ? size : nil
    }

    /// One side becomes `side`, the other keeps the proportions, rounded down.
    private static func scaled(_ image: PixelSize, _ side: Int, bindsHeight: Bool) -> PixelSize {
        bindsHeight
            ? PixelSize(height: side, width: max(1, side * image.width / image.height))
            : PixelSize(height: max(1, side * image.height / image.width), width: side)
    }

    /// The centre of the resized image; nil where it does not cover the input.
    public func centralWindow(of image: PixelSize, input: PixelSize) -> ImageWindow? {
        guard let resized = resizedSize(of: image, input: input) else { return nil }
        var window = ImageWindow(whole: image, resized: resized)
        // An odd pixel goes where torchvision leaves it.
        func offset(_ room: Int) -> Int { Int((Double(room) / 2).rounded(.toNearestOrEven)) }
        window.windowTop = offset(resized.height - input.height)
        window.windowLeft = offset(resized.width - input.width)
        return window
    }
}
