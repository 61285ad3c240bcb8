import GossamerTensors

/// Reads the binary format of CIFAR-10: records of one byte of label and 3 x 32 x 32 bytes of pixels, without a header.
/// Plain or in gzip, told apart by the first bytes (a label is below 10).
public enum CIFAR10 {
    public static let shape = Shape(channels: 3, height: 32, width: 32)
    public static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]
    /// The most records of a file that are accepted.
    public static let maximumRecordCount = 1 << 18

    private static let recordByteCount = 1 + shape.count

    /// Images, from the bytes of a file.
    ///
    /// - Parameter name: what error messages call the file.
    public static func images(bytes: [UInt8], name: String) throws(DatasetError) -> LabelledImages {
        var (pixels, labels): ([UInt8], [Int32]) = ([], [])
        try read(ByteReader(name: name, bytes: bytes), &pixels, &labels)
        return LabelledImages(name: name, shape: shape, pixels: pixels, labels: labels, classNames: classNames)
    }

    /// Adds the records of a file, of which there is at least one.
    private static func read(
        _ reader: ByteReader, _ pixels: inout [UInt8], _ labels: inout [Int32]
    ) throws(DatasetError) {
        var count = 0
        repeat {
            guard count < maximumRecordCount else {
                throw .invalidField(
                    file: reader.name, field: "number of records", found: "more than \(maximumRecordCount)",
                    expected: "at most \(maximumRecordCount)")
            }
            let record = try reader.bytes(recordByteCount, field: "record \(count)")
            guard record[0] < classNames.count else {
                throw .labelOutOfRange(
                    file: reader.name, index: count, label: Int(record[0]), classCount: classNames.count)
            }
            labels.append(Int32(record[0]))
            pixels += record.dropFirst()
            count += 1
        } while try !reader.isAtEnd()
        try reader.expectEnd(after: "record \(count - 1)")
    }

    /// The folder of the archive's six files, or the folder that holds it.
    static func dataset(directory: String) throws(DatasetError) -> Dataset {
        let train = (1 ... 5).map { "data_batch_\($0).bin" }
        let base = directory + (directory.hasSuffix("/") ? "" : "/")
        let inner = base + "cifar-10-batches-bin/"
        let folder = try open(inner + train[0]) == nil ? base : inner
        return Dataset(
            train: try images(files: train.map { folder + $0 }, name: "cifar10 training"),
            test: try images(files: [folder + "test_batch.bin"], name: "cifar10 test"))
    }

    private static func images(files: [String], name: String) throws(DatasetError) -> LabelledImages {
        var (pixels, labels): ([UInt8], [Int32]) = ([], [])
        for file in files {
            guard let reader = try open(file) else { throw .fileMissing(file: file) }
            try read(reader, &pixels, &labels)
        }
        return LabelledImages(name: name, shape: shape, pixels: pixels, labels: labels, classNames: classNames)
    }

    /// The file, plain or with .gz; nil where there is neither.
    private static func open(_ file: String) throws(DatasetError) -> ByteReader? {
        for candidate in [file, file + ".gz"] {
            if let reader = try ByteReader.open(file: candidate) { return reader }
        }
        return nil
    }
}
