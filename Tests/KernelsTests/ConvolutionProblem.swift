import CGossamerKernels
import GossamerTensors

/// The tensors of one case, and the expected results from plain loops in double precision.
final class ConvolutionProblem {
    static let untouched: Float = 12345.678

    let drawn: ConvolutionCase
    let input, output, addend: ActivationBuffer
    let weights, bias: AlignedBuffer<Float>
    private let rowStarts, columnStarts, columnConnections: AlignedBuffer<Int32>
    private let inputs, columnOutputs: AlignedBuffer<UInt16>
    var shape: gsm_convolution

    var taps: Int { drawn.kernel.height * drawn.kernel.width }
    var weightCount: Int { drawn.connectionCount * taps }

    init(_ drawn: ConvolutionCase) {
        self.drawn = drawn
        var random = SeededGenerator(
            seed: drawn.seed, keys: SeededGenerator.key("convolution values"), UInt64(drawn.index))
        input = ActivationBuffer(drawn, channels: drawn.inputChannels, size: drawn.input)
        output = ActivationBuffer(drawn, channels: drawn.outputChannels, size: drawn.output)
        input.fill { _ in random.uniform() * 2 - 1 }
        output.fill { $0 ? 0 : random.uniform() * 2 - 1 }
        addend = ActivationBuffer(drawn, channels: drawn.outputChannels, size: drawn.output)
        addend.fill { _ in random.uniform() * 2 - 1 }
        weights = AlignedBuffer(count: drawn.connectionCount * drawn.kernel.height * drawn.kernel.width)
        for index in 0 ..< weights.count { weights[index] = random.uniform() * 2 - 1 }
        bias = AlignedBuffer(count: drawn.outputChannels)
        for index in 0 ..< bias.count { bias[index] = random.uniform() * 2 - 1 }

        rowStarts = AlignedBuffer(count: drawn.outputChannels + 1)
        inputs = AlignedBuffer(count: drawn.connectionCount)
        columnStarts = AlignedBuffer(count: drawn.inputChannels + 1)
        columnOutputs = AlignedBuffer(count: drawn.connectionCount)
        columnConnections = AlignedBuffer(count: drawn.connectionCount)
        shape = gsm_convolution()
        fillTables()
        fillShape()
    }

    private func fillTables() {
        let connections = drawn.rows.enumerated().flatMap { output, row in row.map { (output, $0) } }
        for (index, connection) in connections.enumerated() {
            rowStarts[connection.0 + 1] = Int32(index + 1)
            inputs[index] = UInt16(connection.1)
        }
        for output in 0 ..< drawn.outputChannels {
            rowStarts[output + 1] = rowStarts[output] + Int32(drawn.rows[output].count)
        }
        let byInput = connections.indices.sorted {
            (connections[$0].1, connections[$0].0) < (connections[$1].1, connections[$1].0)
        }
        for (position, index) in byInput.enumerated() {
            columnOutputs[position] = UInt16(connections[index].0)
            columnConnections[position] = Int32(index)
            columnStarts[connections[index].1 + 1] += 1
        }
        for channel in 0 ..< drawn.inputChannels { columnStarts[channel + 1] += columnStarts[channel] }
    }

    private func fillShape() {
        (shape.lanes, shape.input_channels) = (Int32(drawn.lanes), Int32(drawn.inputChannels))
        shape.output_channels = Int32(drawn.outputChannels)
        (shape.kernel_height, shape.kernel_width) = (Int32(drawn.kernel.height), Int32(drawn.kernel.width))
        (shape.stride_height, shape.stride_width) = (Int32(drawn.stride.height), Int32(drawn.stride.width))
        (shape.padding_top, shape.padding_left) = (Int32(drawn.padding.height), Int32(drawn.padding.width))
        (shape.input_height, shape.input_width) = (Int32(drawn.input.height), Int32(drawn.input.width))
        (shape.output_height, shape.output_width) = (Int32(drawn.output.height), Int32(drawn.output.width))
        shape.input_row_pitch = Int64(input.rowPitch)
        shape.input_channel_pitch = Int64(input.channelPitch)
        shape.input_block_pitch = Int64(input.blockPitch)
        shape.output_row_pitch = Int64(output.rowPitch)
        shape.output_channel_pitch = Int64(output.channelPitch)
        shape.output_block_pitch = Int64(output.blockPitch)
        shape.row_starts = UnsafePointer(rowStarts.pointer)
        shape.inputs = UnsafePointer(inputs.pointer)
        shape.column_starts = UnsafePointer(columnStarts.pointer)
        shape.column_outputs = UnsafePointer(columnOutputs.pointer)
        shape.column_connections = UnsafePointer(columnConnections.pointer)
        gsm_find_shared(&shape)
    }

