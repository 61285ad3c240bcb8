import Foundation
import GossamerDatasets
import GossamerTensors
import Testing

/// Gzipped archives that are read forward.
@Suite struct StreamTests {
    private static let imagesPerArchive = 40

    /// Three archives of training images and one of test images; no image file is like another.
    private static func write(to folder: String) throws -> [String] {
        let image = [UInt8](
            try Data(
                contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                    .appending(path: "Fixtures/images/grey.png")))
        return try (0 ..< 4).map { archive in
            var tar = TarBuilder()
            for number in 0 ..< imagesPerArchive {
                // Bytes behind the end of an image mean nothing, and hardly shrink.
                let noise = Samples.randomBytes(8000, seed: UInt64(100 * archive + number))
                tar.add("\(archive == 3 ? "test" : "train")/\(["a", "b"][number % 2])/\(number).png", image + noise)
            }
            try Samples.write(Samples.gzip(tar.finished()), folder, "\(archive).tar.gz")
            return "\(folder)/\(archive).tar.gz"
        }
    }

    private func opened(_ files: [String]) throws -> (images: LabelledImages, loader: BatchLoader) {
        let images = try Dataset.open(.tar(files: files), cacheByteLimit: 0, bufferedImages: 8).train
        let loader = BatchLoader(
            images: images, input: Shape(channels: 1, height: 8, width: 8),
            preprocessing: Preprocessing(normalization: Normalization(identityOf: 1)), batchSize: 1, seed: 3)
        return (images, loader)
    }

    private func order(_ loader: BatchLoader, epoch: Int, fromStep step: Int = 0) throws -> [Int] {
        loader.startEpoch(epoch, fromStep: step)
        var order: [Int] = []
        while let batch = try loader.nextBatch() { order += batch.indices.map { Int($0) } }
        return order
    }

    @Test func epochsGoOnAnywhere() throws {
        try Samples.withFolder { folder in
            let (images, loader) = try opened(Self.write(to: folder))
            #expect(images.count == 3 * Self.imagesPerArchive)
            let expected = try order(loader, epoch: 1)
            #expect(expected.sorted() == Array(0 ..< images.count))
            for step in stride(from: 0, to: images.count, by: 7) {
                #expect(try order(loader, epoch: 1, fromStep: step) == Array(expected[step...]), "step \(step)")
            }
        }
    }

    /// Where an epoch goes on with an image of an archive that has just begun, and then with one that was left of the
    /// archive before, the new one is not read to its end: its end is not even there.
    @Test func whatIsLeftOfAnArchiveDoesNotReadTheNext() throws {
        try Samples.withFolder { folder in
            let files = try Self.write(to: folder)
            let (_, loader) = try opened(files)
            func archive(_ index: Int) -> Int { index / Self.imagesPerArchive }
            /// Whether a step takes the first of many images of an archive, and the next step one of another archive.
            func isTurn(_ step: Int, _ drawn: [Int]) -> Bool {
                let own = archive(drawn[step])
                guard drawn[step] % Self.imagesPerArchive < 10, archive(drawn[step + 1]) != own else { return false }
                return drawn[step...].count { archive($0) == own } > 20
            }
            var found: (epoch: Int, step: Int, drawn: [Int])?
            for epoch in 0 ..< 10 where found == nil {
                let drawn = try order(loader, epoch: epoch)
                let turn = drawn.indices.dropLast().first { isTurn($0, drawn) }
                if let turn { found = (epoch, turn, drawn) }
            }
            let (epoch, step, drawn) = try #require(found)
            let file = files[archive(drawn[step])]
            let byteCount = try Data(contentsOf: URL(filePath: file)).count
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.truncate(atOffset: UInt64(byteCount * 2 / 3))
            try handle.close()
            loader.startEpoch(epoch, fromStep: step)
            for index in drawn[step ... step + 1] {
                guard let batch = try loader.nextBatch() else {
                    Issue.record("the epoch has ended")
                    return
                }
                let indices = batch.indices.map { Int($0) }
                #expect(indices == [index])
            }
            #expect(throws: DatasetError.self) { try order(loader, epoch: epoch) }
        }
    }
}
