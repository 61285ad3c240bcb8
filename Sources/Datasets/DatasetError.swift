import GossamerImages

/// Why a data set could not be opened, split or used: one line that names the file, the field and what was expected.
public enum DatasetError: Error, Hashable, Sendable {
    /// A source such as `fashon-mnist`; `nearest` is the valid name it resembles, if any.
    case unknownSource(String, nearest: String?)
    /// A known source without the part that it needs.
    case incompleteSource(String, expected: String)
    /// A data set that a Debian package installs is not there.
    case packageMissing(source: String, package: String, directory: String)
    /// Neither FILE nor FILE.gz exists.
    case fileMissing(file: String)
    case unreadable(file: String, reason: String)
    /// The file ends before a field does.
    case truncated(file: String, field: String, expectedBytes: Int, foundBytes: Int)
    /// More bytes follow where the file should end.
    case trailingBytes(file: String, after: String)
    /// zlib rejected the stream.
    case corruptGzip(file: String, reason: String)
    /// A field holds something else than it may.
    case invalidField(file: String, field: String, found: String, expected: String)
    case labelOutOfRange(file: String, index: Int, label: Int, classCount: Int)
    /// An image that cannot be decoded, or is of no use to the network.
    case image(ImageError)
    /// An argument outside its range.
    case invalidArgument(name: String, found: String, expected: String)
}

extension DatasetError: CustomStringConvertible {
    public var description: String {
        // A file's name may hold anything, a line break too.
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { line.append(scalar.properties.generalCategory == .control ? "?" : scalar) }
        return String(line)
    }

    private var text: String {
        switch self {
        case .unknownSource(let name, let nearest):
            let hint = nearest.map { ", did you mean '\($0)'?" } ?? ""
            return "unknown data set '\(name)'\(hint) (expected \(DataSource.forms.joined(separator: " or ")))"
        case .incompleteSource(let source, let expected):
            return "data set '\(source)': expected \(expected)"
        case .packageMissing(let source, let package, let directory):
            return "data set '\(source)' is not in \(directory): install it with 'apt-get install \(package)'"
        case .fileMissing(let file):
            return "\(file): no such file, plain or with .gz"
        case .unreadable(let file, let reason):
            return "\(file): cannot be read: \(reason)"
        case .truncated(let file, let field, let expected, let found):
            return "\(file): \(field): expected \(expected) bytes, the file ends after \(found)"
        case .trailingBytes(let file, let after):
            return "\(file): expected the end of the file after \(after), more bytes follow"
        case .corruptGzip(let file, let reason):
            return "\(file): corrupt gzip stream: \(reason)"
        case .invalidField(let file, let field, let found, let expected):
            return "\(file): \(field) is \(found), expected \(expected)"
        case .labelOutOfRange(let file, let index, let label, let classCount):
            return "\(file): label of image \(index) is \(label), expected 0 to \(classCount - 1)"
        case .image(let error):
            return error.description
        case .invalidArgument(let name, let found, let expected):
            return "\(name) is \(found), expected \(expected)"
        }
    }
}
