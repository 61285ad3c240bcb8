import CGossamerKernels

/// The vector instructions that the kernels use on this machine.
public enum InstructionSet {
    /// `avx512`, `avx2`, `neon` or `scalar`, under the cap of the environment variable GOSSAMER_ISA.
    public static var current: String { String(cString: gsm_isa_name(gsm_available_isa())) }
}
