/// What turns any image into a network's input: size, place, channels, scale. Kept with the model, so that training,
/// evaluation and prediction see the same.
///
/// An image is resized, its centre of the size of the network's input is cut out, its channels are made those of the
/// network (one is grey), and ``normalization`` shifts and scales them.
public struct Preprocessing: Hashable, Sendable {
    /// What happens to the size of an image before its centre is cut out.
    public enum Resizing: Hashable, Sendable {
        /// Nothing: an image smaller than the network's input cannot be used.
        case none
        /// The image gets as small, or as large, as just covers the network's input.
        case cover
        /// The shorter side gets this many pixels, at least as many as the network's input has.
        case shorterSide(Int)
        /// Exactly the size of the network's input, whatever the proportions.
        case stretch
    }

    /// How pixels between pixels are found; both filters average over what a smaller image leaves out.
    public enum Interpolation: String, Hashable, Sendable, Codable, CaseIterable {
        case bilinear, bicubic

        /// What messages say is possible.
        public static let forms = "bilinear or bicubic"
    }

    /// Which colour the network takes first.
    public enum ChannelOrder: String, Hashable, Sendable, Codable, CaseIterable {
        case rgb, bgr
    }

    public var resizing: Resizing
    public var interpolation: Interpolation
    /// Of networks that take three channels.
    public var channelOrder: ChannelOrder
    /// In the network's order of channels.
    public var normalization: Normalization

    public init(
        resizing: Resizing = .cover, interpolation: Interpolation = .bilinear, channelOrder: ChannelOrder = .rgb,
        normalization: Normalization
    ) {
        self.resizing = resizing
        self.interpolation = interpolation
        self.channelOrder = channelOrder
        self.normalization = normalization
    }
}

extension Preprocessing: Codable {
    private enum CodingKeys: CodingKey { case resizing, interpolation, channelOrder, normalization }

    /// Throws `DecodingError` for words that are not known and values out of range. All but the normalisation may be
    /// missing.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            resizing: try container.decodeIfPresent(Resizing.self, forKey: .resizing) ?? .cover,
            interpolation: try container.decodeIfPresent(Interpolation.self, forKey: .interpolation) ?? .bilinear,
            channelOrder: try container.decodeIfPresent(ChannelOrder.self, forKey: .channelOrder) ?? .rgb,
            normalization: try container.decode(Normalization.self, forKey: .normalization))
    }
}

extension Preprocessing.Resizing: CustomStringConvertible {
    /// The forms that `init(parsing:)` reads.
    public static let forms = "none, cover, stretch or shorter-side=PIXELS"
    /// The most pixels that the shorter side of an image may be given.
    public static let largestSide = 1 << 16

    public var description: String {
        switch self {
        case .none: "none"
        case .cover: "cover"
        case .stretch: "stretch"
        case .shorterSide(let pixels): "shorter-side=\(pixels)"
        }
    }

    /// Nil for a text that is none of ``forms``.
    public init?(parsing text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count == 2 ? Int(parts[1]) : nil) {
        case ("none", nil) where parts.count == 1: self = .none
        case ("cover", nil) where parts.count == 1: self = .cover
        case ("stretch", nil) where parts.count == 1: self = .stretch
        case ("shorter-side", let pixels?) where (1 ... Self.largestSide).contains(pixels): self = .shorterSide(pixels)
        default: return nil
        }
    }
}

/// Coded as its description.
extension Preprocessing.Resizing: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(parsing: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected \(Self.forms)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
