import CGossamerKernels
import GossamerTensors
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Every row of the table that this machine runs, against plain loops in double precision, on random cases.
/// A failure names its case; GOSSAMER_KERNEL_CASE=seed:index:lanes runs that one alone.
@Suite struct ConvolutionKernelTests {
    static let seed: UInt64 = 20_261_123
    static let casesPerTest = 250

    static func cases(lanes: Int) -> [ConvolutionCase] {
        if let text = getenv("GOSSAMER_KERNEL_CASE").map({ String(cString: $0) }) {
            let parts = text.split(separator: ":").compactMap { UInt64($0) }
            precondition(parts.count == 3, "GOSSAMER_KERNEL_CASE is seed:index:lanes")
            guard Int(parts[2]) == lanes else { return [] }
            return [ConvolutionCase(seed: parts[0], index: Int(parts[1]), lanes: lanes)]
        }
        return (0 ..< casesPerTest).map { ConvolutionCase(seed: seed, index: $0, lanes: lanes) }
    }

    @Test(arguments: [16, 1]) func forwardIsRight(lanes: Int) {
        for drawn in Self.cases(lanes: lanes) {
            let problem = ConvolutionProblem(drawn)
            let sums = problem.expectedSums(), expected = sums.map { drawn.bounds($0) }
            let largest = sums.reduce(0) { max($0, abs($1)) }
            forEachKernel(GSM_CONVOLUTION_FORWARD, problem) { kernel, name in
                let results = Order.allCases.map { order in
                    let buffer = ActivationBuffer(drawn, channels: drawn.outputChannels, size: drawn.output)
                    run(kernel, problem, order) { $0.output = buffer.values.pointer }
                    return buffer
                }
                check(results, expected, largest: largest, "\(name) \(drawn)")
            }
        }
    }

    @Test(arguments: [16, 1]) func inputGradientIsRight(lanes: Int) {
        for drawn in Self.cases(lanes: lanes) {
            let problem = ConvolutionProblem(drawn)
            let expected = problem.expectedInputGradient()
            forEachKernel(GSM_CONVOLUTION_INPUT_GRADIENT, problem) { kernel, name in
                let results = Order.allCases.map { order in
                    let buffer = ActivationBuffer(drawn, channels: drawn.inputChannels, size: drawn.input)
                    if drawn.accumulates {
                        for index in 0 ..< buffer.values.count { buffer.values[index] = problem.input.values[index] }
                    }
                    run(kernel, problem, order) { $0.input_gradient = buffer.values.pointer }
                    return buffer
                }
                check(results, expected, "\(name) \(drawn)")
            }
        }
    }

    @Test(arguments: [16, 1]) func weightGradientIsRight(lanes: Int) {
        for drawn in Self.cases(lanes: lanes) {
            let problem = ConvolutionProblem(drawn)
            let expected = problem.expectedWeightGradient()
            forEachKernel(GSM_CONVOLUTION_WEIGHT_GRADIENT, problem) { kernel, name in
                let results = Order.allCases.map { order in
                    let buffer = AlignedBuffer<Float>(count: problem.weightCount)
                    for index in 0 ..< buffer.count { buffer[index] = .nan }
                    run(kernel, problem, order) { $0.weight_gradient = buffer.pointer }
                    return (0 ..< buffer.count).map { buffer[$0] }
                }
                for index in expected.sums.indices {
                    let error = abs(Double(results[0][index]) - expected.sums[index])
                    guard error <= 1e-5 * expected.magnitudes[index] else {
                        let (computed, wanted) = (results[0][index], expected.sums[index])
                        Issue.record("\(name) weight \(index): \(computed), not \(wanted), \(drawn)")
                        break
                    }
                }
                for other in results.dropFirst() {
                    #expect(other.map(\.bitPattern) == results[0].map(\.bitPattern), "\(name) \(drawn)")
                }
            }
        }
    }

    /// Error relative to the largest value, or to one that bounds have cut; untouched gaps, and the same bits in every
    /// order of the units.
    private func check(
        _ results: [ActivationBuffer], _ expected: [Double], largest: Double = 0, _ name: @autoclosure () -> String
    ) {
        var largest = largest, error = 0.0
        results[0].forEachPixel { _, offset in
            for index in offset ..< offset + results[0].lanes {
                largest = max(largest, abs(expected[index]))
                let difference = abs(Double(results[0].values[index]) - expected[index])
                error = difference.isNaN ? .infinity : max(error, difference)
            }
        }
        #expect(error <= 1e-5 * largest, "error \(error) of \(largest): \(name())")
        for index in results[0].gapOffsets() where results[0].values[index] != ConvolutionProblem.untouched {
            Issue.record("wrote between the pixels, at \(index): \(name())")
            break
        }
        for other in results.dropFirst() {
            let bytes = other.values.byteCount
            #expect(memcmp(other.values.pointer, results[0].values.pointer, bytes) == 0, "bits differ: \(name())")
        }
    }
}

@Suite struct KernelTableTests {
    @Test func selectionTakesTheFirstEligibleRow() throws {
        for index in 0 ..< 100 {
            let problem = ConvolutionProblem(ConvolutionCase(seed: 5, index: index, lanes: index % 2 == 0 ? 16 : 1))
            for operation in operations {
                let selected = try #require(gsm_select_convolution_kernel(operation, &problem.shape))
                var eligible: [UnsafePointer<gsm_convolution_kernel>] = []
                forEachKernel(operation, problem) { kernel, _ in eligible.append(kernel) }
                #expect(selected == eligible.first, "\(problem.drawn)")
            }
        }
    }

    @Test func sixteenLanesAlwaysHaveAVectorKernel() throws {
        guard gsm_available_isa() != GSM_ISA_SCALAR else { return }
        for index in 0 ..< 100 {
            let problem = ConvolutionProblem(ConvolutionCase(seed: 6, index: index, lanes: 16))
            for operation in operations {
                let selected = try #require(gsm_select_convolution_kernel(operation, &problem.shape))
                #expect(selected.pointee.isa != GSM_ISA_SCALAR, "\(problem.drawn)")
            }
        }
    }

    @Test func everyOperationEndsWithTheReference() throws {
        for operation in operations {
            let last = try #require(allKernels().last { $0.pointee.operation == operation })
            #expect(String(cString: last.pointee.name) == "reference")
            #expect(last.pointee.isa == GSM_ISA_SCALAR && last.pointee.lanes == 0)
        }
    }

    /// Reports and caches name a kernel by operation and name.
    @Test func namesAreUnique() {
        let names = allKernels().map { "\($0.pointee.operation.rawValue) \(String(cString: $0.pointee.name))" }
        #expect(Set(names).count == names.count)
    }
}
