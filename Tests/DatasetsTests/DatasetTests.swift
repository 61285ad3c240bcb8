import Foundation
import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct DatasetTests {
    /// Writes the four files: 6 x 5 images, 12 to train on and 4 to test on, of which some are compressed.
    private func writeFiles(
        _ folder: String, trainLabels: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1], testSizes: [Int] = [4, 6, 5]
    ) throws {
        let train = Samples.idx(sizes: [12, 6, 5], elements: Samples.randomBytes(360, seed: 1))
        let test = Samples.idx(sizes: testSizes, elements: Samples.randomBytes(testSizes.reduce(1, *), seed: 2))
        try Samples.write(Samples.gzip(train), folder, "train-images-idx3-ubyte.gz")
        try Samples.write(
            Samples.idx(sizes: [trainLabels.count], elements: trainLabels), folder, "train-labels-idx1-ubyte")
        try Samples.write(test, folder, "t10k-images-idx3-ubyte")
        try Samples.write(
            Samples.gzip(Samples.idx(sizes: [4], elements: [9, 0, 3, 3])), folder, "t10k-labels-idx1-ubyte.gz")
    }

    @Test func readsAFolderInMNISTsNaming() throws {
        try Samples.withFolder { folder in
            try writeFiles(folder)
            let dataset = try Dataset.open(.parse("mnist:\(folder)"))
            #expect(dataset.shape == Shape(channels: 1, height: 6, width: 5))
            #expect(dataset.classNames == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
            #expect(dataset.train.labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
            #expect(dataset.test.labels == [9, 0, 3, 3])
            #expect(dataset.train.pixels == Samples.randomBytes(360, seed: 1))
            #expect(dataset.test.pixels == Samples.randomBytes(120, seed: 2))
        }
    }

    @Test func classesMayBePutInAnotherOrder() throws {
        let images = Samples.images(count: 30, shape: Shape(channels: 1, height: 2, width: 2), classCount: 3)
        let other = try #require(images.withClasses(inOrder: ["class 2", "class 0", "class 1"]))
        #expect(other.classNames == ["class 2", "class 0", "class 1"])
        #expect(other.labels == images.labels.map { ($0 + 1) % 3 })
        #expect(other.pixels == images.pixels)
        for names in [
            [], ["class 0", "class 1"], ["class 0", "class 1", "class 1"], ["class 0", "class 1", "class 3"],
            ["class 0", "class 1", "class 2", "class 2"],
        ] {
            let isRefused = images.withClasses(inOrder: names) == nil
            #expect(isRefused, "\(names)")
        }
    }

    @Test func labelOutOfRangeNamesTheImage() throws {
        try Samples.withFolder { folder in
            try writeFiles(folder, trainLabels: [0, 1, 2, 3, 10, 5, 6, 7, 8, 9, 0, 1])
            #expect(throws: DatasetError.labelOutOfRange(
                file: "\(folder)/train-labels-idx1-ubyte", index: 4, label: 10, classCount: 10)
            ) {
                try Dataset.open(.mnist(directory: folder))
            }
        }
    }

    @Test func countsOfImagesAndLabelsMustAgree() throws {
        try Samples.withFolder { folder in
            try writeFiles(folder, trainLabels: [0, 1, 2])
            #expect(throws: DatasetError.invalidField(
                file: "\(folder)/train-images-idx3-ubyte.gz", field: "number of images", found: "12",
                expected: "3 as in the file of labels")
            ) {
                try Dataset.open(.mnist(directory: folder))
            }
        }
    }

    @Test func testImagesMustHaveTheSizeOfTheTrainingImages() throws {
        try Samples.withFolder { folder in
            try writeFiles(folder, testSizes: [4, 5, 6])
            #expect(throws: DatasetError.invalidField(
                file: "\(folder)/t10k-images-idx3-ubyte", field: "image size", found: "1 x 5 x 6",
                expected: "1 x 6 x 5 as in the training images")
            ) {
                try Dataset.open(.mnist(directory: folder))
            }
        }
    }

    @Test func missingFilesAreNamed() throws {
        try Samples.withFolder { folder in
            #expect(throws: DatasetError.fileMissing(file: "\(folder)/train-labels-idx1-ubyte")) {
                try Dataset.open(.mnist(directory: "\(folder)/"))
            }
            #expect(throws: DatasetError.packageMissing(
                source: "fashion-mnist", package: "dataset-fashion-mnist", directory: folder)
            ) {
                try Dataset.fashionMNIST(directory: folder)
            }
        }
    }

    // MARK: Sources

    @Test(arguments: ["fashion-mnist", "mnist:digits", "mnist:/a/b:c", "mnist:."])
    func sourcesAreWrittenAsTheyAreRead(text: String) throws {
        let source = try DataSource.parse(text)
        #expect(source.description == text)
        #expect(try JSONDecoder().decode([DataSource].self, from: JSONEncoder().encode([source])) == [source])
    }

    @Test(arguments: [
        ("fashion_mnist", "fashion-mnist"), ("fashion-mnst", "fashion-mnist"), ("MNIST:digits", "mnist"),
        ("minst:digits", "mnist"), ("imagenet", nil), ("", nil), (String(repeating: "m", count: 1 << 20), nil),
    ])
    func unknownSourceSuggestsTheNearest(text: String, nearest: String?) {
        #expect(throws: DatasetError.unknownSource(text, nearest: nearest)) { try DataSource.parse(text) }
    }

    @Test(arguments: ["mnist", "mnist:", "fashion-mnist:folder"])
    func incompleteSourceIsReported(text: String) {
        #expect(throws: DatasetError.self) { try DataSource.parse(text) }
    }

    // MARK: Fashion-MNIST

    private static let isInstalled = FileManager.default.fileExists(atPath: Dataset.fashionMNISTDirectory)

    @Test(.enabled(if: isInstalled, "the package dataset-fashion-mnist is not installed"))
    func fashionMNISTHasItsKnownStatistics() throws {
        let dataset = try Dataset.open(.fashionMNIST)
        #expect(dataset.train.count == 60_000 && dataset.test.count == 10_000)
        #expect(dataset.shape == Shape(channels: 1, height: 28, width: 28))
        for label in 0 ..< Int32(10) {
            #expect(dataset.train.labels.count { $0 == label } == 6_000)
            #expect(dataset.test.labels.count { $0 == label } == 1_000)
        }
        #expect(dataset.classNames[Int(dataset.train.labels[0])] == "Ankle boot")
        let normalization = try Normalization(measuring: dataset.train)
        #expect(abs(normalization.mean[0] - 0.2860) < 0.0001)
        #expect(abs(normalization.standardDeviation[0] - 0.3530) < 0.0001)
    }
}
