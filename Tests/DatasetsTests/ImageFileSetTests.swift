import Foundation
import GossamerDatasets
import GossamerImages
import GossamerTensors
import Testing

/// Data sets of image files: folders and tar archives, in memory and not.
@Suite struct ImageFileSetTests {
    /// The images of the fixtures as a set of two classes, with a copy of all for testing.
    private static let files: [(path: String, bytes: [UInt8])] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/images")
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
        var files: [(String, [UInt8])] = []
        for part in ["test", "train"] {
            for (kind, ending) in [("photo", ".jpg"), ("drawing", ".png")] {
                for name in names where name.hasSuffix(ending) {
                    let bytes = [UInt8](try! Data(contentsOf: folder.appending(path: name)))
                    // Enough of them for a buffer to be smaller.
                    let copies = part == "train" ? 5 : 1
                    for copy in 0 ..< copies { files.append(("set/\(part)/\(kind)/\(copy)-\(name)", bytes)) }
                }
            }
        }
        return files
    }()

    private static let archive: [UInt8] = {
        var tar = TarBuilder()
        tar.add("set/", type: "5")
        tar.add("set/README", [1, 2, 3])
        for file in files { tar.add(file.path, file.bytes) }
        tar.add("set/train/photo/.hidden.jpg", [1])
        return tar.finished()
    }()

    /// A set in its forms, and whether its images are decoded in advance.
    private static func forms(_ folder: String) throws -> [(name: String, source: String, cache: Int)] {
        try Samples.write(archive, folder, "set.tar")
        try Samples.write(Samples.gzip(archive), folder, "set.tar.gz")
        for file in files {
            let url = URL(filePath: "\(folder)/\(file.path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.bytes).write(to: url)
        }
        let sources = ["tar:\(folder)/set.tar", "tar:\(folder)/set.tar.gz", "folder:\(folder)/set"]
        return sources.flatMap { [("\($0) in memory", $0, 1 << 24), ("\($0) in files", $0, 0)] }
    }

    private static let input = Shape(channels: 3, height: 16, width: 16)
    private static let augmentation = try! Augmentation(
        parsing: "resized-crop=0.3:1,flip,brightness=0.2,contrast=0.5:1.5,saturation=0.5:1.5")

    private func loader(
        _ images: LabelledImages, shuffle: Bool = true, workers: Int = 1, batchSize: Int = 8
    ) throws -> BatchLoader {
        let preprocessing = try Preprocessing(measuring: images)
        return BatchLoader(
            images: images, input: Self.input, preprocessing: preprocessing, batchSize: batchSize, seed: 3,
            shuffle: shuffle, augmentation: shuffle ? Self.augmentation : .none, workers: workers)
    }

    /// Activations and labels of an epoch, and the order of its images.
    private func epoch(
        _ loader: BatchLoader, _ epoch: Int, fromStep step: Int = 0
    ) throws -> (bits: [[UInt32]], order: [Int32], labels: [Int32]) {
        loader.startEpoch(epoch, fromStep: step)
        var result: (bits: [[UInt32]], order: [Int32], labels: [Int32]) = ([], [], [])
        while let batch = try loader.nextBatch() {
            let count = loader.layout.count(images: batch.count)
            result.bits.append(UnsafeBufferPointer(start: batch.images, count: count).map(\.bitPattern))
            result.order += batch.indices
            result.labels += batch.labels
        }
        return result
    }

    @Test func pathsGiveClassesAndParts() throws {
        try Samples.withFolder { folder in
            for form in try Self.forms(folder) {
                let set = try Dataset.open(.parse(form.source), cacheByteLimit: form.cache)
                #expect(set.classNames == ["drawing", "photo"], "\(form.name)")
                #expect(set.train.count == 55 && set.test.count == 11 && set.validation == nil)
                #expect(set.train.labels == [Int32](repeating: 0, count: 30) + [Int32](repeating: 1, count: 25)
                    || set.train.labels == [Int32](repeating: 1, count: 25) + [Int32](repeating: 0, count: 30))
                #expect(set.channels == 3 && set.shape == nil)
            }
        }
    }

    /// Where images lie changes nothing; only a stream has another order.
    @Test func allFormsGiveTheSameImages() throws {
        try Samples.withFolder { folder in
            for part in ["train", "test"] {
                var expected: [[UInt32]: Int32]?
                for form in try Self.forms(folder) {
                    let set = try Dataset.open(.parse(form.source), cacheByteLimit: form.cache)
                    let loader = try loader(part == "train" ? set.train : set.test, shuffle: false, batchSize: 1)
                    let result = try epoch(loader, 0)
                    let images = Dictionary(zip(result.bits, result.labels)) { first, _ in first }
                    #expect(images == expected ?? images, "\(form.name), \(part)")
                    expected = images
                }
            }
        }
    }

    @Test func epochsFollowFromTheSeedAlone() throws {
        try Samples.withFolder { folder in
            for form in try Self.forms(folder) {
                let set = try Dataset.open(.parse(form.source), cacheByteLimit: form.cache)
                let expected = try epoch(loader(set.train), 2)
                #expect(expected.order.sorted() == (0 ..< 55).map { Int32($0) })
                #expect(expected.labels == expected.order.map { set.train.labels[Int($0)] })
                for workers in 1 ... 3 {
                    let loader = try loader(set.train, workers: workers)
                    #expect(try epoch(loader, 1).order != expected.order, "\(form.name)")
                    #expect(try epoch(loader, 2).bits == expected.bits, "\(form.name), \(workers) workers")
                    for step in [0, 1, 4, 7] {
                        let rest = try epoch(loader, 2, fromStep: step)
                        #expect(rest.bits == Array(expected.bits[step...]), "\(form.name), from step \(step)")
                    }
                }
            }
        }
    }

    @Test func severalArchivesAreOneSet() throws {
        try Samples.withFolder { folder in
            for number in 0 ..< 4 {
                var tar = TarBuilder()
                for file in Self.files.enumerated() where file.offset % 4 == number {
                    tar.add(file.element.path, file.element.bytes)
                }
                try Samples.write(Samples.gzip(tar.finished()), folder, "\(number).tar.gz")
            }
            let files = (0 ..< 4).map { "\(folder)/\($0).tar.gz" }.joined(separator: ",")
            for source in ["tar:\(folder)", "tar:\(files)"] {
                let set = try Dataset.open(.parse(source), cacheByteLimit: 0)
                #expect(set.train.count == 55 && set.test.count == 11)
                let loader = try loader(set.train, workers: 2)
                let first = try epoch(loader, 0)
                #expect(first.order.sorted() == (0 ..< 55).map { Int32($0) })
                #expect(try epoch(loader, 0, fromStep: 3).bits == Array(first.bits[3...]))
            }
        }
    }

    @Test func withoutPartsATenthIsTestedOn() throws {
        let grey = try #require(Self.files.first { $0.path.hasSuffix("grey.png") }).bytes
        try Samples.withFolder { folder in
            var tar = TarBuilder()
            for number in 0 ..< 25 { tar.add("\(["a", "b"][number % 2])/\(number).png", grey) }
            try Samples.write(tar.finished(), folder, "set.tar")
            let set = try Dataset.open(.tar(files: ["\(folder)/set.tar"]))
            #expect(set.train.count == 23 && set.test.count == 2)
            #expect(set.test.labels == [0, 1])
            #expect(set.channels == 1 && set.shape == Shape(channels: 1, height: 19, width: 21))
        }
    }

    @Test func threePartsHaveAValidationSet() throws {
        let grey = try #require(Self.files.first { $0.path.hasSuffix("grey.png") }).bytes
        try Samples.withFolder { folder in
            var tar = TarBuilder()
            for part in ["train", "val", "test", "val"] { tar.add("\(part)/a/1.png", grey) }
            try Samples.write(tar.finished(), folder, "set.tar")
            let set = try Dataset.open(.tar(files: ["\(folder)/set.tar"]))
            #expect(set.train.count == 1 && set.test.count == 1 && set.validation?.count == 2)
        }
    }

    /// A damaged image is named, at once or when its batch is due.
    @Test func damagedImagesAreNamed() throws {
        try Samples.withFolder { folder in
            var tar = TarBuilder()
            for file in Self.files { tar.add(file.path, file.bytes) }
            let photo = try #require(Self.files.first { $0.path.hasSuffix("baseline-420.jpg") }).bytes
            tar.add("set/train/photo/cut.jpg", Array(photo.dropLast(300)))
            for (name, bytes) in [("set.tar", tar.finished()), ("set.tar.gz", Samples.gzip(tar.finished()))] {
                try Samples.write(bytes, folder, name)
                for cache in [0, 1 << 24] {
                    let error = #expect(throws: DatasetError.self, "\(name), cache \(cache)") {
                        let set = try Dataset.open(.tar(files: ["\(folder)/\(name)"]), cacheByteLimit: cache)
                        _ = try epoch(loader(set.train, workers: 2), 0)
                    }
                    let start = "\(folder)/\(name): set/train/photo/cut.jpg: damaged JPEG"
                    #expect(error?.description.hasPrefix(start) == true)
                }
            }
        }
    }

    /// Sizes that 32 bits do not hold: in the header of an archive, and of a file that is one hole.
    @Test func filesOfGigabytesAreNamed() throws {
        try Samples.withFolder { folder in
            let byteCount = 3 << 30
            func grow(_ file: String) throws {
                let handle = try #require(FileHandle(forWritingAtPath: "\(folder)/\(file)"))
                try handle.truncate(atOffset: UInt64(byteCount + 4096))
                try handle.close()
            }
            var tar = TarBuilder()
            tar.add("train/a/1.jpg", size: Array("30000000000\0".utf8))
            try Samples.write(tar.bytes, folder, "set.tar")
            try grow("set.tar")
            // Compressed, an archive can be a thousand times as large as its file.
            let noise = Samples.randomBytes(byteCount / 1000, seed: 1)
            try Samples.write(Samples.gzip(tar.bytes + noise), folder, "set.tar.gz")
            try FileManager.default.createDirectory(
                atPath: "\(folder)/set/train/a", withIntermediateDirectories: true)
            try Samples.write([], folder, "set/train/a/1.jpg")
            try grow("set/train/a/1.jpg")
            for (source, count) in [
                ("tar:\(folder)/set.tar", byteCount), ("tar:\(folder)/set.tar.gz", byteCount),
                ("folder:\(folder)/set", byteCount + 4096),
            ] {
                let error = #expect(throws: DatasetError.self, "\(source)") { try Dataset.open(.parse(source)) }
                let text = try #require(error).description
                #expect(text.contains("train/a/1.jpg: size is \(count), expected at most 67108864 bytes"), "\(text)")
            }
        }
    }

    @Test func whatIsMissingIsNamed() throws {
        try Samples.withFolder { folder in
            var tar = TarBuilder()
            tar.add("README.jpg", [1])
            tar.add("a/text.txt", [1])
            try Samples.write(tar.finished(), folder, "none.tar")
            try Samples.write([1, 2, 3], folder, "short.tar")
            for (source, text) in [
                ("tar:\(folder)/none.tar", "training images"),
                ("tar:\(folder)/short.tar", "short.tar: header at byte 0"),
                ("tar:\(folder)/nowhere.tar", "nowhere.tar"), ("folder:\(folder)/nowhere", "nowhere"),
                ("folder:\(folder)", "training images"), ("cifar10:\(folder)", "data_batch_1.bin"),
            ] {
                let error = #expect(throws: DatasetError.self, "\(source)") { try Dataset.open(.parse(source)) }
                #expect(error?.description.contains(text) == true, "\(String(describing: error))")
            }
        }
    }
}
