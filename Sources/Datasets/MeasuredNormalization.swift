import GossamerTensors

extension Normalization {
    /// The mean and the population standard deviation of each channel of a set that is not empty.
    ///
    /// A channel that is the same everywhere is only shifted.
    public init(measuring images: LabelledImages) {
        precondition(images.count > 0)
        let plane = images.shape.height * images.shape.width
        let histograms = Self.histograms(of: images)
        let pixelCount = Double(images.count * plane)
        var means: [Float] = []
        var deviations: [Float] = []
        for histogram in histograms {
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
    private static func histograms(of images: LabelledImages) -> [[Int]] {
        let channels = images.shape.channels
        let plane = images.shape.height * images.shape.width
        var counts = [Int](repeating: 0, count: channels * 256)
        images.pixels.withUnsafeBufferPointer { pixels in
            counts.withUnsafeMutableBufferPointer { counts in
                for start in stride(from: 0, to: pixels.count, by: plane) {
                    let bins = start / plane % channels * 256
                    for pixel in pixels[start ..< start + plane] { counts[bins + Int(pixel)] += 1 }
                }
            }
        }
        return (0 ..< channels).map { Array(counts[$0 * 256 ..< ($0 + 1) * 256]) }
    }
}
