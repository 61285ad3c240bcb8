import GossamerTensors

/// Images to train on and images to test on, of the same size and classes.
public struct Dataset: Sendable {
    public let train: LabelledImages
    public let test: LabelledImages

    /// - Precondition: both parts agree in image size and classes.
    public init(train: LabelledImages, test: LabelledImages) {
        precondition(train.shape == test.shape && train.classNames == test.classNames)
        self.train = train
        self.test = test
    }

    public var classNames: [String] { train.classNames }
    public var shape: Shape { train.shape }

    /// Where Debian's package puts Fashion-MNIST.
    public static let fashionMNISTDirectory = "/usr/share/datasets/fashion-mnist"

    /// Reads a whole data set into memory.
    public static func open(_ source: DataSource) throws(DatasetError) -> Dataset {
        switch source {
        case .fashionMNIST:
            return try fashionMNIST(directory: fashionMNISTDirectory)
        case .mnist(let directory):
            return try MNISTFiles(directory: directory, name: "mnist", classNames: (0 ..< 10).map(String.init)).read()
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
