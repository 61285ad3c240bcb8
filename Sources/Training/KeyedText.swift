import GossamerTensors

/// A setting written as `key=value,key=value`.
struct KeyedText {
    private let name: String
    private let text: String
    private var values: [String: String] = [:]

    /// - Parameters:
    ///   - name: of the setting, for errors.
    ///   - keys: those that it knows.
    /// - Throws: `invalidOption` for another form, and with the nearest key for an unknown one.
    init(_ text: String, name: String, keys: [String]) throws(TrainingError) {
        self.name = name
        self.text = String(text.prefix(200))
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, keys.contains(pair[0]) else {
                let hint = nearestName(to: String(pair[0].prefix(64)), among: keys)
                    .map { "; did you mean '\($0)'?" } ?? ""
                throw failure("\(keys.joined(separator: "=, "))=, separated by commas" + hint)
            }
            guard values.updateValue(pair[1], forKey: pair[0]) == nil else { throw failure("\(pair[0])= once") }
        }
    }

    func failure(_ expected: String) -> TrainingError { .invalidOption(name: name, found: text, expected: expected) }

    func text(_ key: String) -> String? { values[key] }

    func number(_ key: String) throws(TrainingError) -> Double? {
        guard let value = values[key] else { return nil }
        guard let number = Double(value), number.isFinite else { throw failure("\(key)= with a number") }
        return number
    }

    func integer(_ key: String) throws(TrainingError) -> Int? {
        guard let value = values[key] else { return nil }
        guard let number = Int(value) else { throw failure("\(key)= with a whole number") }
        return number
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) throws(TrainingError) -> Choice? where Choice.RawValue == String {
        guard let value = values[key] else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let all = Choice.allCases.map(\.rawValue)
            let hint = nearestName(to: String(value.prefix(64)), among: all).map { "; did you mean '\($0)'?" } ?? ""
            throw failure("\(key)= with \(all.joined(separator: " or "))" + hint)
        }
        return choice
    }
}
