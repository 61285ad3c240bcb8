import Foundation

/// Refuses what the machine's memory cannot hold, before any is taken: some systems grant it, and end the process when
/// it is used.
///
/// - Parameter byteCount: a lower bound of what is needed.
package func requireMemory(byteCount: Int, for purpose: String) throws(ExecutionError) {
    let available = ProcessInfo.processInfo.physicalMemory
    guard byteCount <= available else {
        let (needed, held) = (Double(byteCount) / 1e9, Double(available) / 1e9)
        throw ExecutionError(
            String(format: "\(purpose) needs at least %.1f GB of memory, the machine has %.1f GB", needed, held))
    }
}
