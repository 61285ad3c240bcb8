extension Augmentation: CustomStringConvertible {
    /// What `init(parsing:)` reads.
    public static let forms = "none, or a list such as flip,shift=2 of crop, resized-crop=0.08:1 (shares of the area), "
        + "flip, shift=1 to shift=64, brightness=0.25 (at most 1), contrast=0.2:1.8 and saturation=0.5:1.5 (factors)"

    public var description: String {
        var parts: [String] = []
        switch cropping {
        case .center: break
        case .random: parts.append("crop")
        case .resized(let area): parts.append("resized-crop=\(area.text)")
        }
        if horizontalFlip { parts.append("flip") }
        if maximumShift > 0 { parts.append("shift=\(maximumShift)") }
        if brightness > 0 { parts.append("brightness=\(brightness.text)") }
        if contrast != 1 ... 1 { parts.append("contrast=\(contrast.text)") }
        if saturation != 1 ... 1 { parts.append("saturation=\(saturation.text)") }
        return parts.isEmpty ? "none" : parts.joined(separator: ",")
    }

    /// - Throws: ``DatasetError`` that quotes the text and says what is understood.
    public init(parsing text: String) throws(DatasetError) {
        self.init()
        guard text != "none" else { return }
        var names: Set<Substring> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // One of two ways to cut, not both.
            let key = pair[0] == "resized-crop" ? "crop" : pair[0]
            guard names.insert(key).inserted, set(pair[0], pair.count == 2 ? String(pair[1]) : nil) else {
                throw .invalidArgument(name: "augmentation", found: "'\(text)'", expected: Self.forms)
            }
        }
    }

    /// Takes one part of the text; false where it is not understood.
    private mutating func set(_ name: Substring, _ value: String?) -> Bool {
        let factors = value.flatMap { ClosedRange(parsing: $0) }.flatMap { $0.upperBound <= 10 ? $0 : nil }
        switch (name, value) {
        case ("crop", nil): cropping = .random
        case ("resized-crop", nil): cropping = .resized(area: 0.08 ... 1)
        case ("resized-crop", _?):
            guard let area = factors, area.lowerBound > 0, area.upperBound <= 1 else { return false }
            cropping = .resized(area: area)
        case ("flip", nil): horizontalFlip = true
        case ("shift", let value?):
            guard let pixels = Int(value), (1 ... 64).contains(pixels) else { return false }
            maximumShift = pixels
        case ("brightness", let value?):
            guard let share = Double(value), share > 0, share <= 1 else { return false }
            brightness = share
        case ("contrast", _?):
            guard let factors else { return false }
            contrast = factors
        case ("saturation", _?):
            guard let factors else { return false }
            saturation = factors
        default: return false
        }
        return true
    }
}

extension ClosedRange<Double> {
    /// Two numbers that are not negative, such as `0.2:1.8`.
    fileprivate init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let low = Double(parts[0]), let high = Double(parts[1]), low >= 0, low <= high,
            high.isFinite
        else { return nil }
        self = low ... high
    }

    fileprivate var text: String { "\(lowerBound.text):\(upperBound.text)" }
}

extension Double {
    /// The shortest text that reads back as the same number, without a trailing `.0`.
    fileprivate var text: String {
        let text = "\(self)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Augmentation: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
