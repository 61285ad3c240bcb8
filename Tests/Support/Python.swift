import Foundation

/// The interpreter that GOSSAMER_PYTHON names, for tests against packages that it may have.
package enum Python {
    private static let interpreter = ProcessInfo.processInfo.environment["GOSSAMER_PYTHON"] ?? "python3"

    /// Whether packages are installed; one that is and does not work fails the tests that use it.
    package static func has(_ packages: String...) -> Bool {
        let program = """
            import sys
            from importlib.util import find_spec
            sys.exit(not all(map(find_spec, sys.argv[1:])))
            """
        return (try? run(["-c", program] + packages).status) == 0
    }

    /// A script beside a test's file.
    package static func script(_ name: String, beside file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(name).path
    }

    package static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [interpreter] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}

/// A file of raw floats, such as numpy's `tofile` writes.
package func rawFloats(ofFile path: String) throws -> [Float] {
    try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

package func writeRaw(_ values: [Float], to path: String) throws {
    try values.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: path))
}
