/// Image files by class and part of the data set.
struct ImageIndex {
    private(set) var files = ImageFileList()
    private var parts: [UInt8] = []
    private var classNumbers: [Int32] = []
    private var classes: [String: Int32] = [:]

    private static let noPart = UInt8.max

    /// The files added from now on lie in this folder or archive; see ``ImageFileList``.
    mutating func beginRoot(_ text: String) { files.beginRoot(text) }

    /// Takes a file, unless its path is none of an image.
    ///
    /// - Returns: whether it is one.
    mutating func add(_ path: String, byteCount: Int) throws(DatasetError) -> Bool {
        guard let parsed = ImagePath(path) else { return false }
        try files.append(path, byteCount: byteCount)
        parts.append(parsed.part.map { UInt8($0.rawValue) } ?? Self.noPart)
        let next = Int32(classes.count)
        let number = classes[parsed.className] ?? next
        if number == next { classes[parsed.className] = number }
        classNumbers.append(number)
        return true
    }

    /// In order of their names.
    var classNames: [String] { classes.keys.sorted() }

    /// Of every file, by the order of `classNames`.
    var labels: [Int32] {
        var ranks = [Int32](repeating: 0, count: classes.count)
        for (rank, name) in classNames.enumerated() { ranks[Int(classes[name]!)] = Int32(rank) }
        return classNumbers.map { ranks[Int($0)] }
    }

    /// The files of each part of the data set, in order.
    ///
    /// Where no folder says which images are for testing, those of validation are, and where there are none either, a
    /// tenth of each class, spread evenly: the same in every run.
    func places() -> (train: [Int], validation: [Int]?, test: [Int]) {
        var members: [ImagePath.Part: [Int]] = [:]
        for (place, part) in parts.enumerated() {
            members[ImagePath.Part(rawValue: Int(part)) ?? .train, default: []].append(place)
        }
        let train = members[.train] ?? []
        if let test = members[.test] { return (train, members[.validation], test) }
        if let test = members[.validation] { return (train, nil, test) }
        var seen = [Int](repeating: 0, count: classes.count)
        var (kept, test): ([Int], [Int]) = ([], [])
        for place in train {
            let number = Int(classNumbers[place])
            seen[number] += 1
            if seen[number] % 10 == 0 { test.append(place) } else { kept.append(place) }
        }
        return (kept, nil, test)
    }
}
