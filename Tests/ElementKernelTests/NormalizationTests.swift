import CGossamerKernels
import GossamerTensors
import Testing

/// Arrays of one batch normalisation, and calls on ranges of its channels.
private final class Normalization {
    let epsilon: Float = 1e-5
    var mean, variance, inverseDeviation, scale, shift, scaleGradient, shiftGradient: [Float]

    init(channels: Int, generator: inout SeededGenerator) {
        let zeros = [Float](repeating: 0, count: channels)
        (mean, variance, inverseDeviation, scaleGradient, shiftGradient) = (zeros, zeros, zeros, zeros, zeros)
        scale = zeros.map { _ in generator.uniform() * 2 - 1 }
        shift = zeros.map { _ in generator.uniform() * 2 - 1 }
    }

    func call(
        _ images: Int, bounds: gsm_bounds, from channel: Int, _ body: (UnsafePointer<gsm_normalization>) -> Void
    ) {
        mean.withUnsafeMutableBufferPointer { mean in
            variance.withUnsafeMutableBufferPointer { variance in
                inverseDeviation.withUnsafeMutableBufferPointer { deviation in
                    scaleGradient.withUnsafeMutableBufferPointer { scaleGradient in
                        shiftGradient.withUnsafeMutableBufferPointer { shiftGradient in
                            scale.withUnsafeBufferPointer { scale in
                                shift.withUnsafeBufferPointer { shift in
                                    let parameters = gsm_normalization(
                                        images: Int32(images), epsilon: epsilon, bounds: bounds,
                                        mean: mean.baseAddress! + channel, variance: variance.baseAddress! + channel,
                                        inverse_deviation: deviation.baseAddress! + channel,
                                        scale: scale.baseAddress! + channel, shift: shift.baseAddress! + channel,
                                        scale_gradient: scaleGradient.baseAddress! + channel,
                                        shift_gradient: shiftGradient.baseAddress! + channel)
                                    withUnsafePointer(to: parameters, body)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Batch normalisation of one channel's values in double.
private struct Reference {
    let mean, variance: Double
    let normalized: [Double]

    init(_ x: [Double], epsilon: Double) {
        mean = x.reduce(0, +) / Double(x.count)
        let centered = x.map { [mean] in $0 - mean }
        variance = centered.reduce(0) { $0 + $1 * $1 } / Double(x.count)
        normalized = centered.map { [variance] in $0 / (variance + epsilon).squareRoot() }
    }

    func output(scale: Double, shift: Double, bounds: gsm_bounds = .none) -> [Double] {
        normalized.map { bounds($0 * scale + shift) }
    }
}

private func channelValues(_ blocks: Blocks, _ channel: Int) -> [Double] {
    let pixels = blocks.shape.height * blocks.shape.width
    return (0 ..< blocks.images).flatMap { blocks.values(image: $0)[channel * pixels ..< (channel + 1) * pixels] }
}

@Suite struct NormalizationTests {
    @Test func forward() {
        forEachCase("forward") { kernels, generator, comment in
            let batch = Batch(&generator), bounds = gsm_bounds.draw(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            let state = Normalization(channels: batch.shape.channels, generator: &generator)
            x.forChannelRanges(&generator) { channel, extent in
                state.call(batch.images, bounds: bounds, from: channel) {
                    kernels.normalization_statistics(extent, $0, x.view(channel: channel))
                    kernels.normalize(extent, $0, x.view(channel: channel), y.view(channel: channel))
                }
            }
            for channel in 0 ..< batch.shape.channels {
                let reference = Reference(channelValues(x, channel), epsilon: Double(state.epsilon))
                #expect(abs(Double(state.mean[channel]) - reference.mean) < 1e-6, comment)
                #expect(abs(Double(state.variance[channel]) - reference.variance) < 1e-6, comment)
                // A channel of one value has a variance of zero: what is left of rounding is divided by sqrt(epsilon).
                let tolerance = batch.images * batch.shape.height * batch.shape.width == 1 ? 1e-3 : 1e-5
                let expected = reference.output(
                    scale: Double(state.scale[channel]), shift: Double(state.shift[channel]), bounds: bounds)
                for (actual, value) in zip(channelValues(y, channel), expected) {
                    #expect(abs(actual - value) < tolerance, comment)
                }
            }
            #expect(y.idleLanesAreFinite && y.gapsAreUntouched, comment)
        }
    }

    /// Values far from zero: a single pass over sums and squares would lose the variance.
    @Test func variancePersistsFarFromZero() {
        forEachCase("variancePersistsFarFromZero", count: 10) { kernels, generator, comment in
            let batch = Batch(&generator)
            let x = batch.blocks(.activation, &generator)
            for image in 0 ..< x.images { for offset in x.offsets(image: image) { x.buffer[offset] += 10_000 } }
            let state = Normalization(channels: batch.shape.channels, generator: &generator)
            state.call(batch.images, bounds: .none, from: 0) {
                kernels.normalization_statistics(x.extent(), $0, x.view())
            }
            for channel in 0 ..< batch.shape.channels {
                let reference = Reference(channelValues(x, channel), epsilon: Double(state.epsilon))
                #expect(abs(Double(state.variance[channel]) - reference.variance) <= 1e-5 * reference.variance, comment)
            }
        }
    }

    /// Central differences, in double, of the loss sum(dy * y).
    @Test func backwardAgreesWithFiniteDifferences() {
        forEachCase("backwardAgreesWithFiniteDifferences") { kernels, generator, comment in
            let batch = Batch(&generator), bounds = gsm_bounds.draw(&generator)
            guard batch.images * batch.shape.height * batch.shape.width >= 8 else { return }
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            let dy = batch.blocks(.gradient, &generator), dx = batch.blocks(.gradient, &generator)
            let state = Normalization(channels: batch.shape.channels, generator: &generator)
            let accumulate = generator.index(below: 2) == 0, before = accumulate ? dx.values : dx.values.map { _ in 0 }
            x.forChannelRanges(&generator) { channel, extent in
                let input = x.view(channel: channel), output = y.view(channel: channel)
                let gradient = dy.view(channel: channel)
                state.call(batch.images, bounds: bounds, from: channel) {
                    kernels.normalization_statistics(extent, $0, input)
                    kernels.normalize(extent, $0, input, output)
                    kernels.normalization_parameter_gradients(extent, $0, input, gradient)
                    kernels.normalization_input_gradient(
                        extent, $0, input, gradient, dx.view(channel: channel), accumulate)
                }
            }
            let pixels = batch.shape.height * batch.shape.width
            for channel in 0 ..< batch.shape.channels {
                // What the bounds cut is held, as in the gradient.
                let passes = channelValues(y, channel).map { bounds.passes($0) }
                let gradients = zip(channelValues(dy, channel), passes).map { $1 ? $0 : 0 }
                let values = channelValues(x, channel)
                let scale = Double(state.scale[channel]), shift = Double(state.shift[channel])
                let loss = { (x: [Double], scale: Double, shift: Double) in
                    let outputs = Reference(x, epsilon: Double(state.epsilon)).output(
                        scale: scale, shift: shift)
                    return zip(outputs, gradients).reduce(0) { $0 + $1.0 * $1.1 }
                }
                let magnitude = gradients.reduce(1e-3) { $0 + abs($1) }, h = 1e-4
                let byScale = (loss(values, scale + h, shift) - loss(values, scale - h, shift)) / (2 * h)
                let byShift = (loss(values, scale, shift + h) - loss(values, scale, shift - h)) / (2 * h)
                #expect(abs(Double(state.scaleGradient[channel]) - byScale) < 2e-5 * magnitude, comment)
                #expect(abs(Double(state.shiftGradient[channel]) - byShift) < 1e-6 * magnitude, comment)
                for _ in 0 ..< 4 {
                    let index = generator.index(below: values.count)
                    var up = values, down = values
                    up[index] += h
                    down[index] -= h
                    let expected = (loss(up, scale, shift) - loss(down, scale, shift)) / (2 * h)
                    let start = before[(index / pixels * batch.shape.channels + channel) * pixels + index % pixels]
                    let actual = channelValues(dx, channel)[index] - start
                    #expect(abs(actual - expected) < 2e-5 * magnitude, comment)
                }
            }
            #expect(dx.idleLanesAreZero && dx.gapsAreUntouched, comment)
        }
    }

    @Test func bitsDoNotDependOnChannelRanges() {
        forEachCase("bitsDoNotDependOnChannelRanges", count: 20) { kernels, generator, comment in
            let batch = Batch(&generator)
            let x = batch.blocks(.activation, &generator)
            let whole = Normalization(channels: batch.shape.channels, generator: &generator)
            let parts = Normalization(channels: batch.shape.channels, generator: &generator)
            whole.call(batch.images, bounds: .none, from: 0) {
                kernels.normalization_statistics(x.extent(), $0, x.view())
            }
            x.forChannelRanges(&generator) { channel, extent in
                parts.call(batch.images, bounds: .none, from: channel) {
                    kernels.normalization_statistics(extent, $0, x.view(channel: channel))
                }
            }
            #expect(whole.mean == parts.mean && whole.inverseDeviation == parts.inverseDeviation, comment)
        }
    }
}
