/// A function that is applied to every value on its own.
public enum Activation: Hashable, Sendable {
    /// max(x, 0).
    case relu
    /// x between 0 and 6.
    case relu6
    /// 1 / (1 + exp(-x)).
    case sigmoid
    /// x / 6 + 1/2 between 0 and 1.
    case hardSigmoid
    /// x times its hard sigmoid (Howard et al. 2019).
    case hardSwish
    /// x times its sigmoid (Ramachandran et al. 2017), also called SiLU.
    case swish
    /// x where it is positive, `slope` times x elsewhere.
    case leakyReLU(slope: Double)
    /// x between `low` and `high`; either may be infinite, which is no bound.
    case clip(low: Double, high: Double)
}

extension Activation {
    /// The function's name in JSON and in listings.
    public var kind: String {
        switch self {
        case .relu: "relu"
        case .relu6: "relu6"
        case .sigmoid: "sigmoid"
        case .hardSigmoid: "hard-sigmoid"
        case .hardSwish: "hard-swish"
        case .swish: "swish"
        case .leakyReLU: "leaky-relu"
        case .clip: "clip"
        }
    }
}
