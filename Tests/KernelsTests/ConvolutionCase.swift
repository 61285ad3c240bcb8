import CGossamerKernels
import GossamerTensors

/// One randomly drawn convolution; everything about it follows from (seed, index).
struct ConvolutionCase: CustomStringConvertible {
    let seed: UInt64, index: Int
    let lanes, blocks, idleLanes: Int
    let kernel, stride, padding, input, output: (height: Int, width: Int)
    let inputChannels, outputChannels: Int
    /// Input channels of each output channel, ascending.
    let rows: [[Int]]
    /// Floats added to the dense row, channel and block pitches; they must stay untouched.
    let gaps: (row: Int, channel: Int, block: Int)
    let hasBias, hasAddend, accumulates: Bool
    let bounds: gsm_bounds

    init(seed: UInt64, index: Int, lanes: Int) {
        var random = SeededGenerator(seed: seed, keys: SeededGenerator.key("convolution case"), UInt64(index))
        self.seed = seed
        self.index = index
        self.lanes = lanes
        blocks = lanes == 1 ? 1 : [1, 2, 3, 4, 5, 9][random.index(below: 6)]
        idleLanes = lanes == 1 || random.index(below: 2) == 0 ? 0 : random.index(below: lanes)
        let geometry = Geometry(random: &random)
        (kernel, stride, padding) = (geometry.kernel, geometry.stride, geometry.padding)
        (input, output) = (geometry.input, geometry.output)
        let large = input.height * input.width > 100
        // Some 1 x 1 kernels take outputs in large groups and inputs in blocks.
        let counts = large ? 4 : kernel == (1, 1) ? 11 : 8
        inputChannels = [1, 2, 3, 5, 7, 11, 17, 31, 64, 70, 150].prefix(counts).randomElement(using: &random)!
        outputChannels = [1, 2, 3, 4, 8, 5, 13, 19, 32, 45, 60].prefix(counts).randomElement(using: &random)!
        rows = Self.drawRows(inputs: inputChannels, outputs: outputChannels, random: &random)
        let extra = random.index(below: 3) == 0 ? 1 : 0
        gaps = (extra * lanes * random.index(below: 3), extra * lanes * random.index(below: 3),
                extra * 16 * random.index(below: 3))
        hasBias = random.index(below: 2) == 0
        bounds = random.bounds()
        accumulates = random.index(below: 2) == 0
        hasAddend = random.index(below: 2) == 0
    }

    /// Full, blocked, random (rows may be empty), or a single connection.
    private static func drawRows(inputs: Int, outputs: Int, random: inout SeededGenerator) -> [[Int]] {
        var rows = [[Int]](repeating: [], count: outputs)
        switch random.index(below: 6) {
        case 0: return [[Int]](repeating: Array(0 ..< inputs), count: outputs)
        case 1: rows[random.index(below: outputs)] = [random.index(below: inputs)]
        case 2:
            let block = random.index(below: 2) == 0 ? 4 : 32
            for output in 0 ..< outputs {
                rows[output] = output % block > 0
                    ? rows[output - 1] : random.sample(random.index(below: inputs + 1), below: inputs)
            }
        default: rows = rows.map { _ in random.sample(random.index(below: inputs + 1), below: inputs) }
        }
        return rows
    }

    var connectionCount: Int { rows.reduce(0) { $0 + $1.count } }

    var description: String {
        "GOSSAMER_KERNEL_CASE=\(seed):\(index):\(lanes) (kernel \(kernel), stride \(stride), padding \(padding), "
            + "input \(input), output \(output), channels \(inputChannels) -> \(outputChannels), "
            + "\(connectionCount) connections, \(blocks) blocks of \(lanes), gaps \(gaps), bias \(hasBias), "
            + "within \(bounds.low) and \(bounds.high), addend \(hasAddend), accumulates \(accumulates))"
    }
}

extension SeededGenerator {
    /// None, a ReLU, or bounds that cut some of the results at both ends.
    mutating func bounds() -> gsm_bounds {
        [
            gsm_bounds(low: -.infinity, high: .infinity), gsm_bounds(low: 0, high: .infinity),
            gsm_bounds(low: -0.25, high: 0.5), gsm_bounds(low: -.infinity, high: 0.125),
        ][index(below: 4)]
    }
}

extension gsm_bounds {
    func callAsFunction(_ value: Double) -> Double { min(max(value, Double(low)), Double(high)) }
}

/// Sizes of a convolution: half of the draws belong to a family that has kernels of its own.
private struct Geometry {
    typealias Pair = (height: Int, width: Int)
    var kernel: Pair = (1, 1), stride: Pair = (1, 1), padding: Pair = (0, 0)
    var input: Pair = (1, 1), output: Pair = (1, 1)

    init(random: inout SeededGenerator) {
        let side = random.index(below: 5) == 0 ? 10 + random.index(below: 21) : 1 + random.index(below: 9)
        let other = random.index(below: 2) == 0 ? side : 1 + random.index(below: 9)
        input = (side, other)
        switch random.index(below: 10) {
        case 0: kernel = (3, 3)
        case 1: kernel = (5, 5)
        case 2: kernel = (1, 1)
        case 3:  // covers the whole input
            input = (min(side, 9), other)
            kernel = input
            output = (1, 1)
            return
        case 4:
            (kernel, stride) = ((3, 3), (2, 2))
        default:
            kernel = [(1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (7, 1), (2, 4), (4, 2), (1, 3), (9, 2)]
                .randomElement(using: &random)!
            stride = (1 + random.index(below: 3), 1 + random.index(below: 3))
        }
        vertical(random: &random)
        horizontal(random: &random)
    }

    private mutating func vertical(random: inout SeededGenerator) {
        (padding.height, output.height) =
            Self.axis(input: input.height, kernel: kernel.height, stride: stride.height, random: &random)
    }

    private mutating func horizontal(random: inout SeededGenerator) {
        (padding.width, output.width) =
            Self.axis(input: input.width, kernel: kernel.width, stride: stride.width, random: &random)
    }

    /// "Same" padding half of the time, else any on either side, beyond the kernel's size too.
    private static func axis(input: Int, kernel: Int, stride: Int, random: inout SeededGenerator) -> (Int, Int) {
        let same = random.index(below: 2) == 0
        let before = same ? (kernel - 1) / 2 : random.index(below: kernel + 3)
        var after = same ? kernel - 1 - before : random.index(below: kernel + 3)
        after += max(0, kernel - (input + before + after))
        return (before, (input + before + after - kernel) / stride + 1)
    }
}
