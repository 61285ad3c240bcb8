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

    public init(
        settings: RunConfiguration, methods: [RunConfiguration.Method] = [.dense, .sparse, .multiplier],
        densities: [Double], patterns: [String] = ["random"], pairing: Pairing = .paper, hybrids: [Hybrid] = [],
        seeds: [UInt64]
    ) {
        formatVersion = Self.currentFormatVersion
        self.settings = settings
        self.methods = methods
        self.densities = densities
        self.patterns = patterns
        self.pairing = pairing
        self.hybrids = hybrids
        self.seeds = seeds
    }

    /// The first field out of its range, if any.
    package var problem: FieldProblem? {
        func isFraction(_ value: Double) -> Bool { value > 0 && value <= 1 }
        if let problem = settings.problem {
            return FieldProblem(field: "settings." + problem.field, expected: problem.expected)
        }
        let needsDensities = methods.contains(.sparse) || methods.contains(.multiplier)
        let checks: [(String, Bool, String)] = [
            ("formatVersion", formatVersion == Self.currentFormatVersion, "\(Self.currentFormatVersion)"),
            ("methods", !methods.isEmpty, "at least one of dense, sparse, multiplier, hybrid"),
            ("densities", !densities.isEmpty || !needsDensities, "at least one density"),
            ("densities", densities.allSatisfy(isFraction), "numbers in (0, 1]"),
            ("patterns", !patterns.isEmpty && patterns.allSatisfy { !$0.isEmpty && $0 != "dense" },
             "sparse patterns such as random"),
            ("hybrids", hybrids.allSatisfy { isFraction($0.depthMultiplier) && isFraction($0.density) },
             "depth multipliers and densities in (0, 1]"),
            ("hybrids", !hybrids.isEmpty || !methods.contains(.hybrid), "at least one, as the hybrid is asked for"),
            ("seeds", !seeds.isEmpty, "at least one seed"),
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

    /// Where another request cannot share a folder with this one: the field and both values.
    func difference(from other: Comparison) -> (field: String, own: String, other: String)? {
        let (mine, theirs) = (settings, other.settings)
        let fields: [(String, String, String)] = [
            ("network", mine.network, theirs.network),
            ("data", mine.data, theirs.data),
            ("pairing", pairing.rawValue, other.pairing.rawValue),
            ("epochs", "\(mine.epochs)", "\(theirs.epochs)"),
            ("batch size", "\(mine.batchSize)", "\(theirs.batchSize)"),
            ("learning rate", plain(mine.learningRate), plain(theirs.learningRate)),
            ("schedule", mine.schedule, theirs.schedule),
            ("momentum", plain(mine.momentum), plain(theirs.momentum)),
            ("weight decay", plain(mine.weightDecay), plain(theirs.weightDecay)),
            ("label smoothing", plain(mine.labelSmoothing), plain(theirs.labelSmoothing)),
            ("augmentation", mine.augmentation, theirs.augmentation),
            ("validation fraction", plain(mine.validationFraction), plain(theirs.validationFraction)),
            ("image size", mine.imageSize.map { "\($0)" } ?? "none", theirs.imageSize.map { "\($0)" } ?? "none"),
        ]
        return fields.first { $0.1 != $0.2 }.map { (field: $0.0, own: $0.1, other: $0.2) }
    }
}
