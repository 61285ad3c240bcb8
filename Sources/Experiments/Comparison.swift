/// What a comparison asks for: one network and one data set, made smaller in several ways, each with several seeds.
public struct Comparison: Codable, Hashable, Sendable {
    public static let currentFormatVersion = 1

    /// How the depth multiplier that stands against a density is found.
    public enum Pairing: String, Codable, Hashable, Sendable, CaseIterable {
        /// sqrt(density), as in the paper.
        case paper
        /// The largest multiplier with no more convolution parameters than the sparse network.
        case parameters
        /// The largest multiplier with no more multiply-adds than the sparse network.
        case multiplyAdds = "multiply-adds"
    }

    /// A depth multiplier and a density together.
    public struct Hybrid: Codable, Hashable, Sendable {
        public var depthMultiplier: Double
        public var density: Double

        public init(depthMultiplier: Double, density: Double) {
            self.depthMultiplier = depthMultiplier
            self.density = density
        }
    }

    public var formatVersion: Int
    /// The settings of all runs. Pattern, depth multiplier and seed are set by the point.
    public var settings: RunConfiguration
    /// `hybrid` needs `hybrids`.
    public var methods: [RunConfiguration.Method]
    /// In (0, 1]; 1 is the dense network.
    public var densities: [Double]
    /// Kinds of sparse patterns, without their density: `random`, `random,block=4`. The depth multiplier is paired with
    /// the first.
    public var patterns: [String]
    public var pairing: Pairing
    public var hybrids: [Hybrid]
    public var seeds: [UInt64]
    /// From which each method gets the one that suits it, in the place of the settings' rate; nil where all have that.
    public var learningRates: [Double]?

    public init(
        settings: RunConfiguration, methods: [RunConfiguration.Method] = [.dense, .sparse, .multiplier],
        densities: [Double], patterns: [String] = ["random"], pairing: Pairing = .paper, hybrids: [Hybrid] = [],
        seeds: [UInt64], learningRates: [Double]? = nil
    ) {
        formatVersion = Self.currentFormatVersion
        self.settings = settings
        self.methods = methods
        self.densities = densities
        self.patterns = patterns
        self.pairing = pairing
        self.hybrids = hybrids
        self.seeds = seeds
        self.learningRates = learningRates
    }

    /// The first field out of its range, if any.
    package var problem: FieldProblem? {
        settings.problem.map { FieldProblem(field: "settings." + $0.field, expected: $0.expected) } ?? pointsProblem
    }

    /// The first problem of what the points are made of.
    var pointsProblem: FieldProblem? {
        func isFraction(_ value: Double) -> Bool { value > 0 && value <= 1 }
        let needsDensities = methods.contains(.sparse) || methods.contains(.multiplier)
        let checks: [(String, Bool, String)] = [
            ("formatVersion", formatVersion == Self.currentFormatVersion, "\(Self.currentFormatVersion)"),
            ("methods", !methods.isEmpty, "at least one of dense, sparse, multiplier, hybrid"),
            ("densities", !densities.isEmpty || !needsDensities, "at least one density"),
            ("densities", densities.allSatisfy(isFraction), "numbers in (0, 1]"),
            ("patterns", !patterns.isEmpty && patterns.allSatisfy { !$0.isEmpty && $0 != "dense" },
             "sparse patterns such as random"),
            ("patterns", patterns.allSatisfy { PatternText($0).value == nil },
             "sparse patterns without a density, such as random, as densities are given apart"),
            ("hybrids", hybrids.allSatisfy { isFraction($0.depthMultiplier) && isFraction($0.density) },
             "depth multipliers and densities in (0, 1]"),
            ("hybrids", !hybrids.isEmpty || !methods.contains(.hybrid), "at least one, as the hybrid is asked for"),
            ("seeds", !seeds.isEmpty, "at least one seed"),
            ("learningRates", learningRates?.isEmpty != true, "at least one rate"),
            ("learningRates", learningRates?.allSatisfy { $0 > 0 && $0.isFinite } ?? true, "numbers above 0"),
        ]
        return checks.first { !$0.1 }.map { FieldProblem(field: $0.0, expected: $0.2) }
    }

    /// This request together with what an earlier one of the same settings asked for.
    func adding(_ earlier: Comparison) -> Comparison {
        func union<Element: Equatable>(_ first: [Element], _ second: [Element]) -> [Element] {
            first + second.filter { !first.contains($0) }
        }
        var both = self
        both.methods = union(earlier.methods, methods)
        both.densities = union(earlier.densities, densities)
        both.patterns = union(earlier.patterns, patterns)
        both.hybrids = union(earlier.hybrids, hybrids)
        both.seeds = union(earlier.seeds, seeds)
        return both
    }

    /// Where another request cannot share a folder with this one. Pattern, depth multiplier and seed are those of the
    /// points.
    func difference(from other: Comparison) -> SettingDifference? {
        var theirs = other.settings
        theirs.pattern = settings.pattern
        theirs.depthMultiplier = settings.depthMultiplier
        theirs.seed = settings.seed
        if let difference = settings.difference(from: theirs) { return difference }
        if pairing != other.pairing {
            return SettingDifference(name: "pairing", own: pairing.rawValue, other: other.pairing.rawValue)
        }
        guard learningRates != other.learningRates else { return nil }
        func text(_ rates: [Double]?) -> String { rates?.map(plain).joined(separator: ",") ?? "not given" }
        return SettingDifference(name: "learning rates", own: text(learningRates), other: text(other.learningRates))
    }
}
