/// Settings written in one word: `name`, or `name:key=number,key=number`.
struct SettingText {
    let name: String
    private(set) var numbers: [String: Double] = [:]

    /// - Parameter text: numbers are finite; a key occurs once. Nil for another form.
    init?(_ text: String) {
        var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !parts.isEmpty else { return nil }
        var name = parts.removeFirst()
        if let colon = name.firstIndex(of: ":") {
            parts.insert(String(name[name.index(after: colon)...]), at: 0)
            name = String(name[..<colon])
        }
        self.name = name
        for part in parts {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let value = Double(pair[1]), value.isFinite,
                numbers.updateValue(value, forKey: String(pair[0])) == nil
            else { return nil }
        }
    }

    /// The number of a key, which is then taken out.
    mutating func take(_ key: String) -> Double? { numbers.removeValue(forKey: key) }
}

extension Double {
    /// Without a trailing `.0`.
    var shortest: String { self == rounded() && magnitude < 1e15 ? String(Int(self)) : String(self) }
}
