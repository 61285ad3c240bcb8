import CGossamerKernels
import GossamerTensors

/// A convolution of single images with random values, everything that a call needs, and the expected output by plain
/// loops in double.
final class SingleImageProblem {
    static let sentinel: Float = -12_345.5

    private(set) var shape: gsm_convolution
    let images: Int
    let hasBias, hasAddend: Bool
    let bounds: gsm_bounds
    private let rowStarts: AlignedBuffer<Int32>
    private let inputs: AlignedBuffer<UInt16>
    private let input, weights, bias, addend: AlignedBuffer<Float>

    /// - Parameters:
    ///   - shape: sizes and channels; its pitches, with gaps or without, are drawn here.
    ///   - rows: the input channels of each output channel.
    init(_ shape: gsm_convolution, rows: [[Int]], images: Int, _ g: inout SeededGenerator) {
        self.shape = shape
        self.images = images
        bounds = [
            gsm_bounds(low: -.infinity, high: .infinity), gsm_bounds(low: 0, high: .infinity),
            gsm_bounds(low: -0.25, high: 0.5), gsm_bounds(low: -.infinity, high: 0.125),
        ][g.index(below: 4)]
        hasBias = g.index(below: 3) > 0
        hasAddend = g.index(below: 2) == 0
        Self.drawPitches(&self.shape, &g)
        rowStarts = AlignedBuffer(count: rows.count + 1)
        for (output, row) in rows.enumerated() { rowStarts[output + 1] = rowStarts[output] + Int32(row.count) }
        let connections = rows.flatMap { $0 }
        inputs = AlignedBuffer(count: connections.count)
        for (index, channel) in connections.enumerated() { inputs[index] = UInt16(channel) }
        weights = Self.values(connections.count * Int(shape.kernel_height * shape.kernel_width), &g)
        input = Self.values(images * Int(self.shape.input_block_pitch), &g)
        bias = Self.values(rows.count, &g)
        addend = Self.values(images * Int(self.shape.output_block_pitch), &g)
        self.shape.row_starts = UnsafePointer(rowStarts.pointer)
        self.shape.inputs = UnsafePointer(inputs.pointer)
        gsm_find_shared(&self.shape)
    }

    private static func values(_ count: Int, _ g: inout SeededGenerator) -> AlignedBuffer<Float> {
        let result = AlignedBuffer<Float>(count: count)
        for i in 0 ..< count { result[i] = g.uniform() - 0.5 }
        return result
    }

    private static func drawPitches(_ shape: inout gsm_convolution, _ g: inout SeededGenerator) {
        let padded = g.index(below: 2) == 0
        func gap() -> Int64 { padded ? Int64(g.index(below: 4)) : 0 }
        shape.input_row_pitch = Int64(shape.input_width) + gap()
        shape.input_channel_pitch = Int64(shape.input_height) * shape.input_row_pitch + gap()
        shape.input_block_pitch = Int64(shape.input_channels) * shape.input_channel_pitch + gap()
        shape.output_row_pitch = Int64(shape.output_width) + gap()
        shape.output_channel_pitch = Int64(shape.output_height) * shape.output_row_pitch + gap()
        shape.output_block_pitch = Int64(shape.output_channels) * shape.output_channel_pitch + gap()
    }

    var description: String {
        let s = shape
        return """
            \(s.kernel_height)x\(s.kernel_width) stride \(s.stride_height),\(s.stride_width) padding \
            \(s.padding_top),\(s.padding_left) \(s.input_channels)@\(s.input_height)x\(s.input_width) -> \
            \(s.output_channels)@\(s.output_height)x\(s.output_width), \(inputs.count) connections, \(images) images
            """
    }

    /// The output, gaps included, of a kernel whose units run in the order given, each piece with a workspace of its
    /// own full of rubbish.
    ///
    /// - Parameter bounds: the problem's own unless told.
    func run(
        _ kernel: gsm_convolution_kernel, bounds: gsm_bounds? = nil, cutting cut: (Int64) -> [Range<Int64>]
    ) -> [Float] {
        let output = AlignedBuffer<Float>(count: images * Int(shape.output_block_pitch))
        for i in 0 ..< output.count { output[i] = Self.sentinel }
        withUnsafePointer(to: shape) { shape in
            var call = gsm_convolution_call()
            call.shape = shape
            call.block_count = Int32(images)
            call.bounds = bounds ?? self.bounds
            call.input = UnsafePointer(input.pointer)
            call.output = output.pointer
            call.weights = UnsafePointer(weights.pointer)
            call.bias = hasBias ? UnsafePointer(bias.pointer) : nil
            call.addend = hasAddend ? UnsafePointer(addend.pointer) : nil
            let packed = AlignedBuffer<Float>(count: kernel.packed_count(shape))
            kernel.pack(shape, weights.pointer, packed.pointer)
            call.packed = UnsafePointer(packed.pointer)
            for range in cut(kernel.unit_count(&call)) {
                let workspace = AlignedBuffer<Float>(count: kernel.workspace_count(shape))
                for i in 0 ..< workspace.count { workspace[i] = .nan }
                kernel.run(&call, range.lowerBound, range.upperBound, workspace.pointer)
            }
        }
        return (0 ..< output.count).map { output[$0] }
    }

    /// Expected values with the sum of the absolute products behind each; nil in the gaps.
    func expected() -> [(value: Double, magnitude: Double)?] {
        let s = shape
        var result = [(value: Double, magnitude: Double)?](repeating: nil, count: images * Int(s.output_block_pitch))
        for image in 0 ..< images {
            for output in 0 ..< Int(s.output_channels) {
                for row in 0 ..< Int(s.output_height) {
                    for column in 0 ..< Int(s.output_width) {
                        let at = image * Int(s.output_block_pitch) + output * Int(s.output_channel_pitch)
                            + row * Int(s.output_row_pitch) + column
                        result[at] = pixel(image, output, row, column, addend: hasAddend ? Double(addend[at]) : 0)
                    }
                }
            }
        }
        return result
    }

    private func pixel(
        _ image: Int, _ output: Int, _ row: Int, _ column: Int, addend: Double
    ) -> (value: Double, magnitude: Double) {
        let s = shape, kernelHeight = Int(s.kernel_height), kernelWidth = Int(s.kernel_width)
        var value = addend + (hasBias ? Double(bias[output]) : 0)
        var magnitude = abs(value) + abs(addend)
        for connection in Int(rowStarts[output]) ..< Int(rowStarts[output + 1]) {
            let channel = image * Int(s.input_block_pitch) + Int(inputs[connection]) * Int(s.input_channel_pitch)
            for i in 0 ..< kernelHeight {
                let y = row * Int(s.stride_height) + i - Int(s.padding_top)
                guard y >= 0, y < Int(s.input_height) else { continue }
                for j in 0 ..< kernelWidth {
                    let x = column * Int(s.stride_width) + j - Int(s.padding_left)
                    guard x >= 0, x < Int(s.input_width) else { continue }
                    let weight = weights.pointer[(connection * kernelHeight + i) * kernelWidth + j]
                    let product = Double(weight) * Double(input.pointer[channel + y * Int(s.input_row_pitch) + x])
                    value += product
                    magnitude += abs(product)
                }
            }
        }
        return (min(max(value, Double(bounds.low)), Double(bounds.high)), magnitude)
    }
}
