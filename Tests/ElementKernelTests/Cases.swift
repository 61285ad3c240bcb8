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

extension gsm_bounds {
    static var none: gsm_bounds { gsm_bounds(low: -.infinity, high: .infinity) }

    /// None, a ReLU, or bounds that cut at both ends.
    static func draw(_ generator: inout SeededGenerator) -> gsm_bounds {
        [.none, gsm_bounds(low: 0, high: .infinity), gsm_bounds(low: -0.5, high: 0.75)][generator.index(below: 3)]
    }

    func callAsFunction(_ value: Double) -> Double { min(max(value, Double(low)), Double(high)) }

    /// Whether a value was not cut.
    func passes(_ value: Double) -> Bool { value > Double(low) && value < Double(high) }
}

/// A few values of a gradient against central differences of the loss, in double.
func expectDifferences(
    of loss: ([Double]) -> Double, at values: [Double], _ gradient: [Double], _ generator: inout SeededGenerator,
    _ comment: Comment, tolerance: Double = 1e-5
) {
    for _ in 0 ..< 4 {
        let index = generator.index(below: values.count), h = 1e-4
        var up = values, down = values
        up[index] += h
        down[index] -= h
        #expect(abs(gradient[index] - (loss(up) - loss(down)) / (2 * h)) < tolerance, comment)
    }
}
