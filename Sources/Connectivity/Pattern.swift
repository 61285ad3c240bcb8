import GossamerTensors

/// How the connections of a network's convolutions are chosen, written the same in code, JSON and on the command
/// line: `dense`, `random:0.1`, `random:0.1,block=4`, `expander:0.1`, `grouped:8`, `depthwise`.
public enum Pattern: Hashable, Sendable {
    /// Every input channel feeds every output channel.
    case dense
    /// Every filter reads ceil(density * inputs) channels, drawn uniformly ("sparse random" of Changpinyo et al. 2017).
    /// Groups of `block` filters share one subset of the inputs. The density is in (0, 1], the block at least 1.
    case random(density: Double, block: Int = 1)
    /// As random, and besides every channel of a layer is read by equally many of its filters, give or take one: a
    /// random regular bipartite graph (as the expanders of Prabhu, Varma and Namboodiri 2018, there of constant fan-in
    /// alone).
    case expander(density: Double, block: Int = 1)
    /// As a grouped convolution: channels and filters are cut into so many runs, at least 1, and each run of filters
    /// reads one run of channels. A layer with fewer channels or filters than groups has as many groups as those.
    case grouped(Int)
    /// Filter f of n reads one channel, floor(f * channels / n): a group for each channel.
    case depthwise
}

extension Pattern: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dense: "dense"
        case .random(let density, let block): Self.text("random", density, block)
        case .expander(let density, let block): Self.text("expander", density, block)
        case .grouped(let groups): "grouped:\(groups)"
        case .depthwise: "depthwise"
        }
    }

    private static func text(_ name: String, _ density: Double, _ block: Int) -> String {
        let number = density == density.rounded() ? "\(Int(density))" : "\(density)"
        return block == 1 ? "\(name):\(number)" : "\(name):\(number),block=\(block)"
    }
}

extension Pattern {
    private static let names = ["dense", "random", "expander", "grouped", "depthwise"]
    private static let largestCount = 1 << 20

    /// Reads a pattern as ``description`` writes it.
    /// - Throws: ``PatternError`` in one line, with the nearest valid name where a name is unknown.
    public init(parsing text: String) throws(PatternError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let options = parts.count == 2 ? parts[1] : nil
        switch parts[0] {
        case "dense", "depthwise":
            guard options == nil else { throw .init(text, "\(parts[0]) takes no options") }
            self = parts[0] == "dense" ? .dense : .depthwise
        case "random":
            let (density, block) = try Self.drawn("random", options, in: text)
            self = .random(density: density, block: block)
        case "expander":
            let (density, block) = try Self.drawn("expander", options, in: text)
            self = .expander(density: density, block: block)
        case "grouped":
            guard let groups = options.flatMap({ Int($0) }), (1 ... Self.largestCount).contains(groups) else {
                throw .init(text, "expected a whole number of groups from 1 to \(Self.largestCount), as in grouped:8")
            }
            self = .grouped(groups)
        default:
            let hint = nearestName(to: String(parts[0].prefix(64)), among: Self.names)
                .map { "did you mean '\($0)'? " } ?? ""
            throw .init(
                text,
                "\(hint)expected dense, random:DENSITY, random:DENSITY,block=FILTERS, expander:DENSITY, "
                    + "grouped:GROUPS or depthwise")
        }
    }

    /// The options of a pattern that is drawn at a density.
    private static func drawn(
        _ name: String, _ options: Substring?, in text: String
    ) throws(PatternError) -> (density: Double, block: Int) {
        guard let options else { throw .init(text, "expected a density, as in \(name):0.1") }
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
            guard pair.count == 2, let count = Int(pair[1]), (1 ... largestCount).contains(count) else {
                throw .init(text, "block must be a whole number of filters from 1 to \(largestCount)")
            }
            block = count
        }
        return (density, block ?? 1)
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
