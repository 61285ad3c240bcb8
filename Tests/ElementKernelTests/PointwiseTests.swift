import CGossamerKernels
import GossamerTensors
import Testing

@Suite struct PointwiseTests {
    @Test func bounds() {
        forEachCase("bounds") { kernels, generator, comment in
            let batch = Batch(&generator), bounds = gsm_bounds.draw(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            let expected = x.values.map { bounds($0) }
            x.forChannelRanges(&generator) { kernels.bound($1, bounds, x.view(channel: $0), y.view(channel: $0)) }
            kernels.bound(x.extent(), bounds, x.view(), x.view())
            #expect(y.values == expected, comment)
            #expect(x.values == expected, comment)
            #expect(y.gapsAreUntouched && x.gapsAreUntouched, comment)
            #expect(y.idleLanesAreFinite, comment)
        }
    }

    @Test func boundGradient() {
        forEachCase("boundGradient") { kernels, generator, comment in
            let batch = Batch(&generator), bounds = gsm_bounds.draw(&generator)
            let y = batch.blocks(.activation, &generator), dy = batch.blocks(.gradient, &generator)
            let dx = batch.blocks(.gradient, &generator)
            kernels.bound(y.extent(), bounds, y.view(), y.view())
            let accumulate = generator.index(below: 2) == 0
            let expected = zip(y.values, zip(dy.values, dx.values)).map { output, gradients in
                (accumulate ? gradients.1 : 0) + (bounds.passes(output) ? gradients.0 : 0)
            }
            kernels.bound_gradient(y.extent(), bounds, y.view(), dy.view(), dx.view(), accumulate)
            #expect(relativeError(dx.values, expected) < 1e-6, comment)
            #expect(dx.idleLanesAreZero && dx.gapsAreUntouched, comment)
        }
    }

    @Test func biasGradient() {
        forEachCase("biasGradient") { kernels, generator, comment in
            let batch = Batch(&generator), bounds = gsm_bounds.draw(&generator)
            let y = batch.blocks(.activation, &generator), dy = batch.blocks(.gradient, &generator)
            let masked = zip(y.values, dy.values).map { bounds.passes($0) ? $1 : 0 }
            var sums = [Float](repeating: 0, count: batch.shape.channels), fused = sums
            let plain = channelSums(dy.values, batch), expected = channelSums(masked, batch)
            let magnitudes = channelSums(dy.values.map(abs), batch)
            dy.forChannelRanges(&generator) { channel, extent in
                sums.withUnsafeMutableBufferPointer {
                    kernels.bias_gradient(extent, dy.view(channel: channel), $0.baseAddress! + channel)
                }
                fused.withUnsafeMutableBufferPointer {
                    kernels.bound_bias_gradient(
                        extent, bounds, y.view(channel: channel), dy.view(channel: channel), $0.baseAddress! + channel)
                }
            }
            for channel in 0 ..< batch.shape.channels {
                #expect(abs(Double(sums[channel]) - plain[channel]) <= 1e-7 * magnitudes[channel], comment)
                #expect(abs(Double(fused[channel]) - expected[channel]) <= 1e-7 * magnitudes[channel], comment)
            }
            #expect(dy.values == masked, comment)
            #expect(dy.gapsAreUntouched, comment)
        }
    }

    @Test func sumsAndCopies() {
        forEachCase("sumsAndCopies") { kernels, generator, comment in
            let batch = Batch(&generator)
            let a = batch.blocks(.activation, &generator), b = batch.blocks(.activation, &generator)
            let y = batch.blocks(.activation, &generator)
            let sum = zip(a.values, b.values).map { Double(Float($0) + Float($1)) }
            kernels.add(a.extent(), a.view(), b.view(), y.view(), .none)
            #expect(y.values == sum, comment)
            let bounds = gsm_bounds.draw(&generator)
            kernels.add(a.extent(), a.view(), b.view(), y.view(), bounds)
            #expect(y.values == sum.map { bounds($0) }, comment)
            a.forChannelRanges(&generator) { kernels.copy($1, a.view(channel: $0), y.view(channel: $0)) }
            #expect(y.values == a.values, comment)
            kernels.accumulate(a.extent(), b.view(), y.view())
            #expect(y.values == sum, comment)
            #expect(y.gapsAreUntouched, comment)
        }
    }

    private func channelSums(_ values: [Double], _ batch: Batch) -> [Double] {
        let pixels = batch.shape.height * batch.shape.width
        var sums = [Double](repeating: 0, count: batch.shape.channels)
        for (index, value) in values.enumerated() { sums[index / pixels % batch.shape.channels] += value }
        return sums
    }
}
