import GossamerTraining

/// What can go wrong with run folders, comparisons and reports. `description` is one line that names the file, the
/// field and what was expected.
public enum ExperimentError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case unwritable(file: String, reason: String)
    /// A field breaks the rules of its file.
    case invalid(file: String, field: String, expected: String)
    /// The folder already holds a run, which is never overwritten unasked.
    case runExists(folder: String)
    /// The folder holds a comparison with other settings.
    case otherComparison(folder: String, setting: String, found: String, requested: String)
    /// The folder holds a run with other settings.
    case otherRun(folder: String, setting: String, found: String, requested: String)
    /// The folder holds a design with another request.
    case otherDesign(folder: String, setting: String, found: String, requested: String)
    /// A value given by the user is out of range.
    case option(name: String, expected: String)
    /// A program that the report needs is missing or failed.
    case tool(name: String, problem: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(oneLine(file)): cannot be read: \(oneLine(reason))"
        case .unwritable(let file, let reason):
            "\(oneLine(file)): cannot be written: \(oneLine(reason))"
        case .invalid(let file, let field, let expected):
            "\(oneLine(file)): \(oneLine(field)): expected \(oneLine(expected))"
        case .runExists(let folder):
            "\(oneLine(folder)): already holds a run; choose another folder, resume it, or force its replacement"
        case .otherComparison(let folder, let setting, let found, let requested):
            "\(oneLine(folder)): holds a comparison with \(oneLine(setting)) \(oneLine(found)), not"
                + " \(oneLine(requested)); choose another folder"
        case .otherRun(let folder, let setting, let found, let requested):
            "\(oneLine(folder)): holds a run with \(oneLine(setting)) \(oneLine(found)), not \(oneLine(requested));"
                + " only the options of that run can resume it"
        case .otherDesign(let folder, let setting, let found, let requested):
            "\(oneLine(folder)): holds a design with \(oneLine(setting)) \(oneLine(found)), not \(oneLine(requested));"
                + " choose another folder"
        case .option(let name, let expected):
            "\(oneLine(name)): expected \(oneLine(expected))"
        case .tool(let name, let problem):
            "\(oneLine(name)): \(oneLine(problem))"
        }
    }
}

extension Error {
    /// Whether the system refused to write a file: a full disk, or a folder without the right to write.
    var isUnwritableFile: Bool {
        switch self as any Error {
        case ExperimentError.unwritable, TrainingError.file(.unwritable): true
        default: false
        }
    }
}

/// Text from files, without control characters or line breaks and of bounded length, fit for a terminal or a label.
func oneLine(_ text: String, limit: Int = 240) -> String {
    var result = String.UnicodeScalarView()
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == limit { return String(result) + "..." }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: result.append("?")
        default: result.append(scalar)
        }
    }
    return String(result)
}
