import GossamerTensors

/// A folder with the four files of MNIST, each plain or with .gz.
struct MNISTFiles {
    let directory: String
    /// Of the data set.
    let name: String
    let classNames: [String]

    func read() throws(DatasetError) -> Dataset {
        let train = try readPart(prefix: "train", part: "train")
        let test = try readPart(prefix: "t10k", part: "test")
        let (size, testSize) = (train.shape!, test.shape!)
        guard size == testSize else {
            throw .invalidField(
                file: path("t10k-images-idx3-ubyte"), field: "image size", found: "\(testSize)",
                expected: "\(size) as in the training images")
        }
        return Dataset(train: train, test: test)
    }

    private func readPart(prefix: String, part: String) throws(DatasetError) -> LabelledImages {
        // Labels come first: they are small, and tell how many images to expect.
        let labelReader = try open("\(prefix)-labels-idx1-ubyte")
        let labels = try IDX.labels(from: labelReader)
        if let index = labels.firstIndex(where: { $0 >= classNames.count }) {
            throw .labelOutOfRange(
                file: labelReader.name, index: index, label: Int(labels[index]), classCount: classNames.count)
        }
        let images = try IDX.images(from: open("\(prefix)-images-idx3-ubyte"), expectedCount: labels.count)
        return LabelledImages(
            name: "\(name) \(part)", shape: Shape(channels: 1, height: images.height, width: images.width),
            pixels: images.pixels, labels: labels.map(Int32.init), classNames: classNames)
    }

    private func open(_ file: String) throws(DatasetError) -> ByteReader {
        for candidate in [path(file), path(file) + ".gz"] {
            if let reader = try ByteReader.open(file: candidate) { return reader }
        }
        throw .fileMissing(file: path(file))
    }

    private func path(_ file: String) -> String { directory + (directory.hasSuffix("/") ? "" : "/") + file }
}
