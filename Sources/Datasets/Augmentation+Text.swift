extension Augmentation: CustomStringConvertible {
    public var description: String {
        let parts = (horizontalFlip ? ["flip"] : []) + (maximumShift > 0 ? ["shift=\(maximumShift)"] : [])
        return parts.isEmpty ? "none" : parts.joined(separator: ",")
    }

    /// - Throws: ``DatasetError`` that quotes the text and says what is understood.
    public init(parsing text: String) throws(DatasetError) {
        self.init()
        guard text != "none" else { return }
        var names: Set<Substring> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let isNew = names.insert(pair[0]).inserted
            switch (pair[0], pair.count == 2 ? Int(pair[1]) : nil) {
            case ("flip", nil) where isNew && pair.count == 1: horizontalFlip = true
            case ("shift", let pixels?) where isNew && (1 ... 64).contains(pixels): maximumShift = pixels
            default:
                throw .invalidArgument(
                    name: "augmentation", found: "'\(text)'",
                    expected: "none, flip, shift=1 to shift=64 or both: flip,shift=2")
            }
        }
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
