import CGossamerKernels
import Foundation
import GossamerTensors
import Testing

@Suite struct ActivationTests {
    private static let kinds = [GSM_SIGMOID, GSM_HARD_SIGMOID, GSM_SWISH, GSM_HARD_SWISH, GSM_LEAKY_RELU]

    private func draw(_ generator: inout SeededGenerator) -> gsm_activation {
        gsm_activation(kind: Self.kinds[generator.index(below: Self.kinds.count)], slope: generator.uniform())
    }

    private func value(_ activation: gsm_activation, _ x: Double) -> Double {
        let hard = min(max(x / 6 + 0.5, 0), 1)
        return switch activation.kind {
        case GSM_SIGMOID: 1 / (1 + exp(-x))
        case GSM_HARD_SIGMOID: hard
        case GSM_SWISH: x / (1 + exp(-x))
        case GSM_HARD_SWISH: x * hard
        default: x > 0 ? x : Double(activation.slope) * x
        }
    }

    /// Away from the places without a derivative.
    private func scaled(_ blocks: Blocks) {
        for image in 0 ..< blocks.images {
            for offset in blocks.offsets(image: image) {
                let value = blocks.buffer[offset] * 4
                blocks.buffer[offset] = [-3, 0, 3].contains { abs(value - $0) < 1e-2 } ? 1 : value
            }
        }
    }

    @Test func forward() {
        forEachCase("activationForward", count: 60) { kernels, generator, comment in
            let batch = Batch(&generator), activation = draw(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            scaled(x)
            let expected = x.values.map { value(activation, $0) }
            x.forChannelRanges(&generator) {
                kernels.activate($1, activation, x.view(channel: $0), y.view(channel: $0))
            }
            #expect(zip(y.values, expected).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }, comment)
            #expect(y.idleLanesAreFinite && y.gapsAreUntouched, comment)
        }
    }

    @Test func backward() {
        forEachCase("activationBackward", count: 60) { kernels, generator, comment in
            let batch = Batch(&generator), activation = draw(&generator)
            let x = batch.blocks(.activation, &generator)
            let dy = batch.blocks(.gradient, &generator), dx = batch.blocks(.gradient, &generator)
            scaled(x)
            let accumulate = generator.index(below: 2) == 0, before = accumulate ? dx.values : dx.values.map { _ in 0 }
            kernels.activation_gradient(x.extent(), activation, x.view(), dy.view(), dx.view(), accumulate)
            let gradients = dy.values
            let loss = { (x: [Double]) in zip(x, gradients).reduce(0) { $0 + value(activation, $1.0) * $1.1 } }
            expectDifferences(of: loss, at: x.values, zip(dx.values, before).map(-), &generator, comment)
            #expect(dx.idleLanesAreZero && dx.gapsAreUntouched, comment)
        }
    }

    /// Exponentials that overflow or vanish leave the limits, and NaN stays.
    @Test func extremes() {
        forEachCase("activationExtremes", count: 5) { kernels, generator, comment in
            let shape = Shape(channels: 1, height: 1, width: 6)
            let x = Blocks(shape: shape, lanes: 1, images: 1, role: .activation, generator: &generator)
            for (column, value) in [-1e30, -200, -90, 90, 1e30, .nan].enumerated() { x[0, 0, 0, column] = value }
            kernels.activate(x.extent(), gsm_activation(kind: GSM_SIGMOID, slope: 0), x.view(), x.view())
            let y = x.values
            #expect(y[0] == 0 && y[1] == 0 && y[2] < 1e-38 && y[3] == 1 && y[4] == 1 && y[5].isNaN, comment)
        }
    }

    @Test func products() {
        forEachCase("products", count: 60) { kernels, generator, comment in
            let batch = Batch(&generator), onePixel = generator.index(below: 2) == 0
            let pixel = Batch(like: batch, shape: Shape(channels: batch.shape.channels, height: 1, width: 1))
            let a = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            let b = (onePixel ? pixel : batch).blocks(.activation, &generator)
            let accumulate = generator.index(below: 2) == 0
            let area = a.values.count / b.values.count
            let expected = a.values.indices.map {
                a.values[$0] * b.values[$0 / area] + (accumulate ? y.values[$0] : 0)
            }
            a.forChannelRanges(&generator) {
                kernels.multiply(
                    $1, a.view(channel: $0), b.view(channel: $0), y.view(channel: $0), onePixel, accumulate)
            }
            #expect(relativeError(y.values, expected) < 1e-6, comment)
            #expect(y.idleLanesAreFinite && y.gapsAreUntouched, comment)
        }
    }

    @Test func sumsOfProducts() {
        forEachCase("sumsOfProducts") { kernels, generator, comment in
            let batch = Batch(&generator)
            let pixel = Batch(like: batch, shape: Shape(channels: batch.shape.channels, height: 1, width: 1))
            let a = batch.blocks(.gradient, &generator), b = batch.blocks(.activation, &generator)
            let y = pixel.blocks(.gradient, &generator)
            let accumulate = generator.index(below: 2) == 0
            let area = batch.shape.height * batch.shape.width
            let products = zip(a.values, b.values).map(*), before = y.values
            let expected = before.indices.map { index in
                products[index * area ..< (index + 1) * area].reduce(accumulate ? before[index] : 0, +)
            }
            a.forChannelRanges(&generator) {
                kernels.sum_products($1, a.view(channel: $0), b.view(channel: $0), y.view(channel: $0), accumulate)
            }
            #expect(zip(y.values, expected).allSatisfy { abs($0 - $1) < 1e-4 }, comment)
            #expect(y.idleLanesAreZero && y.gapsAreUntouched, comment)
        }
    }
}
