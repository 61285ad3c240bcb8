import Foundation
import Gossamer
import GossamerExperiments

extension ComparisonRunner.Context {
    /// This command line on this machine.
    static var thisProcess: ComparisonRunner.Context {
        ComparisonRunner.Context(
            commandLine: CommandLine.arguments, programVersion: GossamerVersion.current,
            machine: .current(instructionSet: InstructionSet.current))
    }
}
