import Foundation
import Testing

/// The built command in a folder of its own, run as its users run it: as a process.
final class Gossamer: Sendable {
    /// The working folder of every process; removed with its contents at the end of the test.
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/gossamer-command-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The executable beside the test bundle, or the one that `GOSSAMER_EXECUTABLE` names.
    static func executable() throws -> String {
        let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        var candidates = [folder.appending(path: "gossamer").path]
        if let named = ProcessInfo.processInfo.environment["GOSSAMER_EXECUTABLE"] { candidates = [named] }
        return try #require(
            candidates.first { FileManager.default.isExecutableFile(atPath: $0) },
            "no executable at \(candidates[0]): build the package, or set GOSSAMER_EXECUTABLE")
    }

    /// Starts the command.
    ///
    /// - Parameter fileSizeLimit: bytes that no file it writes may exceed, a multiple of 512; a write beyond fails as
    ///   on a full disk.
    func start(
        _ arguments: [String], fileSizeLimit: Int? = nil, environment: [String: String] = [:]
    ) throws -> RunningCommand {
        let process = Process()
        let executable = try Self.executable()
        if let fileSizeLimit {
            process.executableURL = URL(filePath: "/bin/sh")
            let script = "ulimit -f \(fileSizeLimit / 512); exec \"$0\" \"$@\""
            process.arguments = ["-c", script, executable] + arguments
        } else {
            process.executableURL = URL(filePath: executable)
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ProcessInfo.processInfo.environment
            .merging(["XDG_CACHE_HOME": path("cache"), "GOSSAMER_KERNEL_CACHE": "off"]) { $1 }
            .merging(environment) { $1 }
        return try RunningCommand(process)
    }

    func run(
        _ arguments: [String], fileSizeLimit: Int? = nil, environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await start(arguments, fileSizeLimit: fileSizeLimit, environment: environment).outcome()
    }

    /// Runs a command that must succeed.
    @discardableResult
    func succeed(
        _ arguments: [String], environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Outcome {
        let outcome = try await run(arguments, environment: environment)
        try #require(outcome.status == 0, "\(arguments): \(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    func path(_ name: String) -> String { folder + "/" + name }

    func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(filePath: path(name)))) }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        let url = URL(filePath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// Makes a run that is completed one to go on with.
    func markInterrupted(_ name: String) throws {
        let record = try text(name + "/run.json")
        try #require(record.contains("\"completed\""))
        try write(record.replacing("\"completed\"", with: "\"interrupted\"").utf8, to: name + "/run.json")
    }

    /// All files and folders, hidden ones too, with the files' contents.
    func snapshot() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            contents[name] = (try? bytes(name)) ?? []
        }
        return contents
    }
}

/// A command that has started. Output goes to files, so that it can never fill a pipe and wait.
final class RunningCommand: Sendable {
    private let process: Process
    private let ended: AsyncStream<Void>
    private let streams: [URL]

    init(_ process: Process) throws {
        streams = (0 ..< 2).map { _ in FileManager.default.temporaryDirectory.appending(path: UUID().uuidString) }
        for stream in streams { try Data().write(to: stream) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: streams[0])
        process.standardError = try FileHandle(forWritingTo: streams[1])
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in end.finish() }
        (self.process, self.ended) = (process, ended)
        // A child inherits the signals that its parent's thread blocks, and those of Dispatch block nearly all.
        var (none, blocked) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try process.run()
    }

    deinit {
        if process.isRunning { send(SIGKILL) }
        for stream in streams { try? FileManager.default.removeItem(at: stream) }
    }

    /// What it has said so far on standard error.
    var errorText: @Sendable () -> String {
        { [stream = streams[1]] in (try? String(contentsOf: stream, encoding: .utf8)) ?? "" }
    }

    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end; the process dies with a test that is given up.
    func outcome() async throws -> Outcome {
        await withTaskCancellationHandler {
            for await _ in ended {}
        } onCancel: {
            send(SIGKILL)
        }
        process.waitUntilExit()
        let texts = try streams.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        let isSignal = process.terminationReason == .uncaughtSignal
        return Outcome(
            status: isSignal ? nil : process.terminationStatus, signal: isSignal ? process.terminationStatus : nil,
            output: texts[0], errors: texts[1])
    }

    /// Sends a signal some time after the condition holds, and waits for the end.
    ///
    /// A thread of its own watches, for tasks may wait long for their turn among the tests.
    func outcome(
        ofSending signal: Int32, afterMilliseconds delay: Int = 0, once condition: @escaping @Sendable () -> Bool
    ) async throws -> Outcome {
        Thread.detachNewThread { [self] in
            while isRunning && !condition() { usleep(2000) }
            usleep(UInt32(1000 * delay))
            if isRunning { send(signal) }
        }
        return try await outcome()
    }
}

/// What came of a command.
struct Outcome: CustomStringConvertible {
    /// Nil where a signal ended it.
    let status: Int32?
    let signal: Int32?
    let output: String
    let errors: String

    var errorLines: [Substring] { errors.split(separator: "\n") }

    /// The last line of standard output, as `--json` promises.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let line = try #require(output.split(separator: "\n").last, "no output; \(self)")
        return try JSONDecoder().decode(type, from: Data(line.utf8))
    }

    var description: String {
        "status \(status.map { "\($0)" } ?? "none"), signal \(signal.map { "\($0)" } ?? "none")\n\(output)\n\(errors)"
    }
}

extension Outcome {
    /// Refused as every bad input must be: one line on standard error, a status of failure, no signal.
    var isOneLineFailure: Bool {
        guard let status, status == 1 || status == 64 else { return false }
        return errorLines.count == 1 && errors.hasPrefix("Error: ") && errors.count < 600
    }
}
