import CGossamerKernels
import Foundation
import GossamerTensors
import Testing

/// The rows of the kernel table for single images that this machine can run, but for Winograd's, whose errors
/// WinogradTests measures.
private func rows() -> [gsm_convolution_kernel] {
    var count = 0
    let table = gsm_convolution_kernels(&count)!
    return (0 ..< count).map { table[$0]!.pointee }.filter {
        $0.lanes == 1 && $0.operation == GSM_CONVOLUTION_FORWARD && gsm_isa_supported($0.isa)
            && !String(cString: $0.name).contains("Winograd")
    }
}

/// All units at once and in order; then cut into pieces that run in another order, as threads might.
private func whole(_ units: Int64) -> [Range<Int64>] { [0 ..< units] }

private func pieces(_ generator: SeededGenerator) -> (Int64) -> [Range<Int64>] {
    { units in
        var generator = generator, ranges: [Range<Int64>] = [], first: Int64 = 0
        while first < units {
            let count = 1 + Int64(generator.index(below: Int(units - first)))
            ranges.append(first ..< first + count)
            first += count
        }
        return ranges.reversed()
    }
}

@Suite struct SingleImageKernelTests {
    @Test(arguments: ConvolutionCase.allCases)
    func rowsAgreeWithPlainLoops(kind: ConvolutionCase) {
        let only = ProcessInfo.processInfo.environment["GOSSAMER_TEST_CASE"].flatMap(UInt64.init)
        var runs: [String: Int] = [:]
        for number in only.map({ $0 ... $0 }) ?? 0 ... 79 {
            var generator = SeededGenerator(seed: number, keys: SeededGenerator.key("\(kind)"))
            let test = kind.draw(&generator)
            let expected = test.expected()
            var shape = test.shape
            for row in rows() where row.declines(&shape) == nil {
                let name = String(cString: row.name)
                let comment = Comment(rawValue: """
                    \(name) on \(kind) \(test.description); replay: GOSSAMER_TEST_CASE=\(number) \
                    swift test -c release --filter rowsAgreeWithPlainLoops
                    """)
                runs[name, default: 0] += 1
                let output = test.run(row, cutting: whole)
                #expect(firstError(output, expected) == nil, comment)
                let again = test.run(row, cutting: pieces(generator))
                let sameBits = output.map(\.bitPattern) == again.map(\.bitPattern)
                #expect(sameBits, comment)
            }
        }
        let suffix = switch kind {
        case .pointwise: "1 x 1, "
        case .pointwiseInGroups: "1 x 1 by outputs"
        case .wholeImage: "dot product"
        case .general, .usual, .depthwise: "direct"
        }
        for row in rows() where String(cString: row.name).contains(suffix) && only == nil {
            #expect(runs[String(cString: row.name), default: 0] >= 40)
        }
    }

    /// Error against the sum of absolute products, gaps unchanged.
    private func firstError(
        _ output: [Float], _ expected: [(value: Double, magnitude: Double)?]
    ) -> String? {
        for i in expected.indices {
            guard let value = expected[i] else {
                if output[i] != SingleImageProblem.sentinel { return "gap \(i) became \(output[i])" }
                continue
            }
            let error = abs(Double(output[i]) - value.value)
            if !(error <= 1e-6 * value.magnitude + 1e-12) { return "\(i): \(output[i]), expected \(value.value)" }
        }
        return nil
    }

    @Test func declinesWhatItCannotDo() {
        for row in rows() {
            var shape = gsm_convolution()
            shape.lanes = 1
            (shape.kernel_height, shape.kernel_width) = (3, 40)
            (shape.stride_height, shape.stride_width) = (1, 1)
            (shape.input_height, shape.input_width, shape.input_channels) = (50, 50, 1)
            (shape.output_height, shape.output_width, shape.output_channels) = (48, 11, 1)
            #expect(row.declines(&shape) != nil, Comment(rawValue: String(cString: row.name)))
        }
    }
}
