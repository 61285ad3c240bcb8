import CGossamerKernels
import Foundation
import GossamerTensors
import Testing

/// Random 3 x 3 convolutions of single images with stride 1.
private enum WinogradCase {
    private static let channelCounts = [1, 2, 3, 5, 7, 8, 13, 16, 29, 31, 64]

    static func draw(_ g: inout SeededGenerator) -> SingleImageProblem {
        var shape = gsm_convolution()
        drawGeometry(&shape, &g)
        let wide = g.index(below: 10) == 0
        shape.input_channels = Int32(wide ? 512 : channelCounts[g.index(below: channelCounts.count)])
        shape.output_channels = Int32(channelCounts[g.index(below: channelCounts.count)])
        let rows = drawRows(Int(shape.input_channels), Int(shape.output_channels), &g)
        return SingleImageProblem(shape, rows: rows, images: 1 + g.index(below: 2), &g)
    }

    private static func drawGeometry(_ shape: inout gsm_convolution, _ g: inout SeededGenerator) {
        shape.lanes = 1
        (shape.kernel_height, shape.kernel_width, shape.stride_height, shape.stride_width) = (3, 3, 1, 1)
        func side() -> Int { 1 + g.index(below: [9, 9, 45, 70][g.index(below: 4)]) }
        func axis() -> (input: Int, padding: Int, output: Int) {
            let input = side(), padding = g.index(below: 3)
            return (input, padding, max(input + padding - 3 + g.index(below: 3), 0) + 1)
        }
        let vertical = axis(), horizontal = axis()
        shape.input_height = Int32(vertical.input)
        shape.input_width = Int32(horizontal.input)
        shape.padding_top = Int32(vertical.padding)
        shape.padding_left = Int32(horizontal.padding)
        shape.output_height = Int32(vertical.output)
        shape.output_width = Int32(horizontal.output)
    }

    /// Dense, random (with empty rows at low density), groups of four with equal inputs but for one of them, or a
    /// single connection.
    private static func drawRows(_ inputs: Int, _ outputs: Int, _ g: inout SeededGenerator) -> [[Int]] {
        let density = [1, 0.5, 0.2, 0.05][g.index(below: 4)]
        func row() -> [Int] { (0 ..< inputs).filter { _ in Double(g.uniform()) < density } }
        switch g.index(below: 5) {
        case 0:
            var rows = [[Int]](repeating: [], count: outputs)
            rows[g.index(below: outputs)] = [g.index(below: inputs)]
            return rows
        case 1, 2:
            let groups = (0 ... outputs / 4).map { _ in row() }
            var rows = (0 ..< outputs).map { groups[$0 / 4] }
            rows[g.index(below: outputs)] = row()
            return rows
        default:
            return (0 ..< outputs).map { _ in row() }
        }
    }
}

@Suite struct WinogradTests {
    /// The plain loops, which sum in double, and the Winograd rows that this machine can run.
    private let reference: gsm_convolution_kernel
    private let rows: [gsm_convolution_kernel]

    init() throws {
        var count = 0
        let table = gsm_convolution_kernels(&count)!
        let all = (0 ..< count).map { table[$0]!.pointee }
        reference = try #require(
            all.first { String(cString: $0.name) == "reference" && $0.operation == GSM_CONVOLUTION_FORWARD })
        rows = all.filter { String(cString: $0.name).contains("Winograd") && gsm_isa_supported($0.isa) }
        try #require(!rows.isEmpty)
    }

    @Test func rowsAgreeWithPlainLoops() {
        let only = ProcessInfo.processInfo.environment["GOSSAMER_TEST_CASE"].flatMap(UInt64.init)
        var runs: [String: Int] = [:]
        for number in only.map({ $0 ... $0 }) ?? 0 ... 149 {
            var generator = SeededGenerator(seed: number, keys: SeededGenerator.key("Winograd"))
            let test = WinogradCase.draw(&generator)
            let none = gsm_bounds(low: -.infinity, high: .infinity)
            let sums = test.run(reference, bounds: none) { [0 ..< $0] }
            var shape = test.shape
            for row in rows where row.declines(&shape) == nil {
                let name = String(cString: row.name)
                let comment = Comment(rawValue: """
                    \(name) on \(test.description); replay: GOSSAMER_TEST_CASE=\(number) \
                    swift test -c release --filter WinogradTests
                    """)
                runs[name, default: 0] += 1
                let output = test.run(row) { [0 ..< $0] }
                #expect(error(output, sums, test.bounds) <= (name.contains("4 x 4") ? 5e-5 : 1e-5), comment)
                let again = test.run(row) { units in (0 ..< units).reversed().map { $0 ..< $0 + 1 } }
                #expect(output.map(\.bitPattern) == again.map(\.bitPattern), comment)
            }
        }
        for row in rows where only == nil { #expect(runs[String(cString: row.name), default: 0] >= 20) }
    }

    /// The largest difference, over the largest sum before the bounds; infinite where a gap was written to or for NaN.
    private func error(_ output: [Float], _ sums: [Float], _ bounds: gsm_bounds) -> Double {
        var largest = 0.0, difference = 0.0
        for (value, sum) in zip(output, sums) {
            if sum == SingleImageProblem.sentinel {
                if value != sum { return .infinity }
                continue
            }
            if value.isNaN { return .infinity }
            let wanted = min(max(sum, bounds.low), bounds.high)
            largest = max(largest, abs(Double(sum)))
            difference = max(difference, abs(Double(value) - Double(wanted)))
        }
        return difference == 0 ? 0 : difference / largest
    }

    @Test func declinesOtherKernelsAndStrides() {
        for row in rows {
            var shape = gsm_convolution()
            shape.lanes = 1
            (shape.kernel_height, shape.kernel_width) = (3, 3)
            (shape.stride_height, shape.stride_width) = (1, 2)
            (shape.input_height, shape.input_width, shape.input_channels) = (50, 50, 1)
            (shape.output_height, shape.output_width, shape.output_channels) = (48, 24, 1)
            #expect(row.declines(&shape) != nil)
            (shape.kernel_width, shape.stride_width, shape.output_width) = (5, 1, 46)
            #expect(row.declines(&shape) != nil)
        }
    }
}
