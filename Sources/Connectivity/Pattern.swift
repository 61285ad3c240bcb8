import GossamerTensors

/// How the connections of a network's convolutions are chosen, written the same in code, JSON and on the command
/// line: `dense`, `random:0.1`, `random:0.1,block=4`.
public enum Pattern: Hashable, Sendable {
    /// Every input channel feeds every output channel.
    case dense
    /// Every filter reads ceil(density * inputs) channels, drawn uniformly ("sparse random" of Changpinyo et al. 2017).
    /// Groups of `block` filters share one subset of the inputs. The density is in (0, 1], the block at least 1.
    case random(density: Double, block: Int = 1)
}

extension Pattern: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dense: return "dense"
        case .random(let density, let block):
            let number = density == density.rounded() ? "\(Int(density))" : "\(density)"
            return block == 1 ? "random:\(number)" : "random:\(number),block=\(block)"
        }
    }
}

extension Pattern {
    private static let names = ["dense", "random"]
    private static let largestBlock = 1 << 20

    /// Reads a pattern as ``description`` writes it.
    /// - Throws: ``PatternError`` in one line, with the nearest valid name where a name is unknown.
    public init(parsing text: String) throws(PatternError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts[0] {
        case "dense":
            guard parts.count == 1 else { throw .init(text, "dense takes no options") }
            self = .dense
        case "random":
            guard parts.count == 2 else { throw .init(text, "expected a density, as in random:0.1") }
            self = try Self.random(parsing: parts[1], in: text)
        default:
            let hint = nearestName(to: String(parts[0].prefix(64)), among: Self.names)
                .map { "did you mean '\($0)'? " } ?? ""
            throw .init(text, "\(hint)expected dense, random:DENSITY or random:DENSITY,block=FILTERS")
        }
    }

    private static func random(parsing options: Substring, in text: String) throws(PatternError) -> Pattern {
        let fields = options.split(separator: ",", omittingEmptySubsequences: false)
        guard let density = Double(fields[0]), density > 0, density <= 1 else {
            throw .init(text, "the density must be a number above 0 and at most 1, it is '\(fields[0].prefix(64))'")
        }
        var block: Int?
        for field in fields.dropFirst() {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair[0] == "block" else {
                throw .init(text, "unknown option '\(pair[0].prefix(64))', the only one is block=FILTERS")
            }
            guard block == nil else { throw .init(text, "block is given twice") }
            guard pair.count == 2, let count = Int(pair[1]), (1 ... largestBlock).contains(count) else {
                throw .init(text, "block must be a whole number of filters from 1 to \(largestBlock)")
            }
            block = count
        }
        return .random(density: density, block: block ?? 1)
    }
}

extension Pattern: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Why a text is not a pattern.
public struct PatternError: Error, CustomStringConvertible, Hashable {
    public let message: String
    public var description: String { message }

    fileprivate init(_ text: String, _ expectation: String) {
        let shown = text.count > 64 ? text.prefix(64) + "..." : Substring(text)
        message = "pattern '\(shown)': \(expectation)"
    }
}
