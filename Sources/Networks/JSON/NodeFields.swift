import GossamerConnectivity
import GossamerTensors

/// The members of a JSON object. Each is asked for once, as the type that it must have, so that nothing else in a
/// hostile file is ever decoded; a member that nobody asked for is a mistake.
struct NodeFields {
    /// Named in errors.
    var node: String?
    private let members: KeyedDecodingContainer<FieldKey>
    private var known: Set<String> = []

    init(_ members: KeyedDecodingContainer<FieldKey>) {
        self.members = members
    }

    func error(_ field: String, expected: String) -> NetworkError {
        let isThere = members.contains(FieldKey(stringValue: field))
        let found = isThere ? "found \(shown(field))" : "it is missing"
        return NetworkError(node: node, "field '\(field)': expected \(expected), \(found)")
    }

    /// - Throws: ``NetworkError`` when there are members that nobody asked for.
    func checkAllKnown(of owner: String) throws(NetworkError) {
        let names = members.allKeys.map(\.stringValue).sorted()
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        let fields = known.sorted()
        let hint = nearestName(to: unknown, among: fields).map { "did you mean '\($0)'?" }
            ?? "expected one of \(fields.joined(separator: ", "))"
        throw NetworkError(node: node, "field '\(unknown.shown)': unknown for \(owner), \(hint)")
    }

    mutating func has(_ field: String) -> Bool {
        known.insert(field)
        return members.contains(FieldKey(stringValue: field))
    }

    /// The member, where it has this type.
    private mutating func take<Value: Decodable>(_ field: String, as type: Value.Type) -> Value? {
        known.insert(field)
        return try? members.decode(type, forKey: FieldKey(stringValue: field))
    }

    /// The value as it appears in an error: short, on one line.
    private func shown(_ field: String) -> String {
        let key = FieldKey(stringValue: field)
        if let text = try? members.decode(String.self, forKey: key) { return "'\(text.shown)'" }
        if let integer = try? members.decode(Int.self, forKey: key) { return "\(integer)" }
        if let number = try? members.decode(Double.self, forKey: key) { return "\(number)" }
        if let bool = try? members.decode(Bool.self, forKey: key) { return "\(bool)" }
        return "another value"
    }

    mutating func objects(_ field: String) throws(NetworkError) -> any UnkeyedDecodingContainer {
        known.insert(field)
        guard let objects = try? members.nestedUnkeyedContainer(forKey: FieldKey(stringValue: field)) else {
            throw error(field, expected: "an array")
        }
        return objects
    }

    /// A name to call a thing by, in files, listings and errors.
    mutating func name(_ field: String) throws(NetworkError) -> String {
        let longest = 200
        guard let name = take(field, as: String.self), (1 ... longest).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw error(field, expected: "a name of 1 to \(longest) bytes without control characters") }
        return name
    }

    mutating func string(_ field: String) throws(NetworkError) -> String {
        guard let value = take(field, as: String.self) else { throw error(field, expected: "a text") }
        return value
    }

    mutating func integer(_ field: String, in range: ClosedRange<Int>) throws(NetworkError) -> Int {
        guard let value = take(field, as: Int.self), range.contains(value) else {
            throw error(field, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func number(
        _ field: String, default standard: Double? = nil, expected: String = "within the range of a double",
        where isValid: (Double) -> Bool = \.isFinite
    ) throws(NetworkError) -> Double {
        if !has(field), let standard { return standard }
        guard let value = take(field, as: Double.self), isValid(value) else {
            throw error(field, expected: "a number \(expected)")
        }
        return value
    }

    mutating func bool(_ field: String, default standard: Bool) throws(NetworkError) -> Bool {
        guard has(field) else { return standard }
        guard let value = take(field, as: Bool.self) else { throw error(field, expected: "true or false") }
        return value
    }

    /// `3` or `[height, width]`.
    mutating func size(_ field: String, default standard: Size? = nil) throws(NetworkError) -> Size {
        if !has(field), let standard { return standard }
        let range = 1 ... ShapeInference.largestSize
        let sides = take(field, as: Int.self).map { [$0, $0] } ?? take(field, as: [Int].self) ?? []
        guard sides.count == 2, sides.allSatisfy(range.contains) else {
            throw error(field, expected: "a whole number from 1 to \(range.upperBound), or [height, width]")
        }
        return Size(height: sides[0], width: sides[1])
    }

    /// `"same"`, `"valid"`, `1` or `[top, left, bottom, right]`.
    mutating func padding(_ field: String, default standard: Padding? = nil) throws(NetworkError) -> Padding {
        if !has(field), let standard { return standard }
        switch take(field, as: String.self) {
        case "same": return .same
        case "valid": return .valid
        default: break
        }
        let sides = take(field, as: Int.self).map { [$0, $0, $0, $0] } ?? take(field, as: [Int].self) ?? []
        guard sides.count == 4, sides.allSatisfy((0 ... ShapeInference.largestSize).contains) else {
            throw error(field, expected: "\"same\", \"valid\", a number of pixels, or [top, left, bottom, right]")
        }
        return .explicit(top: sides[0], left: sides[1], bottom: sides[2], right: sides[3])
    }

    mutating func pattern(_ field: String) throws(NetworkError) -> Pattern? {
        guard has(field) else { return nil }
        guard let text = take(field, as: String.self) else {
            throw error(field, expected: "a pattern, as in \"random:0.1\"")
        }
        do { return try Pattern(parsing: text) } catch {
            throw NetworkError(node: node, "field '\(field)': \(error)")
        }
    }

    /// The names of the nodes read: one name, or an array.
    mutating func inputs(_ field: String, previous: String?) throws(NetworkError) -> [String] {
        guard has(field) else { return previous.map { [$0] } ?? [] }
        if let name = take(field, as: String.self) { return [name] }
        guard let names = take(field, as: [String].self) else {
            throw error(field, expected: "an array of node names")
        }
        return names
    }

    mutating func channels(_ field: String) throws(NetworkError) -> [Int] {
        guard let channels = take(field, as: [Int].self) else {
            throw error(field, expected: "an array of channel numbers")
        }
        return channels
    }
}

struct FieldKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension String {
    /// Text from a file as it appears in an error: short, without control characters.
    var shown: String {
        let visible = unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        return String(visible) + (unicodeScalars.count > 64 ? "..." : "")
    }
}
