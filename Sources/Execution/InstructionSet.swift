import CGossamerKernels
import GossamerTensors

/// The vector instructions that the kernels use on this machine.
public enum InstructionSet {
    /// Caps the instruction set, for tests and comparisons.
    public static let capVariable = "GOSSAMER_ISA"
    public static let names = ["scalar", "neon", "avx2", "avx512"]

    /// One of ``names``, under the cap of the environment variable ``capVariable``.
    public static var current: String { String(cString: gsm_isa_name(gsm_available_isa())) }

    /// - Parameter cap: the variable's value, nil where it is not set.
    /// - Throws: ``ExecutionError`` with the nearest name, where the value is none of ``names``.
    public static func check(cap: String?) throws(ExecutionError) {
        guard let cap, !names.contains(cap) else { return }
        let hint = nearestName(to: cap, among: names).map { ", did you mean '\($0)'?" } ?? ""
        throw ExecutionError("\(capVariable)='\(cap)': expected \(names.joined(separator: ", "))\(hint)")
    }
}
