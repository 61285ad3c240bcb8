import Foundation

/// Any JSON of little depth, so that a file can be checked member by member with errors that help.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Deeper nesting is refused: a network's description has four levels.
    private static let largestDepth = 16
}

extension JSONValue: Codable {
    init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count <= Self.largestDepth else {
            throw NetworkError("its JSON is nested deeper than \(Self.largestDepth) levels")
        }
        let value = try decoder.singleValueContainer()
        if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if value.decodeNil() {
            self = .null
        } else if let members = try? decoder.container(keyedBy: Key.self) {
            var object: [String: JSONValue] = [:]
            for key in members.allKeys { object[key.stringValue] = try members.decode(JSONValue.self, forKey: key) }
            self = .object(object)
        } else {
            var elements = try decoder.unkeyedContainer()
            var array: [JSONValue] = []
            while !elements.isAtEnd { array.append(try elements.decode(JSONValue.self)) }
            self = .array(array)
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let bool): try bool.encode(to: encoder)
        case .integer(let integer): try integer.encode(to: encoder)
        case .number(let number): try number.encode(to: encoder)
        case .string(let string): try string.encode(to: encoder)
        case .array(let array): try array.encode(to: encoder)
        case .object(let object): try object.encode(to: encoder)
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension JSONValue {
    /// One line of JSON with sorted keys.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("every value here has a form in JSON") }
        return String(decoding: data, as: UTF8.self)
    }

    /// The value as it appears in an error: short, on one line.
    var shown: String {
        switch self {
        case .array: "an array"
        case .object: "an object"
        case .string(let string): "'\(string.shown)'"
        default: text
        }
    }
}

extension String {
    /// Text from a file as it appears in an error: short, without control characters.
    var shown: String {
        let visible = unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        return String(visible) + (unicodeScalars.count > 64 ? "..." : "")
    }
}
