import CGossamerKernels
import GossamerTensors
import Testing

@Suite struct LayoutTests {
    @Test func planarThereAndBack() {
        forEachCase("planarThereAndBack") { kernels, generator, comment in
            let batch = Batch(&generator)
            let y = batch.blocks(.activation, &generator)
            let planar = Blocks(
                shape: batch.shape, lanes: 1, images: batch.images, role: .activation, generator: &generator)
            let expected = planar.values
            y.forChannelRanges(&generator) {
                kernels.planar_to_blocks($1, Int32(batch.images), planar.view(channel: $0), y.view(channel: $0))
            }
            #expect(y.values == expected, comment)
            #expect(y.idleLanesAreZero && y.gapsAreUntouched, comment)
            kernels.bound(planar.extent(), gsm_bounds(low: 0, high: .infinity), planar.view(), planar.view())
            kernels.blocks_to_planar(y.extent(), Int32(batch.images), y.view(), planar.view())
            #expect(planar.values == expected && planar.gapsAreUntouched, comment)
        }
    }

    /// Both byte orders that image files have: [channel][row][column] and [row][column][channel].
    @Test(arguments: [true, false])
    func bytes(interleaved: Bool) {
        forEachCase("bytes") { kernels, generator, comment in
            let batch = Batch(&generator), shape = batch.shape
            let y = batch.blocks(.activation, &generator)
            let bytes = (0 ..< batch.images * shape.count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            let scale = (0 ..< shape.channels).map { _ in generator.uniform() + 0.5 }
            let shift = (0 ..< shape.channels).map { _ in generator.uniform() - 0.5 }
            let pitches = interleaved
                ? (column: shape.channels, row: shape.width * shape.channels, channel: 1)
                : (column: 1, row: shape.width, channel: shape.height * shape.width)
            bytes.withUnsafeBufferPointer { bytes in
                let images = (0 ..< batch.images).map { bytes.baseAddress! + $0 * shape.count }
                images.withUnsafeBufferPointer {
                    let source = gsm_byte_images(
                        images: $0.baseAddress!, column_pitch: Int64(pitches.column), row_pitch: Int64(pitches.row),
                        channel_pitch: Int64(pitches.channel))
                    kernels.bytes_to_blocks(y.extent(), Int32(batch.images), source, scale, shift, y.view())
                }
            }
            for image in 0 ..< batch.images {
                for channel in 0 ..< shape.channels {
                    for row in 0 ..< shape.height {
                        for column in 0 ..< shape.width {
                            let index = column * pitches.column + row * pitches.row + channel * pitches.channel
                            let byte = Double(bytes[image * shape.count + index])
                            let expected = byte * Double(scale[channel]) + Double(shift[channel])
                            let difference = abs(y[image, channel, row, column] - expected)
                            #expect(difference <= 1e-6 * (abs(expected) + 1), comment)
                        }
                    }
                }
            }
            #expect(y.idleLanesAreZero && y.gapsAreUntouched, comment)
        }
    }
}
