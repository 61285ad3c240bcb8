import Foundation
import Synchronization

/// Where the command's words go: results to standard output, progress to standard error.
enum Console {
    static let isTerminal = isatty(STDERR_FILENO) != 0
    private static let hasLostOutput = Atomic<Bool>(false)

    /// A line for people; with `--json` it leaves standard output to the machine.
    static func say(_ text: String, json: Bool) {
        if json { return note(text) }
        print(text)
        // Whoever follows a long run through a pipe or a file reads each line when it is written.
        _ = flush()
    }

    /// Hands over what was printed; false where standard output has not taken everything so far.
    static func flush() -> Bool {
        if fflush(nil) != 0 { hasLostOutput.store(true, ordering: .relaxed) }
        return !hasLostOutput.load(ordering: .relaxed)
    }

    /// A line on standard error.
    static func note(_ text: String) { progress(text + "\n") }

    /// Columns of the terminal; 80 where it does not say.
    static var columnCount: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Replaces the terminal's current line.
    static func overwrite(_ text: String) { progress("\r\u{1B}[K" + text) }

    /// A training goes on where nobody can read of it.
    private static func progress(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// One line of JSON with sorted keys.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

/// Ctrl-C and SIGTERM ask for a stop after the step under way; a second one ends the process at once.
enum Interruption {
    private static let flag = Atomic<Bool>(false)

    static var isRequested: Bool { flag.load(ordering: .relaxed) }

    static func listen() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}

/// Figures as people read them.
enum Figures {
    static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    static func bytes(_ value: Int) -> String {
        switch value {
        case ..<1000: "\(value) B"
        case ..<1_000_000: decimal(Double(value) / 1e3, 1) + " kB"
        case ..<1_000_000_000: decimal(Double(value) / 1e6, 1) + " MB"
        default: decimal(Double(value) / 1e9, 2) + " GB"
        }
    }

    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 100 { return decimal(seconds, seconds < 10 ? 1 : 0) + " s" }
        if whole < 6000 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    static func percent(_ fraction: Double, digits: Int = 2) -> String { decimal(100 * fraction, digits) + " %" }

    static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
