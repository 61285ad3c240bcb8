import Foundation

/// Refuses what the machine's memory cannot hold, before any is taken: some systems grant it, and end the process when
/// it is used.
///
/// - Parameter byteCount: a lower bound of what is needed.
package func requireMemory(byteCount: Int, for purpose: String) throws(ExecutionError) {
    let available = ProcessInfo.processInfo.physicalMemory
    guard byteCount <= available else {
        let figures = [Double(byteCount), Double(available)].map { String(format: "%.1f GB", $0 / 1e9) }
        throw ExecutionError("\(purpose) needs at least \(figures[0]) of memory, the machine has \(figures[1])")
    }
}
