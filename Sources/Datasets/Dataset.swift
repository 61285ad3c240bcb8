import GossamerTensors

/// Images to train on and images to test on, of the same classes.
public struct Dataset: Sendable {
    public let train: LabelledImages
    public let test: LabelledImages
    /// Images that the data set itself keeps apart from both, to choose the best epoch by; nil where it has none.
    public let validation: LabelledImages?

    /// - Precondition: all parts agree in classes and channels.
    public init(train: LabelledImages, test: LabelledImages, validation: LabelledImages? = nil) {
        for other in [test, validation ?? test] {
            precondition(train.channels == other.channels && train.classNames == other.classNames)
        }
        self.train = train
        self.test = test
        self.validation = validation
    }

    public var classNames: [String] { train.classNames }
    public var channels: Int { train.channels }
    /// The size of every image, where all have one.
    public var shape: Shape? { train.shape == test.shape ? train.shape : nil }

    /// Where Debian's package puts Fashion-MNIST.
    public static let fashionMNISTDirectory = "/usr/share/datasets/fashion-mnist"

    /// The most bytes of decoded images that are kept in memory, unless told otherwise.
    public static let defaultCacheByteLimit = 1 << 30

    /// Opens a data set. IDX files are read into memory; image files are, decoded, where that takes no more than
    /// `cacheByteLimit`, and are otherwise read again whenever they are needed.
    public static func open(
        _ source: DataSource, cacheByteLimit: Int = defaultCacheByteLimit
    ) throws(DatasetError) -> Dataset {
        try open(source, cacheByteLimit: cacheByteLimit, bufferedImages: nil)
    }

    /// - Parameter bufferedImages: image files in the buffer that a gzipped archive's images are drawn from; nil for
    ///   what usually fits.
    package static func open(
        _ source: DataSource, cacheByteLimit: Int, bufferedImages: Int?
    ) throws(DatasetError) -> Dataset {
        func files() -> ImageFileSets {
            ImageFileSets(name: "\(source)", cacheByteLimit: cacheByteLimit, bufferedImages: bufferedImages)
        }
        switch source {
        case .fashionMNIST:
            return try fashionMNIST(directory: fashionMNISTDirectory)
        case .mnist(let directory):
            return try MNISTFiles(directory: directory, name: "mnist", classNames: (0 ..< 10).map(String.init)).read()
        case .cifar10(let directory):
            return try CIFAR10.dataset(directory: directory)
        case .tar(let archives): return try files().open(archives: archives)
        case .folder(let directory): return try files().open(folder: directory)
        }
    }

    /// Fashion-MNIST from another folder than its package's.
    package static func fashionMNIST(directory: String) throws(DatasetError) -> Dataset {
        let classNames = [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ]
        do {
            return try MNISTFiles(directory: directory, name: "fashion-mnist", classNames: classNames).read()
        } catch .fileMissing {
            throw .packageMissing(
                source: "fashion-mnist", package: "dataset-fashion-mnist", directory: directory)
        }
    }
}
