import GossamerTensors

/// Where a data set comes from, written the same on the command line and in files, such as `fashion-mnist` or
/// `tar:images.tar`.
public enum DataSource: Hashable, Sendable {
    /// Zalando's articles of clothing, from Debian's package dataset-fashion-mnist.
    case fashionMNIST
    /// Ten classes, the digits, in a folder of files in MNIST's naming.
    case mnist(directory: String)
    /// CIFAR-10 in its binary format, in a folder.
    case cifar10(directory: String)
    /// Image files in folders named after their classes.
    case folder(directory: String)
    /// Image files in folders named after their classes, in tar archives, plain or in gzip.
    case tar(files: [String])

    /// Where the images come from and under which terms, where that is known.
    public var note: String? {
        switch self {
        case .fashionMNIST:
            "Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), 60,000 training and 10,000 test images, MIT licence"
        case .cifar10: "CIFAR-10 (Krizhevsky 2009), 50,000 training and 10,000 test images, for research"
        case .mnist, .folder, .tar: nil
        }
    }

    /// The forms that `parse` reads.
    public static let forms = ["fashion-mnist", "mnist:DIR", "cifar10:DIR", "folder:DIR", "tar:FILE,..."]

    public static func parse(_ text: String) throws(DatasetError) -> DataSource {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts[0] {
        case "fashion-mnist":
            guard parts.count == 1 else { throw .incompleteSource(text, expected: "fashion-mnist without a folder") }
            return .fashionMNIST
        case "mnist":
            guard parts.count == 2, !parts[1].isEmpty else {
                throw .incompleteSource(text, expected: "mnist:DIR, where DIR holds the IDX files")
            }
            return .mnist(directory: String(parts[1]))
        case "cifar10":
            guard parts.count == 2, !parts[1].isEmpty else {
                throw .incompleteSource(text, expected: "cifar10:DIR, where DIR holds data_batch_1.bin and so on")
            }
            return .cifar10(directory: String(parts[1]))
        case "folder":
            guard parts.count == 2, !parts[1].isEmpty else {
                throw .incompleteSource(text, expected: "folder:DIR, where DIR holds a folder of images for each class")
            }
            return .folder(directory: String(parts[1]))
        case "tar":
            let files = parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : []
            guard !files.isEmpty, files.allSatisfy({ !$0.isEmpty }) else {
                throw .incompleteSource(text, expected: "tar:FILE or tar:FILE,FILE,..., archives of images")
            }
            return .tar(files: files.map(String.init))
        default:
            let nearest = nearestName(to: String(parts[0]), among: forms.map { String($0.prefix { $0 != ":" }) })
            throw .unknownSource(text, nearest: nearest)
        }
    }
}

extension DataSource: CustomStringConvertible {
    public var description: String {
        switch self {
        case .fashionMNIST: "fashion-mnist"
        case .mnist(let directory): "mnist:\(directory)"
        case .cifar10(let directory): "cifar10:\(directory)"
        case .folder(let directory): "folder:\(directory)"
        case .tar(let files): "tar:\(files.joined(separator: ","))"
        }
    }
}

/// Coded as its description.
extension DataSource: Codable {
    public init(from decoder: any Decoder) throws {
        self = try .parse(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