    /// Calls body(input offset, output offset, weight index) for every product, lane 0.
    private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
        let c = drawn
        var connection = 0
        for (channel, row) in c.rows.enumerated() {
            for source in row {
                for block in 0 ..< c.blocks {
                    for y in 0 ..< c.output.height { for x in 0 ..< c.output.width { for tap in 0 ..< taps {
                        let iy = y * c.stride.height + tap / c.kernel.width - c.padding.height
                        let ix = x * c.stride.width + tap % c.kernel.width - c.padding.width
                        guard iy >= 0, iy < c.input.height, ix >= 0, ix < c.input.width else { continue }
                        body(input.offset(block, source, iy, ix), output.offset(block, channel, y, x),
                             connection * taps + tap)
                    } } }
                }
                connection += 1
            }
        }
    }

    /// Before the bounds.
    func expectedSums() -> [Double] {
        var result = [Double](repeating: 0, count: output.values.count)
        if drawn.hasBias {
            output.forEachPixel { channel, offset in
                for lane in 0 ..< drawn.lanes { result[offset + lane] = Double(bias[channel]) }
            }
        }
        forEachProduct { source, target, weight in
            for lane in 0 ..< drawn.lanes {
                result[target + lane] += Double(input.values[source + lane]) * Double(weights[weight])
            }
        }
        if drawn.hasAddend {
            output.forEachPixel { _, offset in
                for index in offset ..< offset + drawn.lanes { result[index] += Double(addend.values[index]) }
            }
        }
        return result
    }

    func expectedInputGradient() -> [Double] {
        var result = [Double](repeating: 0, count: input.values.count)
        if drawn.accumulates {
            input.forEachPixel { _, offset in
                for lane in 0 ..< drawn.lanes { result[offset + lane] = Double(input.values[offset + lane]) }
            }
        }
        forEachProduct { target, source, weight in
            for lane in 0 ..< drawn.lanes {
                result[target + lane] += Double(output.values[source + lane]) * Double(weights[weight])
            }
        }
        return result
    }

    /// The sums, and the sums of absolute products.
    func expectedWeightGradient() -> (sums: [Double], magnitudes: [Double]) {
        var sums = [Double](repeating: 0, count: weightCount)
        var magnitudes = sums
        forEachProduct { a, b, weight in
            for lane in 0 ..< drawn.lanes {
                let product = Double(input.values[a + lane]) * Double(output.values[b + lane])
                sums[weight] += product
                magnitudes[weight] += abs(product)
            }
        }
        return (sums, magnitudes)
    }
}

/// Activations of a case, [block][channel][row][column][lane] with gaps between rows, channels and blocks.
final class ActivationBuffer {
    let values: AlignedBuffer<Float>
    let rowPitch, channelPitch, blockPitch: Int
    let lanes: Int
    private let blocks, channels, idleLanes: Int
    private let size: (height: Int, width: Int)

    init(_ drawn: ConvolutionCase, channels: Int, size: (height: Int, width: Int)) {
        (blocks, lanes, idleLanes) = (drawn.blocks, drawn.lanes, drawn.idleLanes)
        self.channels = channels
        self.size = size
        rowPitch = size.width * lanes + drawn.gaps.row
        channelPitch = size.height * rowPitch + drawn.gaps.channel
        blockPitch = channels * channelPitch + drawn.gaps.block
        values = AlignedBuffer(count: blocks * blockPitch)
        for index in 0 ..< values.count { values[index] = ConvolutionProblem.untouched }
    }

    func offset(_ block: Int, _ channel: Int, _ row: Int, _ column: Int) -> Int {
        block * blockPitch + channel * channelPitch + row * rowPitch + column * lanes
    }

    func forEachPixel(_ body: (_ channel: Int, _ offset: Int) -> Void) {
        for block in 0 ..< blocks {
            for channel in 0 ..< channels {
                for row in 0 ..< size.height {
                    for column in 0 ..< size.width { body(channel, offset(block, channel, row, column)) }
                }
            }
        }
    }

    /// - Parameter value: called with whether the lane holds no image.
    func fill(_ value: (Bool) -> Float) {
        forEachPixel { _, offset in
            let isLast = offset >= (blocks - 1) * blockPitch
            for lane in 0 ..< lanes { values[offset + lane] = value(isLast && lane >= lanes - idleLanes) }
        }
    }

    /// Offsets that hold no value.
    func gapOffsets() -> [Int] {
        var isValue = [Bool](repeating: false, count: values.count)
        forEachPixel { _, offset in for lane in 0 ..< lanes { isValue[offset + lane] = true } }
        return isValue.indices.filter { !isValue[$0] }
    }
}
