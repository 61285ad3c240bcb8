import Foundation

/// Runs gnuplot on scripts in which no text from outside can be a command.
enum Gnuplot {
    /// - Throws: `tool`, with the package to install, if gnuplot is missing or cannot draw.
    static func preflight() throws(ExperimentError) {
        let folder = try ScratchFolder()
        try run(
            "set terminal pngcairo\nset output 'a.png'\nplot 1\nset terminal svg\nset output 'a.svg'\nplot 1\n",
            in: folder)
    }

    /// Runs a script; the files it names without a folder are made in the scratch folder.
    static func run(_ script: String, in folder: ScratchFolder) throws(ExperimentError) {
        guard let program = path() else {
            throw .tool(name: "gnuplot", problem: "not found, and reports need it; apt-get install gnuplot-nox")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        // Without the start-up files of the user or the machine.
        process.arguments = ["-d", "script.gp"]
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let complaints = Pipe()
        process.standardError = complaints
        do {
            try Data(script.utf8).write(to: URL(fileURLWithPath: folder.path + "/script.gp"))
            try process.run()
        } catch {
            throw .tool(name: program, problem: "could not be started")
        }
        let text = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw .tool(
                name: program,
                problem: "could not draw (\(text.trimmingCharacters(in: .whitespacesAndNewlines)));"
                    + " its package is gnuplot-nox")
        }
    }

    /// Text as a gnuplot string. Nothing is special between single quotes but the quote itself, which is doubled.
    static func quoted(_ text: String) -> String {
        "'" + oneLine(text, limit: 120).replacingOccurrences(of: "'", with: "''") + "'"
    }

    private static func path() -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
            .map { $0 + "/gnuplot" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// A folder for a program's files, removed when it is no longer used.
final class ScratchFolder: Sendable {
    let path: String

    init() throws(ExperimentError) {
        path = FileManager.default.temporaryDirectory.path + "/gossamer-plots-" + UUID().uuidString
        try makeFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func contents(of name: String) throws(ExperimentError) -> Data {
        try JSONFile.contents(of: path + "/" + name, maximumByteCount: 1 << 26)
    }
}
