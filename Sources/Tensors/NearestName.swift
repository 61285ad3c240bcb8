/// The one of `names` that a misspelt `name` most likely meant, or nil when none is near.
///
/// Near is an edit distance (insertions, deletions, substitutions) of at most a third of the longer name, and at least
/// 2; letter case is ignored. Of equally near names the first wins.
public func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let wanted = Array(name.lowercased().unicodeScalars)
    var nearest: (name: String, distance: Int)?
    for candidate in names {
        let letters = Array(candidate.lowercased().unicodeScalars)
        let limit = max(2, max(wanted.count, letters.count) / 3)
        // The difference in length is a lower bound, and keeps an enormous name from being compared at all.
        guard abs(wanted.count - letters.count) <= limit else { continue }
        let distance = editDistance(wanted, letters)
        if distance <= limit, distance < nearest?.distance ?? .max { nearest = (candidate, distance) }
    }
    return nearest?.name
}

/// Levenshtein's distance, one row of the table at a time.
private func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
    var row = Array(0 ... second.count)
    for (i, letter) in first.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in second.enumerated() {
            let substituted = diagonal + (letter == other ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[second.count]
}
