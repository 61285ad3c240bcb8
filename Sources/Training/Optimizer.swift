import GossamerTensors

/// How gradients move the parameters.
///
/// Written `sgd`, `adam`, `adamw` or `rmsprop`, each optionally with its numbers, as in
/// `rmsprop:decay=0.9,epsilon=1,momentum=0.9`.
public enum Optimizer: Hashable, Sendable {
    /// Stochastic gradient descent with Nesterov momentum in [0, 1) (Sutskever et al. 2013).
    case sgd(momentum: Double)
    case adam(Adam)
    case rmsprop(RMSProp)

    /// Kingma and Ba 2015, as PyTorch computes it.
    public struct Adam: Hashable, Sendable {
        /// Decay of the gradients' running mean and of their squares', each in [0, 1).
        public var beta1 = 0.9
        public var beta2 = 0.999
        /// Above 0.
        public var epsilon = 1e-8
        /// Whether weights decay by themselves and not through the gradient (Loshchilov and Hutter 2019): AdamW.
        public var decouplesWeightDecay = false

        public init() {}
    }

    /// Tieleman and Hinton 2012, as PyTorch computes it: the epsilon is added to the root. What it starts with are the
    /// settings of Inception (Szegedy et al. 2016).
    public struct RMSProp: Hashable, Sendable {
        /// Of the gradients' squares, in [0, 1).
        public var decay = 0.9
        /// Above 0.
        public var epsilon = 1.0
        /// Of the moves, in [0, 1).
        public var momentum = 0.9

        public init() {}
    }

    /// Values that are kept for each parameter.
    public var valuesPerParameter: Int { slots.count }

    /// Names of the values that the optimizer keeps for each parameter, as checkpoints write them.
    var slots: [String] {
        switch self {
        case .sgd: ["velocity"]
        case .adam: ["mean", "square"]
        case .rmsprop(let rmsprop): rmsprop.momentum > 0 ? ["square", "velocity"] : ["square"]
        }
    }

    /// - Throws: the first number out of its range.
    func validate() throws(TrainingError) {
        func check(_ name: String, _ value: Double, _ holds: Bool, _ expected: String) throws(TrainingError) {
            guard holds else { throw .invalidOption(name: name, found: "\(value)", expected: expected) }
        }
        func checkShare(_ name: String, _ value: Double) throws(TrainingError) {
            try check(name, value, (0 ..< 1).contains(value), "at least 0 and below 1")
        }
        func checkEpsilon(_ value: Double) throws(TrainingError) {
            // Smaller ones are zero as the kernels' numbers.
            try check("epsilon", value, value >= 1e-30 && value.isFinite, "a number of at least 1e-30")
        }
        switch self {
        case .sgd(let momentum): try checkShare("momentum", momentum)
        case .adam(let adam):
            try checkShare("beta1", adam.beta1)
            try checkShare("beta2", adam.beta2)
            try checkEpsilon(adam.epsilon)
        case .rmsprop(let rmsprop):
            try checkShare("decay", rmsprop.decay)
            try checkShare("momentum", rmsprop.momentum)
            try checkEpsilon(rmsprop.epsilon)
        }
    }
}

extension Optimizer: CustomStringConvertible {
    public var description: String {
        switch self {
        case .sgd(let momentum): "sgd:momentum=\(momentum.shortest)"
        case .adam(let adam):
            (adam.decouplesWeightDecay ? "adamw" : "adam")
                + ":beta1=\(adam.beta1.shortest),beta2=\(adam.beta2.shortest),epsilon=\(adam.epsilon.shortest)"
        case .rmsprop(let rmsprop):
            "rmsprop:decay=\(rmsprop.decay.shortest),epsilon=\(rmsprop.epsilon.shortest),"
                + "momentum=\(rmsprop.momentum.shortest)"
        }
    }

    /// - Throws: ``TrainingError`` that quotes the text and the forms that are understood, or names a number out of its
    ///   range.
    public init(parsing text: String) throws(TrainingError) {
        let name = text.prefix { $0 != ":" }
        let names = ["sgd", "adam", "adamw", "rmsprop"]
        let hint = names.contains(String(name)) ? nil : nearestName(to: String(name), among: names)
        let failure = TrainingError.invalidOption(
            name: "optimizer", found: text,
            expected: "sgd:momentum=M, adam or adamw:beta1=B,beta2=B,epsilon=E, or rmsprop:decay=D,epsilon=E,momentum=M"
                + ", where numbers may be left out" + (hint.map { "; did you mean '\($0)'?" } ?? ""))
        guard var parts = SettingText(text) else { throw failure }
        switch parts.name {
        case "sgd": self = .sgd(momentum: parts.take("momentum") ?? 0.9)
        case "adam", "adamw":
            var adam = Adam()
            adam.decouplesWeightDecay = parts.name == "adamw"
            adam.beta1 = parts.take("beta1") ?? adam.beta1
            adam.beta2 = parts.take("beta2") ?? adam.beta2
            adam.epsilon = parts.take("epsilon") ?? adam.epsilon
            self = .adam(adam)
        case "rmsprop":
            var rmsprop = RMSProp()
            rmsprop.decay = parts.take("decay") ?? rmsprop.decay
            rmsprop.epsilon = parts.take("epsilon") ?? rmsprop.epsilon
            rmsprop.momentum = parts.take("momentum") ?? rmsprop.momentum
            self = .rmsprop(rmsprop)
        default: throw failure
        }
        guard parts.numbers.isEmpty else { throw failure }
        try validate()
    }
}

extension Optimizer: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
