import Foundation

/// The mean cross-entropy between softmax(logits) and the labels, with label smoothing (Szegedy et al. 2016).
public struct SoftmaxCrossEntropy: Hashable, Sendable {
    /// The share of every target that is spread evenly over all classes, in [0, 1).
    public var labelSmoothing: Double

    /// Of the loss, in its gradient.
    public var weight: Double

    public init(labelSmoothing: Double = 0, weight: Double = 1) {
        self.labelSmoothing = labelSmoothing
        self.weight = weight
    }

    /// What a batch adds to the metrics of an epoch.
    public struct Result: Hashable, Sendable {
        /// The sum over images, not the mean.
        public var lossSum: Double = 0
        public var correctCount: Int = 0
    }

    /// - Parameters:
    ///   - logits: [image][class].
    ///   - labels: one class per image.
    ///   - gradient: receives the gradient of the weighted mean loss, [image][class]; nil when only the result is
    ///     wanted.
    public func evaluate(
        logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>,
        gradient: UnsafeMutableBufferPointer<Float>? = nil
    ) -> Result {
        let classes = logits.count / max(1, labels.count)
        var result = Result()
        for (image, label) in labels.enumerated() {
            let range = image * classes ..< (image + 1) * classes
            let row = UnsafeBufferPointer(rebasing: logits[range])
            let target = gradient.map { UnsafeMutableBufferPointer(rebasing: $0[range]) }
            let loss = evaluate(row, label: Int(label), gradient: target, scale: weight / Double(labels.count))
            result.lossSum += loss
            if Self.argmax(row) == Int(label) { result.correctCount += 1 }
        }
        return result
    }

    /// One image's loss. With e = exp(logit - max): loss = log(sum e) - sum over classes of target * (logit - max).
    private func evaluate(
        _ logits: UnsafeBufferPointer<Float>, label: Int, gradient: UnsafeMutableBufferPointer<Float>?, scale: Double
    ) -> Double {
        let largest = Double(logits.max()!)
        let sum = logits.reduce(0.0) { $0 + exp(Double($1) - largest) }
        let spread = labelSmoothing / Double(logits.count)
        var loss = log(sum)
        for (index, logit) in logits.enumerated() {
            let shifted = Double(logit) - largest
            let target = spread + (index == label ? 1 - labelSmoothing : 0)
            if target > 0 { loss -= target * shifted }
            gradient?[index] = Float((exp(shifted) / sum - target) * scale)
        }
        return loss
    }

    /// The first of the largest values.
    public static func argmax(_ values: UnsafeBufferPointer<Float>) -> Int {
        var best = 0
        for index in 1 ..< max(1, values.count) where values[index] > values[best] { best = index }
        return best
    }
}
