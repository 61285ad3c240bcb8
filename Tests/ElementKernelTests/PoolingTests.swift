import CGossamerKernels
import GossamerTensors
import Testing

/// A random pooling of a random batch, and the taps of each of its windows.
private struct Pooling {
    let input: Batch
    let output: Batch
    let parameters: gsm_pooling

    init(_ generator: inout SeededGenerator) {
        let quarters = generator.index(below: 4) == 0
        let limit = generator.index(below: 8) == 0 ? 15 : 4
        let kernel = quarters ? [2, 2] : [1 + generator.index(below: limit), 1 + generator.index(below: limit)]
        let stride = quarters ? [2, 2] : [1 + generator.index(below: 3), 1 + generator.index(below: 3)]
        let padding = quarters ? [0, 0] : kernel.map { generator.index(below: $0 / 2 + 1) }
        var shape = Shape(
            channels: 1 + generator.index(below: 3), height: kernel[0] + generator.index(below: 9),
            width: kernel[1] + generator.index(below: [9, 50][generator.index(below: 2)]))
        // Windows that tile the image exactly have code of their own.
        if quarters && generator.index(below: 2) == 0 {
            (shape.height, shape.width) = (shape.height * 2, shape.width * 2)
        }
        input = Batch(like: Batch(&generator), shape: shape)
        let height = (input.shape.height + 2 * padding[0] - kernel[0]) / stride[0] + 1
        let width = (input.shape.width + 2 * padding[1] - kernel[1]) / stride[1] + 1
        output = Batch(like: input, shape: Shape(channels: input.shape.channels, height: height, width: width))
        parameters = gsm_pooling(
            kernel_height: Int32(kernel[0]), kernel_width: Int32(kernel[1]),
            stride_height: Int32(stride[0]), stride_width: Int32(stride[1]),
            padding_top: Int32(padding[0]), padding_left: Int32(padding[1]),
            input_height: Int32(input.shape.height), input_width: Int32(input.shape.width),
            output_height: Int32(height), output_width: Int32(width),
            count_padding: generator.index(below: 2) == 0)
    }

    /// Input pixels of a window inside the image, in tap order.
    func window(_ row: Int, _ column: Int) -> [(row: Int, column: Int)] {
        let p = parameters
        return (0 ..< Int(p.kernel_height)).flatMap { i in
            (0 ..< Int(p.kernel_width)).map { j in
                (row * Int(p.stride_height) - Int(p.padding_top) + i,
                 column * Int(p.stride_width) - Int(p.padding_left) + j)
            }
        }.filter { (0 ..< input.shape.height).contains($0.0) && (0 ..< input.shape.width).contains($0.1) }
    }

    func forEachOutput(_ body: (_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Void) {
        for image in 0 ..< output.images {
            for channel in 0 ..< output.shape.channels {
                for row in 0 ..< output.shape.height {
                    for column in 0 ..< output.shape.width { body(image, channel, row, column) }
                }
            }
        }
    }
}

@Suite struct PoolingTests {
    @Test func maximum() {
        forEachCase("maximum", count: 60) { kernels, generator, comment in
            let pooling = Pooling(&generator)
            let x = pooling.input.blocks(.activation, &generator), y = pooling.output.blocks(.activation, &generator)
            let dy = pooling.output.blocks(.gradient, &generator), dx = pooling.input.blocks(.gradient, &generator)
            // Few distinct values, so that windows have ties.
            for image in 0 ..< x.images {
                for offset in x.offsets(image: image) { x.buffer[offset] = x.buffer[offset].rounded() }
            }
            let accumulate = generator.index(below: 2) == 0
            var expected = [Double](), expectedGradient = dx.values.map { accumulate ? $0 : 0 }
            pooling.forEachOutput { image, channel, row, column in
                let window = pooling.window(row, column)
                let best = window.map { x[image, channel, $0.row, $0.column] }.max()!
                let winner = window.first { x[image, channel, $0.row, $0.column] == best }!
                expected.append(best)
                let shape = pooling.input.shape
                let line = (image * shape.channels + channel) * shape.height + winner.row
                expectedGradient[line * shape.width + winner.column] += dy[image, channel, row, column]
            }
            var winners = [UInt8](repeating: 0, count: y.buffer.count)
            winners.withUnsafeMutableBufferPointer { winners in
                let none = gsm_tap_view(data: nil, row_pitch: 0, channel_pitch: 0, block_pitch: 0)
                withUnsafePointer(to: pooling.parameters) { parameters in
                    kernels.max_pool(y.extent(), parameters, x.view(), y.view(), none)
                    #expect(y.values == expected, comment)
                    y.forChannelRanges(&generator) { channel, extent in
                        let taps = gsm_tap_view(
                            data: winners.baseAddress! + channel * y.channelPitch, row_pitch: Int64(y.rowPitch),
                            channel_pitch: Int64(y.channelPitch), block_pitch: Int64(y.blockPitch))
                        let from = x.view(channel: channel), to = y.view(channel: channel)
                        kernels.max_pool(extent, parameters, from, to, taps)
                        kernels.max_pool_gradient(
                            extent, parameters, taps, dy.view(channel: channel), dx.view(channel: channel), accumulate)
                    }
                }
            }
            #expect(y.values == expected, comment)
            #expect(relativeError(dx.values, expectedGradient) < 1e-6, comment)
            #expect(y.idleLanesAreFinite && dx.idleLanesAreZero, comment)
            #expect(y.gapsAreUntouched && dx.gapsAreUntouched, comment)
        }
    }

