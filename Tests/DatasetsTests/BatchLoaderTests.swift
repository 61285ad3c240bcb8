import Foundation
import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct BatchLoaderTests {
    private static let shape = Shape(channels: 2, height: 7, width: 5)
    private static let pixels = images.pixels
    private static let images = Samples.images(count: 107, shape: shape)
    private static let preprocessing = try! Preprocessing(measuring: images)
    private static var normalization: Normalization { preprocessing.normalization }
    private static let augmentation = Augmentation(maximumShift: 2, horizontalFlip: true)

    /// What a batch holds, copied out of its buffers.
    private struct Contents: Equatable {
        var step: Int
        var activations: [UInt32]
        var labels: [Int32]
        var indices: [Int32]
    }

    private func loader(
        batchSize: Int = 24, lanes: Int = 16, seed: UInt64 = 5, shuffle: Bool = true,
        augmentation: Augmentation = .none, workers: Int = 1, prefetch: Int = 2, dropLast: Bool = false
    ) -> BatchLoader {
        BatchLoader(
            images: Self.images, input: Self.shape, preprocessing: Self.preprocessing, batchSize: batchSize,
            lanes: lanes, seed: seed, shuffle: shuffle, augmentation: augmentation, workers: workers,
            prefetch: prefetch, dropLast: dropLast)
    }

    private func contents(of loader: BatchLoader, epoch: Int, fromStep step: Int = 0) -> [Contents] {
        loader.startEpoch(epoch, fromStep: step)
        return remaining(of: loader)
    }

    private func remaining(of loader: BatchLoader) -> [Contents] {
        let size = loader.layout.count(images: loader.batchSize)
        var batches: [Contents] = []
        // Images in memory cannot fail.
        while let batch = try! loader.nextBatch() {
            let activations = UnsafeBufferPointer(start: batch.images, count: size)
            batches.append(Contents(
                step: batch.step, activations: activations.map(\.bitPattern), labels: Array(batch.labels),
                indices: Array(batch.indices)))
        }
        return batches
    }

    private func hasBatch(_ loader: BatchLoader) -> Bool {
        if try! loader.nextBatch() == nil { return false }
        return true
    }

    private func pixel(_ image: Int32, _ channel: Int, _ row: Int, _ column: Int) -> UInt8 {
        let place = ((Int(image) * Self.shape.channels + channel) * Self.shape.height + row) * Self.shape.width + column
        return Self.pixels[place]
    }

    private func normalized(_ pixel: UInt8, channel: Int) -> Float {
        (Float(pixel) / 255 - Self.normalization.mean[channel]) / Self.normalization.standardDeviation[channel]
    }

    @Test(arguments: [(16, 16), (24, 16), (7, 16), (24, 1), (1, 1), (200, 16)])
    func everyImageOccursOnceAndWhereTheLayoutSays(batchSize: Int, lanes: Int) {
        let loader = loader(batchSize: batchSize, lanes: lanes)
        let batches = contents(of: loader, epoch: 0)
        #expect(batches.count == loader.stepsPerEpoch)
        #expect(batches.map(\.step) == Array(0 ..< loader.stepsPerEpoch))
        #expect(batches.flatMap(\.indices).sorted() == (0 ..< 107).map(Int32.init))
        for batch in batches {
            #expect(batch.labels == batch.indices.map { Self.images.labels[Int($0)] })
            var expected = [UInt32](repeating: 0, count: batch.activations.count)
            for (position, image) in batch.indices.enumerated() {
                for channel in 0 ..< Self.shape.channels {
                    for row in 0 ..< Self.shape.height {
                        for column in 0 ..< Self.shape.width {
                            let offset = loader.layout.offset(
                                image: position, channel: channel, row: row, column: column)
                            let value = normalized(pixel(image, channel, row, column), channel: channel)
                            expected[offset] = value.bitPattern
                        }
                    }
                }
            }
            // Idle lanes are zero in `expected`, after a full batch has used the buffer too.
            #expect(batch.activations == expected)
        }
    }

    @Test func batchesDoNotDependOnWorkersOrPrefetch() {
        let expected = contents(of: loader(augmentation: Self.augmentation), epoch: 3)
        #expect(expected.count == 5)
        for workers in 1 ... 4 {
            for prefetch in [1, 2, 5] {
                let loader = loader(augmentation: Self.augmentation, workers: workers, prefetch: prefetch)
                _ = contents(of: loader, epoch: 1)
                #expect(contents(of: loader, epoch: 3) == expected, "\(workers) workers, prefetch \(prefetch)")
            }
        }
    }

    @Test(arguments: 1 ... 4)
    func resumesWithinAnEpoch(workers: Int) {
        let loader = loader(batchSize: 10, augmentation: Self.augmentation, workers: workers)
        let whole = contents(of: loader, epoch: 2)
        for step in 0 ... whole.count {
            #expect(contents(of: loader, epoch: 2, fromStep: step) == Array(whole[step...]), "from step \(step)")
        }
    }

    @Test(arguments: 1 ... 4)
    func anEpochCanBeLeftAtAnyStep(workers: Int) {
        let loader = loader(batchSize: 4, augmentation: Self.augmentation, workers: workers, prefetch: 3)
        let whole = contents(of: loader, epoch: 1)
        for left in 0 ..< 12 {
            loader.startEpoch(0)
            for _ in 0 ..< left { #expect(hasBatch(loader)) }
            #expect(contents(of: loader, epoch: 1) == whole, "left at step \(left)")
        }
    }

    @Test func epochsAndSeedsDiffer() {
        let orders = [(0, 5), (1, 5), (0, 6)].map { epoch, seed in
            contents(of: loader(seed: seed), epoch: epoch).flatMap(\.indices)
        }
        #expect(Set(orders).count == 3)
    }

    @Test func withoutShuffleTheOrderIsTheSets() {
        let batches = contents(of: loader(shuffle: false), epoch: 4)
        #expect(batches.flatMap(\.indices) == (0 ..< 107).map(Int32.init))
    }

    @Test func lastBatchCanBeDropped() {
        #expect(contents(of: loader(), epoch: 0).map(\.indices.count) == [24, 24, 24, 24, 11])
        #expect(contents(of: loader(dropLast: true), epoch: 0).map(\.indices.count) == [24, 24, 24, 24])
        #expect(contents(of: loader(batchSize: 200, dropLast: true), epoch: 0).isEmpty)
    }

    @Test func thereIsNoBatchBeforeAnEpochOrAfterIt() {
        let loader = loader()
        #expect(!hasBatch(loader))
        _ = contents(of: loader, epoch: 0)
        #expect(!hasBatch(loader))
    }

    @Test func anEmptySetHasNoBatches() {
        let loader = BatchLoader(
            images: Self.images.subset([]), input: Self.shape, preprocessing: Self.preprocessing, batchSize: 4, seed: 1)
        #expect(contents(of: loader, epoch: 0).isEmpty)
    }

    @Test func batchesOutliveTheLoaderAndOtherBatches() throws {
        var loader: BatchLoader? = loader(prefetch: 2)
        let expected = contents(of: loader!, epoch: 0)
        loader!.startEpoch(0)
        let size = loader!.layout.count(images: loader!.batchSize)
        guard let first = try loader!.nextBatch(), let second = try loader!.nextBatch() else {
            Issue.record("there are five batches")
            return
        }
        loader!.startEpoch(1)
        loader = nil
        #expect(UnsafeBufferPointer(start: first.images, count: size).map(\.bitPattern) == expected[0].activations)
        #expect(UnsafeBufferPointer(start: second.images, count: size).map(\.bitPattern) == expected[1].activations)
    }

    @Test func loadersEndAtAnyPoint() {
        for taken in 0 ..< 60 {
            let loader = loader(batchSize: 2, workers: 1 + taken % 4, prefetch: 3)
            if taken % 7 > 0 { loader.startEpoch(0) }
            for _ in 0 ..< taken where taken % 7 > 0 { _ = try! loader.nextBatch() }
        }
    }

    // MARK: Augmentation

    @Test func augmentedImagesAreShiftsAndMirrorings() {
        let loader = loader(augmentation: Self.augmentation)
        var seen = Set<[Int]>()
        for epoch in 0 ..< 10 {
            for batch in contents(of: loader, epoch: epoch) {
                for (position, image) in batch.indices.enumerated() {
                    let candidates = moves.filter { move in
                        shows(batch, position: position, image: image, move: move, layout: loader.layout)
                    }
                    #expect(!candidates.isEmpty, "epoch \(epoch), image \(image)")
                    seen.formUnion(candidates)
                }
            }
        }
        // All 5 x 5 x 2 of them are drawn sooner or later: 1070 draws miss one with a probability of 1e-8.
        #expect(seen.count == 50)
    }

    private var moves: [[Int]] {
        (-2 ... 2).flatMap { down in (-2 ... 2).flatMap { right in [[down, right, 0], [down, right, 1]] } }
    }

    /// Whether the image at a position of the batch is `image` moved down, right and mirrored as `move` says.
    private func shows(
        _ batch: Contents, position: Int, image: Int32, move: [Int], layout: ActivationLayout
    ) -> Bool {
        for channel in 0 ..< Self.shape.channels {
            for row in 0 ..< Self.shape.height {
                for column in 0 ..< Self.shape.width {
                    let (sourceRow, origin) = (row - move[0], column - move[1])
                    let isInside = (0 ..< Self.shape.height).contains(sourceRow)
                        && (0 ..< Self.shape.width).contains(origin)
                    let sourceColumn = move[2] == 1 ? Self.shape.width - 1 - origin : origin
                    let value = isInside ? pixel(image, channel, sourceRow, sourceColumn) : 0
                    let offset = layout.offset(image: position, channel: channel, row: row, column: column)
                    guard batch.activations[offset] == normalized(value, channel: channel).bitPattern else {
                        return false
                    }
                }
            }
        }
        return true
    }

    @Test func augmentationDiffersBetweenEpochs() {
        let loader = loader(batchSize: 107, shuffle: false, augmentation: Self.augmentation)
        #expect(contents(of: loader, epoch: 0) != contents(of: loader, epoch: 1))
    }
}
