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

    /// Leaves pixels as they are, from 0 to 1.
    ///
    /// - Parameter channels: at least 1.
    public init(identityOf channels: Int) {
        self.init(mean: Array(repeating: 0, count: channels), standardDeviation: Array(repeating: 1, count: channels))
    }

    public var channelCount: Int { mean.count }

    /// What each pixel value becomes: 256 floats for each channel.
    package func tables() -> [Float] {
        zip(mean, standardDeviation).flatMap { mean, deviation in
            (0 ..< 256).map { (Float($0) / 255 - mean) / deviation }
        }
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
