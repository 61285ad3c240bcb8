/// Why an image could not be read or used: one line that names the file and what was expected.
public struct ImageError: Error, Hashable, Sendable {
    /// What the image is called: a path, or a name inside an archive.
    public let name: String
    public let problem: String

    public init(name: String, problem: String) {
        self.name = name
        self.problem = problem
    }
}

extension ImageError: CustomStringConvertible {
    public var description: String {
        // A name or a message of a library may hold anything, a line break too.
        var line = String.UnicodeScalarView()
        for scalar in "\(name): \(problem)".unicodeScalars {
            line.append(scalar.properties.generalCategory == .control ? "?" : scalar)
        }
        return String(line)
    }
}
