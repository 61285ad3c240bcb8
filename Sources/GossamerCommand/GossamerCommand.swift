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
            DemoCommand.self, TrainCommand.self, CompareCommand.self, ReportCommand.self, RunsCommand.self,
            InspectCommand.self, BenchCommand.self, EvaluateCommand.self,
        ])

    static func main() {
        do {
            try InstructionSet.check(cap: ProcessInfo.processInfo.environment[InstructionSet.capVariable])
            var command = try parseAsRoot()
            try command.run()
        } catch is CancellationError {
            exit(withError: ExitCode(130))
        } catch {
            exit(withError: error)
        }
    }
}
