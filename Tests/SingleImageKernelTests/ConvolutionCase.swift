import CGossamerKernels
import GossamerTensors

/// A random sparse convolution of single images: geometry, connections, values, and the expected output by plain loops
/// in double.
final class ConvolutionCase {
    enum Kind: CaseIterable { case general, pointwise, wholeImage }

    static let sentinel: Float = -12_345.5

    private(set) var shape = gsm_convolution()
    let images: Int
    let relu, hasBias, hasAddend: Bool
    private let rowStarts, inputs: AlignedBuffer<Int32>
    private let input, weights, bias, addend: AlignedBuffer<Float>

    init(_ kind: Kind, _ g: inout SeededGenerator) {
        images = 1 + g.index(below: 3)
        relu = g.index(below: 2) == 0
        let many = g.index(below: 6) == 0
        let inputChannels = 1 + g.index(below: many ? 200 : 40), outputChannels = 1 + g.index(below: 24)
        Self.drawGeometry(kind, small: many, &shape, &g)
        shape.input_channels = Int32(inputChannels)
        shape.output_channels = Int32(outputChannels)
        Self.drawPitches(&shape, &g)
        let density = [1, 0.5, 0.2, 0.05][g.index(below: 4)]
        let rows = (0 ..< outputChannels).map { _ in
            (0 ..< inputChannels).filter { _ in Double(g.uniform()) < density }
        }
        rowStarts = AlignedBuffer(count: outputChannels + 1)
        for (output, row) in rows.enumerated() { rowStarts[output + 1] = rowStarts[output] + Int32(row.count) }
        let connections = rows.flatMap { $0 }
        inputs = AlignedBuffer(count: connections.count)
        for (index, channel) in connections.enumerated() { inputs[index] = Int32(channel) }
        weights = AlignedBuffer(count: connections.count * Int(shape.kernel_height * shape.kernel_width))
        for i in 0 ..< weights.count { weights[i] = g.uniform() - 0.5 }
        input = AlignedBuffer(count: images * Int(shape.input_block_pitch))
        for i in 0 ..< input.count { input[i] = g.uniform() - 0.5 }
        hasBias = g.index(below: 3) > 0
        bias = AlignedBuffer(count: outputChannels)
        for i in 0 ..< outputChannels { bias[i] = g.uniform() - 0.5 }
        hasAddend = g.index(below: 3) == 0
        addend = AlignedBuffer(count: images * Int(shape.output_block_pitch))
        for i in 0 ..< addend.count { addend[i] = g.uniform() - 0.5 }
        shape.row_starts = UnsafePointer(rowStarts.pointer)
        shape.inputs = UnsafePointer(inputs.pointer)
    }

    private static func drawGeometry(
        _ kind: Kind, small: Bool, _ shape: inout gsm_convolution, _ g: inout SeededGenerator
    ) {
        shape.lanes = 1
        let largest = kind == .wholeImage || small ? 9 : 36
        shape.input_height = Int32(1 + g.index(below: largest))
        shape.input_width = Int32(1 + g.index(below: largest))
        let strided = g.index(below: 3) == 0 && kind != .wholeImage
        shape.stride_height = Int32(1 + (strided ? g.index(below: 3) : 0))
        shape.stride_width = Int32(1 + (strided ? g.index(below: 3) : 0))
        switch kind {
        case .pointwise: (shape.kernel_height, shape.kernel_width) = (1, 1)
        case .wholeImage: (shape.kernel_height, shape.kernel_width) = (shape.input_height, shape.input_width)
        case .general:
            let limit = g.index(below: 6) == 0 ? 16 : 7
            shape.kernel_height = Int32(1 + g.index(below: limit))
            shape.kernel_width = Int32(1 + g.index(below: limit))
            shape.padding_top = Int32(g.index(below: Int(shape.kernel_height)))
            shape.padding_left = Int32(g.index(below: Int(shape.kernel_width)))
        }
        // Padding at the bottom and right is what makes the output as large as it is.
        let bottom = kind == .general ? g.index(below: Int(shape.kernel_height)) : 0
        let right = kind == .general ? g.index(below: Int(shape.kernel_width)) : 0
        let height = Int(shape.input_height + shape.padding_top - shape.kernel_height) + bottom
        let width = Int(shape.input_width + shape.padding_left - shape.kernel_width) + right
        shape.output_height = Int32(max(height, 0) / Int(shape.stride_height) + 1)
        shape.output_width = Int32(max(width, 0) / Int(shape.stride_width) + 1)
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

    /// The output buffer, gaps included, of a kernel whose units run in the order given, each piece with a workspace of
    /// its own full of rubbish.
    func run(_ kernel: gsm_convolution_kernel, cutting cut: (Int64) -> [Range<Int64>]) -> AlignedBuffer<Float> {
        let output = AlignedBuffer<Float>(count: images * Int(shape.output_block_pitch))
        for i in 0 ..< output.count { output[i] = Self.sentinel }
        withUnsafePointer(to: shape) { shape in
            var call = gsm_convolution_call()
            call.shape = shape
            call.block_count = Int32(images)
            call.epilogue = relu ? GSM_EPILOGUE_RELU : GSM_EPILOGUE_NONE
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
        return output
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
        return (relu ? max(value, 0) : value, magnitude)
    }
}
