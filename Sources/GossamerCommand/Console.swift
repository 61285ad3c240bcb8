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

    static func warn(_ text: String) { note("warning: " + text) }

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
