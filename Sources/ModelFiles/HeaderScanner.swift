/// Reads the JSON of a safetensors header: objects, strings, arrays of integers, and nothing else.
///
/// The grammar has a fixed depth, so nothing recurses whatever the file nests; and unlike a general decoder the scanner
/// sees every member of an object, so that duplicate names cannot hide.
struct HeaderScanner {
    /// Named in errors.
    let file: String
    /// What is being read; named in errors.
    var field = "header"

    private let bytes: [UInt8]
    private var position = 0

    init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    func malformed(_ expected: String) -> ModelFileError {
        .malformed(file: file, field: field, expected: expected)
    }

    /// Calls `body` with the name of each member, placed before its value.
    mutating func members(
        longestName: Int, _ body: (inout HeaderScanner, String) throws(ModelFileError) -> Void
    ) throws(ModelFileError) {
        try expect("{")
        if take("}") { return }
        repeat {
            let name = try string(longest: longestName)
            try expect(":")
            try body(&self, name)
        } while take(",")
        try expect("}")
    }

    /// An array of at most `limit` integers in 0 ... Int.max.
    mutating func integers(limit: Int) throws(ModelFileError) -> [Int] {
        try expect("[")
        if take("]") { return [] }
        var values: [Int] = []
        repeat {
            if values.count == limit { throw malformed("at most \(limit) numbers before byte \(position)") }
            values.append(try integer())
        } while take(",")
        try expect("]")
        return values
    }

    mutating func integer() throws(ModelFileError) -> Int {
        skipWhitespace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = Int(bytes[position]) - 48, (0 ... 9).contains(digit) {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowOfSum) = tens.addingReportingOverflow(digit)
            if overflow || overflowOfSum { throw malformed("a number below 2^63 at byte \(start)") }
            value = sum
            position += 1
        }
        let hasLeadingZero = position - start > 1 && bytes[start] == UInt8(ascii: "0")
        if position == start || hasLeadingZero { throw malformed("a whole number at byte \(start)") }
        return value
    }

    mutating func string(longest: Int) throws(ModelFileError) -> String {
        try expect("\"")
        let start = position
        var hasEscapes = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] < 0x20 { throw malformed("no control character at byte \(position)") }
            if bytes[position] == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            position += 1
        }
        guard position < bytes.count else { throw malformed("a closing quote for the string at byte \(start)") }
        let raw = bytes[start ..< position]
        position += 1
        if raw.count > longest { throw malformed("at most \(longest) bytes in the name at byte \(start)") }
        let text = hasEscapes ? try unescaped(raw) : raw
        guard let string = String(validating: text, as: UTF8.self) else { throw malformed("UTF-8 at byte \(start)") }
        return string
    }

    /// Only white space may be left.
    mutating func end() throws(ModelFileError) {
        skipWhitespace()
        if position < bytes.count { throw malformed("nothing after the header's object, at byte \(position)") }
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(ModelFileError) {
        if !take(character) { throw malformed("\(character) at byte \(position) of the header") }
    }

    private func unescaped(_ raw: ArraySlice<UInt8>) throws(ModelFileError) -> ArraySlice<UInt8> {
        var result: ArraySlice<UInt8> = []
        result.reserveCapacity(raw.count)
        var index = raw.startIndex
        while index < raw.endIndex {
            guard raw[index] == UInt8(ascii: "\\") else {
                result.append(raw[index])
                index += 1
                continue
            }
            let letter = raw[index + 1]
            index += 2
            if letter == UInt8(ascii: "u") {
                result.append(contentsOf: UTF8.encode(try unicodeEscape(raw, &index))!)
            } else if let plain = Self.escapes[letter] {
                result.append(plain)
            } else {
                throw malformed("a JSON escape at byte \(index - 2)")
            }
        }
        return result
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c,
        UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
    ]

    /// The scalar of `XXXX`, or of the surrogate pair `XXXX\uXXXX`, at `index`.
    private func unicodeEscape(_ raw: ArraySlice<UInt8>, _ index: inout Int) throws(ModelFileError) -> Unicode.Scalar {
        let start = index
        guard let first = hexadecimal(raw, &index) else { throw malformed("four hexadecimal digits at byte \(start)") }
        if let scalar = Unicode.Scalar(first) { return scalar }
        let hasSecond = raw[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")])
        index += 2
        guard first < 0xdc00, hasSecond, let second = hexadecimal(raw, &index), (0xdc00 ... 0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw malformed("a surrogate pair at byte \(start)") }
        return scalar
    }

    private func hexadecimal(_ raw: ArraySlice<UInt8>, _ index: inout Int) -> UInt32? {
        guard index + 4 <= raw.endIndex else { return nil }
        var value: UInt32 = 0
        for byte in raw[index ..< index + 4] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0") ... UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "A") ... UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            case UInt8(ascii: "a") ... UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
