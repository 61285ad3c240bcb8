import GossamerTensors

/// A training set and the images held back from it.
public struct ValidationSplit: Sendable {
    public let training: LabelledImages
    /// Empty where the fraction was 0.
    public let validation: LabelledImages
}

extension LabelledImages {
    /// Holds back a share of every class, drawn from the seed; both parts keep the order of the whole.
    ///
    /// A class gives the nearest whole number of its images, but never its last one.
    ///
    /// - Parameter validationFraction: in [0, 1), the share held back.
    public func split(validationFraction: Double, seed: UInt64) throws(DatasetError) -> ValidationSplit {
        guard validationFraction >= 0, validationFraction < 1 else {
            throw .invalidArgument(
                name: "validation fraction", found: "\(validationFraction)", expected: "at least 0 and below 1")
        }
        var members = [[Int]](repeating: [], count: classCount)
        for (index, label) in labels.enumerated() { members[Int(label)].append(index) }
        var isHeldBack = [Bool](repeating: false, count: count)
        for (label, indices) in members.enumerated() where !indices.isEmpty {
            let share = min(Int((Double(indices.count) * validationFraction).rounded()), indices.count - 1)
            var generator = SeededGenerator(
                seed: seed, keys: SeededGenerator.key("validation split"), UInt64(label))
            for position in generator.sample(share, below: indices.count) { isHeldBack[indices[position]] = true }
        }
        return ValidationSplit(
            training: subset((0 ..< count).filter { !isHeldBack[$0] }, name: "\(name) training"),
            validation: subset((0 ..< count).filter { isHeldBack[$0] }, name: "\(name) validation"))
    }
}
