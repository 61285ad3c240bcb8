import Foundation

/// The folder of a comparison: `comparison.json`, `points/<id>/` (a run folder each) and `claims/<id>/`; where learning
/// rates are chosen, `learning-rates.json` and in `learning-rates/` the trainings that decide.
public struct ComparisonFolder: Hashable, Sendable {
    public let path: String

    public init(path: String) {
        self.path = withoutLastSlash(path)
    }

    public var requestPath: String { path + "/comparison.json" }
    public var pointsPath: String { path + "/points" }
    public var claimsPath: String { path + "/claims" }
    private var ratesPath: String { path + "/learning-rates.json" }
    /// Trainings that learning rates are chosen by.
    public var rateTrials: ComparisonFolder { ComparisonFolder(path: path + "/learning-rates") }

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
        try makeFolders()
        try JSONFile.write(request, to: requestPath)
        return request
    }

    /// The learning rates that were chosen so far.
    ///
    /// - Throws: `unreadable`, or `invalid` with the field.
    public func loadRates() throws(ExperimentError) -> LearningRates {
        guard FileManager.default.fileExists(atPath: ratesPath) else { return LearningRates() }
        let rates = try JSONFile.read(LearningRates.self, from: ratesPath)
        if let problem = rates.problem {
            throw .invalid(file: ratesPath, field: problem.field, expected: problem.expected)
        }
        return rates
    }

    func save(_ rates: LearningRates) throws(ExperimentError) { try JSONFile.write(rates, to: ratesPath) }

    /// Makes the folders that points lie in.
    public func makeFolders() throws(ExperimentError) {
        try makeFolder(pointsPath)
        try makeFolder(claimsPath)
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
