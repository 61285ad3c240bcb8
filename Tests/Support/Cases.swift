import Foundation
import GossamerTensors

/// Random cases of a property test. A failure prints the line that runs its case alone.
package func forEachCase(
    _ name: String, count: UInt64, _ body: (_ generator: inout SeededGenerator, _ replay: String) throws -> Void
) rethrows {
    let only = ProcessInfo.processInfo.environment["GOSSAMER_TEST_CASE"].flatMap(UInt64.init)
    for number in only.map({ $0 ... $0 }) ?? 0 ... count - 1 {
        var generator = SeededGenerator(seed: number, keys: SeededGenerator.key(name))
        let line = "replay: GOSSAMER_TEST_CASE=\(number) swift test -c release --filter \(name)"
        try body(&generator, line)
    }
}

extension SeededGenerator {
    /// Near enough to standard normal for tests: the sum of twelve uniform values.
    package mutating func bell() -> Float { (0 ..< 12).reduce(-6) { sum, _ in sum + uniform() } }

    package mutating func bells(_ count: Int) -> [Float] { (0 ..< count).map { _ in bell() } }
}
