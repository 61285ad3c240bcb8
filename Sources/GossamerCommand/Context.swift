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

extension Dataset {
    /// Of the training images, what is held back to judge trainings that decide something.
    ///
    /// - Parameter given: by the user; where that is 0 and the data set keeps none apart, it is a tenth.
    func validationFraction(given: Double) -> Double { given > 0 || validation != nil ? given : 0.1 }
}
