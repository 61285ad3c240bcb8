import GossamerTensors

/// Shifts and scales each channel to mean 0 and standard deviation 1: (pixel / 255 - mean) / standardDeviation.
///
/// Measured on the images that a network trains on, and kept with the network.
public struct Normalization: Hashable, Sendable {
    /// Per channel, where a pixel counts from 0 to 1.
    public let mean: [Float]
    /// Per channel, above 0.
    public let standardDeviation: [Float]

    /// - Precondition: one finite mean and one positive finite standard deviation for each channel.
    public init(mean: [Float], standardDeviation: [Float]) {
        precondition(Self.isValid(mean: mean, standardDeviation: standardDeviation))
        self.mean = mean
        self.standardDeviation = standardDeviation
    }

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

    public var channelCount: Int { mean.count }

    /// What each pixel value becomes: 256 floats for each channel.
    func tables() -> [Float] {
        zip(mean, standardDeviation).flatMap { mean, deviation in
            (0 ..< 256).map { (Float($0) / 255 - mean) / deviation }
        }
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

    private static func isValid(mean: [Float], standardDeviation: [Float]) -> Bool {
        mean.count == standardDeviation.count && !mean.isEmpty && mean.allSatisfy(\.isFinite)
            && standardDeviation.allSatisfy { $0 > 0 && $0.isFinite }
    }
}

extension Normalization: Codable {
    private enum CodingKeys: CodingKey { case mean, standardDeviation }

    /// Throws `DecodingError` where the preconditions of `init(mean:standardDeviation:)` do not hold.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mean = try container.decode([Float].self, forKey: .mean)
        standardDeviation = try container.decode([Float].self, forKey: .standardDeviation)
        guard Self.isValid(mean: mean, standardDeviation: standardDeviation) else {
            throw DecodingError.dataCorruptedError(
                forKey: .standardDeviation, in: container,
                debugDescription: "expected one finite mean and one positive standard deviation for each channel")
        }
    }
}
