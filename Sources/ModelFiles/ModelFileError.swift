/// Why a file could not be read or written. `description` is one line: the file, the field and what was expected.
public enum ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refused to open or read the file.
    case unreadable(file: String, reason: String)

    /// The system refused to write the file; what was there before is untouched.
    case unwritable(file: String, reason: String)

    /// A field of the file breaks the rules of its format.
    case malformed(file: String, field: String, expected: String)

    /// The file is well formed, but does not hold what its reader asked for.
    case mismatch(file: String, field: String, expected: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(oneLine(file)): cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(oneLine(file)): cannot be written: \(reason)"
        case .malformed(let file, let field, let expected), .mismatch(let file, let field, let expected):
            "\(oneLine(file)): \(oneLine(field)): expected \(oneLine(expected))"
        }
    }
}

/// Names come from files: no control character, and no endless line, may reach a terminal.
func oneLine(_ text: String) -> String {
    let limit = 200
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == limit { return result + "..." }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: result += "?"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
