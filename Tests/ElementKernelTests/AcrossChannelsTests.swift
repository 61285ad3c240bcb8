import CGossamerKernels
import Foundation
import GossamerTensors
import Testing

/// Layers in which the channels of a pixel meet.
@Suite struct AcrossChannelsTests {
    /// Draws more channels than other tests do, as windows reach over them, and now and then many pixels.
    private func batch(_ generator: inout SeededGenerator) -> Batch {
        let batch = Batch(&generator)
        var shape = batch.shape
        shape.channels = 1 + generator.index(below: 20)
        return Batch(like: batch, shape: shape)
    }

    private func response(_ generator: inout SeededGenerator) -> gsm_response {
        gsm_response(
            size: Int32(1 + 2 * generator.index(below: 5)), factor: generator.uniform(),
            beta: [0.75, 0.5, 1.25][generator.index(below: 3)], bias: 0.5 + generator.uniform())
    }

    @Test func responseNormalization() {
        forEachCase("responseNormalization") { kernels, generator, comment in
            let batch = batch(&generator), response = response(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            withUnsafePointer(to: response) { response in
                withWorkspace(kernels.response_workspace(Int32(batch.shape.channels), response.pointee.size)) { space in
                    x.forRowRanges(&generator) { row, extent in
                        kernels.response_normalize(extent, response, x.view(row: row), y.view(row: row), space)
                    }
                }
            }
            #expect(relativeError(y.values, normalized(x.values, response, batch)) < 1e-6, comment)
            #expect(y.idleLanesAreFinite && y.gapsAreUntouched, comment)
        }
    }

    /// Central differences, in double, of the loss sum(dy * y).
    @Test func responseGradient() {
        forEachCase("responseGradient") { kernels, generator, comment in
            let batch = batch(&generator), response = response(&generator)
            let x = batch.blocks(.activation, &generator)
            let dy = batch.blocks(.gradient, &generator), dx = batch.blocks(.gradient, &generator)
            let accumulate = generator.index(below: 2) == 0, before = accumulate ? dx.values : dx.values.map { _ in 0 }
            withUnsafePointer(to: response) { response in
                withWorkspace(kernels.response_workspace(Int32(batch.shape.channels), response.pointee.size)) { space in
                    x.forRowRanges(&generator) { row, extent in
                        kernels.response_gradient(
                            extent, response, x.view(row: row), dy.view(row: row), dx.view(row: row), accumulate, space)
                    }
                }
            }
            let gradients = dy.values, values = x.values, after = dx.values
            let loss = { (x: [Double]) in
                zip(normalized(x, response, batch), gradients).reduce(0) { $0 + $1.0 * $1.1 }
            }
            expectDifferences(of: loss, at: values, zip(after, before).map(-), &generator, comment)
            #expect(dx.idleLanesAreZero && dx.gapsAreUntouched, comment)
        }
    }

    @Test func softmax() {
        forEachCase("softmax") { kernels, generator, comment in
            let batch = batch(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            // Far apart, so that exponentials underflow.
            for index in 0 ..< x.buffer.count where x.buffer[index] != Blocks.sentinel { x.buffer[index] *= 60 }
            x.forRowRanges(&generator) { kernels.softmax($1, x.view(row: $0), y.view(row: $0)) }
            let expected = softmax(x.values, batch)
            #expect(zip(y.values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, comment)
            #expect(y.idleLanesAreFinite && y.gapsAreUntouched, comment)
        }
    }

    @Test func softmaxGradient() {
        forEachCase("softmaxGradient") { kernels, generator, comment in
            let batch = batch(&generator)
            let x = batch.blocks(.activation, &generator), y = batch.blocks(.activation, &generator)
            let dy = batch.blocks(.gradient, &generator), dx = batch.blocks(.gradient, &generator)
            let accumulate = generator.index(below: 2) == 0, before = accumulate ? dx.values : dx.values.map { _ in 0 }
            kernels.softmax(x.extent(), x.view(), y.view())
            y.forRowRanges(&generator) { row, extent in
                kernels.softmax_gradient(
                    extent, y.view(row: row), dy.view(row: row), dx.view(row: row), accumulate)
            }
            let gradients = dy.values
            let loss = { (x: [Double]) in zip(softmax(x, batch), gradients).reduce(0) { $0 + $1.0 * $1.1 } }
            expectDifferences(of: loss, at: x.values, zip(dx.values, before).map(-), &generator, comment)
            #expect(dx.idleLanesAreZero && dx.gapsAreUntouched, comment)
        }
    }

    private func normalized(_ x: [Double], _ response: gsm_response, _ batch: Batch) -> [Double] {
        let pixels = batch.shape.height * batch.shape.width, channels = batch.shape.channels
        let half = Int(response.size) / 2
        return x.indices.map { index in
            let channel = index / pixels % channels
            let squares = (max(0, channel - half) ... min(channels - 1, channel + half)).map { other in
                let value = x[index + (other - channel) * pixels]
                return value * value
            }
            let divisor = Double(response.bias) + Double(response.factor) * squares.reduce(0, +)
            return x[index] * pow(divisor, -Double(response.beta))
        }
    }

    private func softmax(_ x: [Double], _ batch: Batch) -> [Double] {
        let pixels = batch.shape.height * batch.shape.width, channels = batch.shape.channels
        return x.indices.map { index in
            let first = index / (pixels * channels) * pixels * channels + index % pixels
            let values = (0 ..< channels).map { x[first + $0 * pixels] }
            let largest = values.max()!
            return exp(x[index] - largest) / values.reduce(0) { $0 + exp($1 - largest) }
        }
    }

    private func withWorkspace(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        let workspace = AlignedBuffer<Float>(count: count)
        body(workspace.pointer)
    }
}
