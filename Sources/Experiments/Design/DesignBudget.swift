/// What a network and its training may cost, and what it must reach; nil is no limit.
public struct DesignBudget: Codable, Hashable, Sendable {
    /// Trained parameters.
    public var parameters: Int?
    /// Of one image.
    public var multiplyAdds: Int?
    /// Of one image on one thread.
    public var latencyMilliseconds: Double?
    /// What a training holds: parameters, gradients, optimizer state, activations and workspaces.
    public var trainingMemoryBytes: Int?
    /// Of the whole design: the short trainings, the choice and what it is compared with.
    public var trainingSeconds: Double?
    /// The least accuracy, a fraction.
    public var accuracy: Double?

    public init(
        parameters: Int? = nil, multiplyAdds: Int? = nil, latencyMilliseconds: Double? = nil,
        trainingMemoryBytes: Int? = nil, trainingSeconds: Double? = nil, accuracy: Double? = nil
    ) {
        self.parameters = parameters
        self.multiplyAdds = multiplyAdds
        self.latencyMilliseconds = latencyMilliseconds
        self.trainingMemoryBytes = trainingMemoryBytes
        self.trainingSeconds = trainingSeconds
        self.accuracy = accuracy
    }

    /// Whether it says how large or slow a network may be.
    public var limitsNetwork: Bool {
        parameters != nil || multiplyAdds != nil || latencyMilliseconds != nil || trainingMemoryBytes != nil
    }

    public var isEmpty: Bool { self == DesignBudget() }

    /// Predicted latencies must stay this far below the limit, as a measured one may be higher.
    static let latencyMargin = 0.9

    /// Whether a network may be as large and slow as this.
    package func admits(_ cost: CandidateCost) -> Bool {
        cost.run.parameters <= parameters ?? .max
            && cost.run.multiplyAdds <= multiplyAdds ?? .max
            && cost.trainingMemoryBytes <= trainingMemoryBytes ?? .max
            && cost.latencyMilliseconds ?? 0 <= (latencyMilliseconds ?? .infinity) * Self.latencyMargin
    }

    /// The first field out of its range, if any.
    package var problem: FieldProblem? {
        func isPositive(_ value: Double?) -> Bool { value.map { $0 > 0 && $0.isFinite } ?? true }
        let checks: [(String, Bool, String)] = [
            ("parameters", parameters ?? 1 > 0, "1 or more"),
            ("multiplyAdds", multiplyAdds ?? 1 > 0, "1 or more"),
            ("latencyMilliseconds", isPositive(latencyMilliseconds), "a number above 0"),
            ("trainingMemoryBytes", trainingMemoryBytes ?? 1 > 0, "1 or more"),
            ("trainingSeconds", isPositive(trainingSeconds), "a number above 0"),
            ("accuracy", accuracy.map { $0 > 0 && $0 <= 1 } ?? true, "a fraction in (0, 1]"),
        ]
        return checks.first { !$0.1 }.map { FieldProblem(field: "budget." + $0.0, expected: $0.2) }
    }
}
