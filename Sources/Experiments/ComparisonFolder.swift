import Foundation

/// The folder of a comparison: `comparison.json`, `points/<id>/` (a run folder each) and `claims/<id>/`.
public struct ComparisonFolder: Hashable, Sendable {
    public let path: String

    public init(path: String) {
        self.path = withoutLastSlash(path)
    }

    public var requestPath: String { path + "/comparison.json" }
    public var pointsPath: String { path + "/points" }
    public var claimsPath: String { path + "/claims" }

    public func runFolder(ofPoint id: String) -> RunFolder { RunFolder(path: pointsPath + "/" + id) }

    /// - Throws: `unreadable`, or `invalid` with the field.
    public func load() throws(ExperimentError) -> Comparison {
        let comparison = try JSONFile.read(Comparison.self, from: requestPath)
        if let problem = comparison.problem {
            throw .invalid(file: requestPath, field: problem.field, expected: problem.expected)
        }
        return comparison
    }

    /// Starts a comparison here, or adds what `comparison` asks for to the one that the folder holds.
    ///
    /// - Returns: everything the folder is now asked for.
    /// - Throws: `option` for a request out of range; `otherComparison` where the settings differ.
    public func open(_ comparison: Comparison) throws(ExperimentError) -> Comparison {
        if let problem = comparison.problem { throw .option(name: problem.field, expected: problem.expected) }
        var request = comparison
        if FileManager.default.fileExists(atPath: requestPath) {
            let earlier = try load()
            if let difference = earlier.difference(from: comparison) {
                throw .otherComparison(
                    folder: path, setting: difference.name, found: difference.own, requested: difference.other)
            }
            request = comparison.adding(earlier)
            if request == earlier { return request }
        }
        try makeFolder(pointsPath)
        try makeFolder(claimsPath)
        try JSONFile.write(request, to: requestPath)
        return request
    }

    /// The records of all points that have one, in the order of their names, and what was wrong with the others.
    public func records() -> (records: [RunRecord], problems: [ExperimentError]) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: pointsPath)) ?? []
        var records: [RunRecord] = []
        var problems: [ExperimentError] = []
        for name in names.sorted() {
            let folder = runFolder(ofPoint: name)
            guard folder.hasRecord else { continue }
            do throws(ExperimentError) {
                records.append(try folder.load())
            } catch {
                problems.append(error)
            }
        }
        return (records, problems)
    }
}
