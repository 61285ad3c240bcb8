import GossamerConnectivity
import GossamerTensors

/// The members of a node's JSON object. Each is asked for once; one that nobody asked for is a mistake.
struct NodeFields {
    let node: String
    private let members: [String: JSONValue]
    private var known: Set<String> = []

    init(node: String, members: [String: JSONValue]) {
        self.node = node
        self.members = members
    }

    func error(_ field: String, expected: String) -> NetworkError {
        let found = members[field].map { "found \($0.shown)" } ?? "it is missing"
        return NetworkError(node: node, "field '\(field)': expected \(expected), \(found)")
    }

    /// - Throws: ``NetworkError`` when there are members that the layer does not have.
    func checkAllKnown(layer: String) throws(NetworkError) {
        guard let unknown = members.keys.sorted().first(where: { !known.contains($0) }) else { return }
        let fields = known.sorted()
        let hint = nearestName(to: unknown, among: fields).map { ", did you mean '\($0)'?" }
            ?? ", expected one of \(fields.joined(separator: ", "))"
        throw NetworkError(node: node, "field '\(unknown.shown)': unknown for the layer \(layer)\(hint)")
    }

    private mutating func take(_ field: String) -> JSONValue? {
        known.insert(field)
        return members[field]
    }

    mutating func string(_ field: String) throws(NetworkError) -> String {
        guard case .string(let value)? = take(field) else { throw error(field, expected: "a text") }
        return value
    }

    mutating func integer(_ field: String, in range: ClosedRange<Int>) throws(NetworkError) -> Int {
        guard case .integer(let value)? = take(field), range.contains(value) else {
            throw error(field, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func number(
        _ field: String, default standard: Double? = nil, expected: String, where isValid: (Double) -> Bool
    ) throws(NetworkError) -> Double {
        switch take(field) {
        case nil where standard != nil: return standard!
        case .integer(let value)? where isValid(Double(value)): return Double(value)
        case .number(let value)? where isValid(value): return value
        default: throw error(field, expected: "a number \(expected)")
        }
    }

    mutating func bool(_ field: String, default standard: Bool) throws(NetworkError) -> Bool {
        switch take(field) {
        case nil: return standard
        case .bool(let value)?: return value
        default: throw error(field, expected: "true or false")
        }
    }

    /// `3` or `[height, width]`.
    mutating func size(_ field: String, default standard: Size? = nil) throws(NetworkError) -> Size {
        let range = 1 ... ShapeInference.largestSize
        switch take(field) {
        case nil where standard != nil: return standard!
        case .integer(let side)? where range.contains(side): return Size(side)
        case .array(let values)?:
            guard values.count == 2, let sides = Self.integers(values), sides.allSatisfy(range.contains) else { break }
            return Size(height: sides[0], width: sides[1])
        default: break
        }
        throw error(field, expected: "a whole number from 1 to \(range.upperBound), or [height, width]")
    }

    /// `"same"`, `"valid"`, `1` or `[top, left, bottom, right]`.
    mutating func padding(_ field: String, default standard: Padding) throws(NetworkError) -> Padding {
        let range = 0 ... ShapeInference.largestSize
        switch take(field) {
        case nil: return standard
        case .string("same")?: return .same
        case .string("valid")?: return .valid
        case .integer(let side)? where range.contains(side):
            return .explicit(top: side, left: side, bottom: side, right: side)
        case .array(let values)?:
            guard values.count == 4, let sides = Self.integers(values), sides.allSatisfy(range.contains) else { break }
            return .explicit(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3])
        default: break
        }
        throw error(field, expected: "\"same\", \"valid\", a number of pixels, or [top, left, bottom, right]")
    }

    mutating func pattern(_ field: String) throws(NetworkError) -> Pattern? {
        switch take(field) {
        case nil: return nil
        case .string(let text)?:
            do { return try Pattern(parsing: text) } catch {
                throw NetworkError(node: node, "field '\(field)': \(error)")
            }
        default: throw error(field, expected: "a pattern, as in \"random:0.1\"")
        }
    }

    /// The names of the nodes read: one name, or an array.
    mutating func inputs(_ field: String, previous: String?) throws(NetworkError) -> [String] {
        switch take(field) {
        case nil: return previous.map { [$0] } ?? []
        case .string(let name)?: return [name]
        case .array(let values)?:
            let names = values.compactMap { if case .string(let name) = $0 { name } else { nil } }
            guard names.count == values.count else { break }
            return names
        default: break
        }
        throw error(field, expected: "an array of node names")
    }

    mutating func channels(_ field: String) throws(NetworkError) -> [Int] {
        guard case .array(let values)? = take(field), let channels = Self.integers(values) else {
            throw error(field, expected: "an array of channel numbers")
        }
        return channels
    }

    private static func integers(_ values: [JSONValue]) -> [Int]? {
        let integers = values.compactMap { if case .integer(let value) = $0 { value } else { nil } }
        return integers.count == values.count ? integers : nil
    }
}
