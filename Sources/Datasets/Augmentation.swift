import GossamerImages
import GossamerTensors

/// Random changes to training images, drawn anew for every image of every epoch.
///
/// Written `none` or as a list such as `flip,shift=2` or `resized-crop,flip,brightness=0.1,contrast=0.8:1.2`.
public struct Augmentation: Hashable, Sendable {
    /// Which window of an image is taken.
    public enum Cropping: Hashable, Sendable {
        /// The centre of the resized image, as in evaluation.
        case center
        /// A random place of the resized image.
        case random
        /// A random part of the original image, resized to the network's input: of this share of its area and of 3:4 to
        /// 4:3 (random-resized-crop).
        case resized(area: ClosedRange<Double>)
    }

    public var cropping: Cropping
    /// Pixels, at least 0: an image moves by up to this far along each axis, and black (pixel value 0) moves in.
    public var maximumShift: Int
    /// Mirrors half of the images left to right.
    public var horizontalFlip: Bool
    /// The most that is added to or taken from every value, where a pixel counts from 0 to 1.
    public var brightness: Double
    /// Factors of the distance to a channel's mean.
    public var contrast: ClosedRange<Double>
    /// Factors of the distance to a pixel's grey.
    public var saturation: ClosedRange<Double>

    public init(
        cropping: Cropping = .center, maximumShift: Int = 0, horizontalFlip: Bool = false, brightness: Double = 0,
        contrast: ClosedRange<Double> = 1 ... 1, saturation: ClosedRange<Double> = 1 ... 1
    ) {
        precondition(maximumShift >= 0 && brightness >= 0 && contrast.lowerBound >= 0 && saturation.lowerBound >= 0)
        self.cropping = cropping
        self.maximumShift = maximumShift
        self.horizontalFlip = horizontalFlip
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
    }

    public static let none = Augmentation()

    /// What happens to an image of this size.
    ///
    /// - Returns: nil where the image, resized, does not cover the input.
    func draw(
        for image: PixelSize, _ preprocessing: Preprocessing, input: PixelSize,
        using generator: inout SeededGenerator
    ) -> ImageChange? {
        guard let window = drawWindow(image, preprocessing, input, &generator) else { return nil }
        var change = ImageChange(window: window)
        change.down = generator.index(below: 2 * maximumShift + 1) - maximumShift
        change.right = generator.index(below: 2 * maximumShift + 1) - maximumShift
        change.isMirrored = horizontalFlip && generator.index(below: 2) == 1
        if brightness > 0 { change.colors.brightness = Float(generator.uniform(in: -brightness ... brightness)) }
        if contrast != 1 ... 1 { change.colors.contrast = Float(generator.uniform(in: contrast)) }
        if saturation != 1 ... 1 { change.colors.saturation = Float(generator.uniform(in: saturation)) }
        return change
    }

    private func drawWindow(
        _ image: PixelSize, _ preprocessing: Preprocessing, _ input: PixelSize, _ generator: inout SeededGenerator
    ) -> ImageWindow? {
        switch cropping {
        case .center:
            return preprocessing.centralWindow(of: image, input: input)
        case .random:
            guard let resized = preprocessing.resizedSize(of: image, input: input) else { return nil }
            var window = ImageWindow(whole: image, resized: resized)
            window.windowTop = generator.index(below: resized.height - input.height + 1)
            window.windowLeft = generator.index(below: resized.width - input.width + 1)
            return window
        case .resized(let area):
            var window = ImageWindow(whole: image, resized: input)
            window.part = Self.drawPart(of: image, area: area, &generator)
            window.top = generator.index(below: image.height - window.part.height + 1)
            window.left = generator.index(below: image.width - window.part.width + 1)
            return window
        }
    }

    /// A part of the image with a share of its area and a shape that are both random; after ten that do not fit, the
    /// largest of a shape that is allowed.
    private static func drawPart(
        of image: PixelSize, area: ClosedRange<Double>, _ generator: inout SeededGenerator
    ) -> PixelSize {
        let longest = 4.0 / 3
        let whole = Double(image.height * image.width)
        for _ in 0 ..< 10 {
            let share = whole * generator.uniform(in: area)
            // As often wide as high, and without functions whose last bit depends on the system.
            let proportion = generator.uniform(in: 1 ... longest)
            let ratio = generator.index(below: 2) == 1 ? proportion : 1 / proportion
            let width = Int((share * ratio).squareRoot().rounded())
            let height = Int((share / ratio).squareRoot().rounded())
            if (1 ... image.width).contains(width), (1 ... image.height).contains(height) {
                return PixelSize(height: height, width: width)
            }
        }
        let (height, width) = (Double(image.height), Double(image.width))
        return PixelSize(
            height: max(1, min(image.height, Int((width * longest).rounded()))),
            width: max(1, min(image.width, Int((height * longest).rounded()))))
    }
}

extension SeededGenerator {
    fileprivate mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(uniform())
    }
}
