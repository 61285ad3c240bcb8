import Foundation
import GossamerDatasets
import GossamerImages
import GossamerTensors
import Testing

@Suite struct NormalizationTests {
    @Test func normalizedChannelsHaveMeanZeroAndDeviationOne() throws {
        let shape = Shape(channels: 3, height: 5, width: 4)
        let images = Samples.images(count: 50, shape: shape)
        let normalization = try Normalization(measuring: images)
        let layout = ActivationLayout(shape: shape, lanes: 16)
        let writer = ImageWriter(layout: layout, normalization: normalization)
        let activations = AlignedBuffer<Float>(count: layout.count(images: images.count))
        images.pixels.withUnsafeBufferPointer { pixels in
            for image in 0 ..< images.count {
                writer.write(pixels.baseAddress! + image * shape.count, at: image, of: activations.pointer)
            }
        }
        for channel in 0 ..< shape.channels {
            var sum = 0.0, squares = 0.0
            for image in 0 ..< images.count {
                for row in 0 ..< shape.height {
                    for column in 0 ..< shape.width {
                        let offset = layout.offset(image: image, channel: channel, row: row, column: column)
                        sum += Double(activations[offset])
                        squares += Double(activations[offset]) * Double(activations[offset])
                    }
                }
            }
            let count = Double(images.count * shape.height * shape.width)
            #expect(abs(sum / count) < 1e-5)
            #expect(abs((squares / count).squareRoot() - 1) < 1e-5)
        }
    }

    @Test func constantChannelIsOnlyShifted() throws {
        let images = LabelledImages(
            name: "grey", shape: Shape(channels: 2, height: 1, width: 2), pixels: [51, 51, 0, 255], labels: [0],
            classNames: ["grey"])
        let normalization = try Normalization(measuring: images)
        #expect(normalization.mean == [0.2, 0.5])
        #expect(normalization.standardDeviation == [1, 0.5])
    }

    @Test func isCodedWithChecks() throws {
        let normalization = Normalization(mean: [0.1, 0.2], standardDeviation: [0.3, 0.4])
        let json = try JSONEncoder().encode(normalization)
        #expect(try JSONDecoder().decode(Normalization.self, from: json) == normalization)
        for bad in [
            #"{"mean": [0.1], "standardDeviation": [0]}"#, #"{"mean": [], "standardDeviation": []}"#,
            #"{"mean": [0.1, 0.2], "standardDeviation": [1]}"#, #"{"mean": [0.1], "standardDeviation": [-1]}"#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(Normalization.self, from: Data(bad.utf8))
            }
        }
    }
}
