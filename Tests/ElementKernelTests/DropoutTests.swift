import CGossamerKernels
import GossamerTensors
import Testing

@Suite struct DropoutTests {
    /// The same images in 16 lanes, in one lane, and by ranges of channels lose the same elements.
    @Test func maskDoesNotDependOnLayout() {
        forEachCase("maskDoesNotDependOnLayout") { kernels, generator, comment in
            let batch = Batch(&generator)
            let wide = Blocks(
                shape: batch.shape, lanes: 16, images: batch.images, role: .activation, generator: &generator)
            let single = Blocks(
                shape: batch.shape, lanes: 1, images: batch.images, role: .activation, generator: &generator)
            for image in 0 ..< batch.images {
                for (from, to) in zip(wide.offsets(image: image), single.offsets(image: image)) {
                    single.buffer[to] = wide.buffer[from]
                }
            }
            let x = wide.values
            let seed = generator.next(), keep: Float = 0.25 + 0.5 * generator.uniform()
            for tensor in [wide, single] {
                tensor.forChannelRanges(&generator) { channel, extent in
                    let mask = gsm_dropout(
                        seed: seed, first_image: 100, first_channel: Int32(channel), keep_probability: keep)
                    let view = tensor.view(channel: channel)
                    kernels.dropout(extent, mask, view, view, false)
                }
            }
            #expect(wide.values == single.values, comment)
            for (value, original) in zip(wide.values, x) where value != 0 {
                #expect(abs(value - original / Double(keep)) <= 1e-6 * abs(original), comment)
            }
            #expect(wide.gapsAreUntouched && single.gapsAreUntouched, comment)
        }
    }

    @Test func accumulatesTheSameMask() {
        forEachCase("accumulatesTheSameMask") { kernels, generator, comment in
            let batch = Batch(&generator)
            let dy = batch.blocks(.gradient, &generator), dx = batch.blocks(.gradient, &generator)
            let y = batch.blocks(.gradient, &generator)
            let mask = gsm_dropout(seed: 3, first_image: 5, first_channel: 0, keep_probability: 0.5)
            let before = dx.values
            kernels.dropout(dy.extent(), mask, dy.view(), y.view(), false)
            kernels.dropout(dy.extent(), mask, dy.view(), dx.view(), true)
            #expect(relativeError(dx.values, zip(before, y.values).map(+)) < 1e-6, comment)
            #expect(dx.idleLanesAreZero, comment)
        }
    }

    /// Fractions kept, and agreement between neighbouring elements, images and seeds, are those of independent coins.
    @Test(arguments: [0.1, 0.5, 0.9])
    func maskIsFairAndUncorrelated(keep: Double) throws {
        let kernels = gsm_elements().pointee
        let batch = (shape: Shape(channels: 64, height: 10, width: 10), images: 64)
        var generator = SeededGenerator(seed: 1)
        func mask(seed: UInt64) -> [Double] {
            let tensor = Blocks(
                shape: batch.shape, lanes: 16, images: batch.images, role: .activation, generator: &generator)
            for image in 0 ..< batch.images { for offset in tensor.offsets(image: image) { tensor.buffer[offset] = 1 } }
            let mask = gsm_dropout(seed: seed, first_image: 0, first_channel: 0, keep_probability: Float(keep))
            kernels.dropout(tensor.extent(), mask, tensor.view(), tensor.view(), false)
            return tensor.values.map { $0 == 0 ? 0 : 1 }
        }
        let first = mask(seed: 1), second = mask(seed: 2)
        let count = Double(first.count), deviation = (keep * (1 - keep) / count).squareRoot()
        #expect(abs(first.reduce(0, +) / count - keep) < 5 * deviation)
        let stride = batch.shape.count
        for other in [Array(first.dropFirst()), Array(first.dropFirst(stride)), second] {
            let products = zip(first, other).reduce(0) { $0 + ($1.0 - keep) * ($1.1 - keep) }
            #expect(abs(products) / Double(other.count) < 5 * keep * (1 - keep) / Double(other.count).squareRoot())
        }
    }
}
