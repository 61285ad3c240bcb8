import CGossamerKernels
import Foundation
import GossamerTensors
import Testing

/// Random cases of a property test, on every instruction set that this machine has. A failure prints the line that runs
/// its case alone.
func forEachCase(
    _ name: String, count: UInt64 = 40, _ body: (gsm_element_kernels, inout SeededGenerator, Comment) throws -> Void
) rethrows {
    let only = ProcessInfo.processInfo.environment["GOSSAMER_TEST_CASE"].flatMap(UInt64.init)
    for isa in [GSM_ISA_SCALAR, GSM_ISA_NEON, GSM_ISA_AVX2, GSM_ISA_AVX512] {
        guard let kernels = gsm_elements_for(isa) else { continue }
        for number in only.map({ $0 ... $0 }) ?? 0 ... count - 1 {
            var generator = SeededGenerator(seed: number, keys: SeededGenerator.key(name))
            let isaName = String(cString: gsm_isa_name(isa))
            let line = "\(isaName); replay: GOSSAMER_TEST_CASE=\(number) swift test -c release --filter \(name)"
            try body(kernels.pointee, &generator, Comment(rawValue: line))
        }
    }
}

struct Batch {
    let shape: Shape
    let lanes: Int
    let images: Int

    init(_ generator: inout SeededGenerator) {
        lanes = generator.index(below: 2) == 0 ? 16 : 1
        images = 1 + generator.index(below: lanes == 16 ? 40 : 3)
        shape = Shape(
            channels: 1 + generator.index(below: 4), height: 1 + generator.index(below: 9),
            width: 1 + generator.index(below: generator.index(below: 3) == 0 ? 40 : 9))
    }

    init(like other: Batch, shape: Shape) {
        lanes = other.lanes
        images = other.images
        self.shape = shape
    }

    func blocks(_ role: Blocks.Role, _ generator: inout SeededGenerator) -> Blocks {
        Blocks(shape: shape, lanes: lanes, images: images, role: role, generator: &generator)
    }
}

/// max |a - b| / max |b|, or infinity where a value is not finite.
func relativeError(_ actual: [Double], _ expected: [Double]) -> Double {
    precondition(actual.count == expected.count)
    let scale = max(expected.map(abs).max() ?? 0, 1e-30)
    return zip(actual, expected).map { $0.isFinite ? abs($0 - $1) / scale : .infinity }.max() ?? 0
}
