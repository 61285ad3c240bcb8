import ArgumentParser
import Foundation
import Gossamer

@main
struct GossamerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gossamer",
        abstract: "Train, compare and run channel-sparse convolutional networks.",
        discussion: """
            Start with the comparison of dense, narrower and sparse networks on real images:

              gossamer demo
            """,
        version: GossamerVersion.current,
        subcommands: [
            DemoCommand.self, DesignCommand.self, TrainCommand.self, CompareCommand.self, ReportCommand.self,
            RunsCommand.self, PruneCommand.self, InspectCommand.self, BenchCommand.self, EvaluateCommand.self,
            PredictCommand.self, RunCommand.self, ImportCommand.self, ExportCommand.self,
        ])

    static func main() {
        // A limit on the size of files then makes a write fail, as a full disk does, instead of ending the process.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try InstructionSet.check(cap: ProcessInfo.processInfo.environment[InstructionSet.capVariable])
            try requireKnownCommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
            try command.run()
            guard Console.flush() else { throw OutputError() }
        } catch is CancellationError {
            exit(withError: ExitCode(130))
        } catch {
            fail(error)
        }
    }

    private static func requireKnownCommand(_ word: String?) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
        let hint = nearestName(to: word, among: names).map { ", did you mean '\($0)'?" } ?? ""
        throw ValidationError("unknown command '\(word)'\(hint) (known: \(names.joined(separator: ", ")))")
    }

    /// Ends the process with one line for an error; requests for help are answered in full.
    private static func fail(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        if code.isSuccess || error is ExitCode { exit(withError: error) }
        let message = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
        _ = Console.flush()
        Console.note("Error: \(message)" + (code == .validationFailure ? " (see --help)" : ""))
        Foundation.exit(code.rawValue)
    }
}

private struct OutputError: Error, CustomStringConvertible {
    let description = "standard output: cannot be written"
}
