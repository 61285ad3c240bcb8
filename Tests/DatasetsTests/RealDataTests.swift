import Foundation
import GossamerDatasets
import GossamerImages
import GossamerTensors
import Testing

/// Data sets that people have, in the folder that GOSSAMER_DATA names.
@Suite(.enabled(if: dataFolder != nil, "needs real data sets, see GOSSAMER_DATA"))
struct RealDataTests {
    /// Takes batches of a set, and expects them to be normalised, more or less.
    private func expectBatches(of images: LabelledImages, side: Int, _ augmentation: String) throws {
        let preprocessing = try Preprocessing(measuring: images)
        let loader = BatchLoader(
            images: images, input: Shape(channels: 3, height: side, width: side), preprocessing: preprocessing,
            batchSize: 64, seed: 1, augmentation: try Augmentation(parsing: augmentation), workers: 2)
        loader.startEpoch(0)
        var sum: Float = 0, squares: Float = 0, count = 0
        for _ in 0 ..< 8 {
            guard let batch = try loader.nextBatch() else { break }
            for value in UnsafeBufferPointer(start: batch.images, count: batch.layout.count(images: 64)) {
                (sum, squares, count) = (sum + value, squares + value * value, count + 1)
            }
        }
        #expect(count >= 8 * 64 * 3 * side * side)
        #expect(abs(sum / Float(count)) < 0.2 && abs(squares / Float(count) - 1) < 0.3)
    }

    /// Too large for the cache that is allowed, and read where the images lie.
    @Test func imagenette() throws {
        let set = try Dataset.open(.tar(files: ["\(dataFolder!)/imagenette-128.tar"]), cacheByteLimit: 1 << 24)
        #expect(set.train.count == 9469 && set.test.count == 3925 && set.classNames.count == 10)
        #expect(set.shape == Shape(channels: 3, height: 128, width: 128))
        try expectBatches(of: set.train, side: 96, "resized-crop=0.25:1,flip")
    }

    /// Streamed, as if it were too large for memory.
    @Test func cifar10() throws {
        let set = try Dataset.open(.tar(files: ["\(dataFolder!)/cifar10-jpeg.tar.gz"]), cacheByteLimit: 1 << 24)
        #expect(set.train.count == 50_000 && set.test.count == 10_000)
        #expect(set.classNames == CIFAR10.classNames && set.shape == CIFAR10.shape)
        try expectBatches(of: set.train, side: 24, "crop,flip")
    }
}

private let dataFolder = ProcessInfo.processInfo.environment["GOSSAMER_DATA"]
