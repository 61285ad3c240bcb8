import Foundation
import Gossamer

/// Kernels and rates that a file in the user's cache folder remembers from earlier commands.
extension KernelChoice {
    /// The fastest kernel of each layer, tried where the file does not know it yet.
    static var remembering: KernelChoice {
        MachineFiles.kernelPath.map { .remembered(KernelCache(path: $0, warn: Console.warn)) } ?? .measured
    }

    /// The kernel that the cost model predicts to be fastest, or the kernel table's first where nothing may be kept.
    static func untried(pool: ThreadPool) -> KernelChoice {
        CostModel.remembered(for: .inference, pool: pool).map { .predicted($0) } ?? .byRule
    }
}

extension CostModel {
    /// The rates of this machine, measured the first time; nil where nothing may be kept.
    static func remembered(for purpose: Purpose, pool: ThreadPool) -> CostModel? {
        guard let path = MachineFiles.ratePath else { return nil }
        return ofThisMachine(for: purpose, pool: pool, path: path, warn: Console.warn) {
            Console.note("measuring how fast this machine runs \(purpose.rawValue), once: less than a minute")
        }
    }
}