    @Test func notANumberWins() {
        forEachCase("notANumberWins", count: 10) { kernels, generator, comment in
            let pooling = Pooling(&generator)
            let x = pooling.input.blocks(.activation, &generator), y = pooling.output.blocks(.activation, &generator)
            let image = generator.index(below: x.images)
            let row = generator.index(below: x.shape.height), column = generator.index(below: x.shape.width)
            x[image, 0, row, column] = .nan
            let none = gsm_tap_view(data: nil, row_pitch: 0, channel_pitch: 0, block_pitch: 0)
            withUnsafePointer(to: pooling.parameters) { kernels.max_pool(y.extent(), $0, x.view(), y.view(), none) }
            pooling.forEachOutput { i, channel, outputRow, outputColumn in
                let covers = i == image && channel == 0
                    && pooling.window(outputRow, outputColumn).contains { $0 == (row, column) }
                #expect(y[i, channel, outputRow, outputColumn].isNaN == covers, comment)
            }
        }
    }

    @Test func average() {
        forEachCase("average", count: 60) { kernels, generator, comment in
            let pooling = Pooling(&generator)
            let x = pooling.input.blocks(.activation, &generator), y = pooling.output.blocks(.activation, &generator)
            let dy = pooling.output.blocks(.gradient, &generator), dx = pooling.input.blocks(.gradient, &generator)
            let accumulate = generator.index(below: 2) == 0
            let p = pooling.parameters, shape = pooling.input.shape
            var expected = [Double](), expectedGradient = dx.values.map { accumulate ? $0 : 0 }
            pooling.forEachOutput { image, channel, row, column in
                let window = pooling.window(row, column)
                let divisor = Double(p.count_padding ? Int(p.kernel_height * p.kernel_width) : window.count)
                expected.append(window.reduce(0) { $0 + x[image, channel, $1.row, $1.column] } / divisor)
                for tap in window {
                    let plane = image * shape.channels + channel
                    expectedGradient[(plane * shape.height + tap.row) * shape.width + tap.column]
                        += dy[image, channel, row, column] / divisor
                }
            }
            withUnsafePointer(to: p) { p in
                y.forChannelRanges(&generator) { channel, extent in
                    kernels.average_pool(extent, p, x.view(channel: channel), y.view(channel: channel))
                    kernels.average_pool_gradient(
                        extent, p, dy.view(channel: channel), dx.view(channel: channel), accumulate)
                }
            }
            #expect(relativeError(y.values, expected) < 2e-6, comment)
            #expect(relativeError(dx.values, expectedGradient) < 2e-6, comment)
            #expect(y.idleLanesAreFinite && dx.idleLanesAreZero, comment)
            #expect(y.gapsAreUntouched && dx.gapsAreUntouched, comment)
        }
    }
}
