import GossamerImages
import GossamerTensors

extension Normalization {
    /// The most images that are decoded to measure a set that lies in image files.
    public static let sampledImages = 4096

    /// The mean and the population standard deviation of each channel of a set that is not empty.
    ///
    /// A channel that is the same everywhere is only shifted. Of image files, up to ``sampledImages`` are measured,
    /// spread evenly over the set.
    ///
    /// - Parameter channels: of the network, 1 or 3, where the images are converted; otherwise those of the set.
    public init(measuring images: LabelledImages, channels: Int? = nil) throws(DatasetError) {
        precondition(images.count > 0)
        var means: [Float] = []
        var deviations: [Float] = []
        for histogram in try Self.histograms(of: images, channels: channels ?? images.channels) {
            let pixelCount = Double(histogram.reduce(0, +))
            let mean = histogram.enumerated().reduce(0) { $0 + Double($1.offset * $1.element) } / pixelCount
            let variance = histogram.enumerated().reduce(0) { sum, bin in
                let distance = Double(bin.offset) - mean
                return sum + distance * distance * Double(bin.element)
            } / pixelCount
            means.append(Float(mean / 255))
            deviations.append(variance > 0 ? Float(variance.squareRoot() / 255) : 1)
        }
        self.init(mean: means, standardDeviation: deviations)
    }

    /// How often each pixel value occurs in each channel: exact, whatever the order of the images.
    private static func histograms(of images: LabelledImages, channels: Int) throws(DatasetError) -> [[Int]] {
        let sampled = images.store.isOfImageFiles ? min(images.count, sampledImages) : images.count
        var counts = [Int](repeating: 0, count: channels * 256)
        for number in 0 ..< sampled {
            try images.withImage(number * images.count / sampled) { image in
                if channels == 1, image.shape.channels == 3 {
                    image.withGrey { count($0, channels: 1, in: &counts) }
                } else {
                    count(image, channels: channels, in: &counts)
                }
            }
        }
        return (0 ..< channels).map { Array(counts[$0 * 256 ..< ($0 + 1) * 256]) }
    }

    /// A grey image among colours counts as three equal channels.
    private static func count(_ image: PixelView, channels: Int, in counts: inout [Int]) {
        let plane = image.shape.height * image.shape.width
        counts.withUnsafeMutableBufferPointer { counts in
            for channel in 0 ..< channels {
                let start = image.pixels + min(channel, image.shape.channels - 1) * plane
                for place in 0 ..< plane { counts[channel * 256 + Int(start[place])] += 1 }
            }
        }
    }
}

extension Preprocessing {
    /// With the normalisation measured on a set.
    ///
    /// - Parameter channels: of the network, 1 or 3, where the images are converted; otherwise those of the set.
    public init(
        measuring images: LabelledImages, channels: Int? = nil, resizing: Resizing = .cover,
        interpolation: Interpolation = .bilinear
    ) throws(DatasetError) {
        self.init(
            resizing: resizing, interpolation: interpolation,
            normalization: try Normalization(measuring: images, channels: channels))
    }
}
