import GossamerTensors

/// A network that is known by name: what `--network NAME` means.
///
/// To add one, write its function in a file of this folder and a line in ``all``.
public struct Architecture: Sendable, CustomStringConvertible {
    public let name: String
    /// One line for listings.
    public let summary: String
    /// What the network is made for, where nothing else says.
    public let standardInput: Shape
    public let standardClasses: Int
    private let make: @Sendable (_ classes: Int, _ input: Shape) throws(NetworkError) -> Network

    public static let all: [Architecture] = [
        Architecture(
            "mnist", "5x5x32, pool, 5x5x64, pool, 7x7x512 valid, dropout 0.5, fully connected",
            input: (1, 28), classes: 10, Network.mnist),
        Architecture(
            "cifar10", "two 5x5x64 with local response normalisation and pools, fully connected 384, 192",
            input: (3, 24), classes: 10, Network.cifar10),
        Architecture("vgg16", "VGG-16: 13 convolutions, 3 fully connected layers", Network.vgg16),
        Architecture(
            "vgg16-bn", "VGG-16's convolutions with batch norm for small images, 1 fully connected layer",
            input: (3, 32), classes: 10, Network.vgg16BN),
        Architecture("vgg16n", "the paper's VGG-16n: a 3x3x1024 convolution for the wide layers", Network.vgg16n),
        Architecture(
            "inception-v3", "Inception V3: 94 convolutions, images of 75 and up",
            { (classes, side, channels) throws(NetworkError) in
                try .inceptionV3(classes: classes, side: side, channels: channels)
            }, side: 299),
        Architecture(
            "inception-v3-auxiliary", "Inception V3 with its auxiliary head, which training alone has",
            { (classes, side, channels) throws(NetworkError) in
                try .inceptionV3(classes: classes, side: side, channels: channels, auxiliaryHead: true)
            }, side: 299),
        Architecture("resnet18", "ResNet-18: 20 convolutions in 8 blocks with shortcuts", Network.resnet18),
        Architecture("resnet50", "ResNet-50: 53 convolutions in 16 blocks with shortcuts", Network.resnet50),
        Architecture("mobilenet-v1", "MobileNet V1: 13 depthwise convolutions, ReLU6", Network.mobilenetV1),
        Architecture("mobilenet-v2", "MobileNet V2: 17 inverted residuals, ReLU6", Network.mobilenetV2),
        Architecture(
            "efficientnet-lite0", "EfficientNet-Lite0: 16 inverted residuals, ReLU6", Network.efficientnetLite0),
    ]

    private init(
        _ name: String, _ summary: String, input: (channels: Int, side: Int), classes: Int,
        _ make: @escaping @Sendable (_ classes: Int, _ side: Int, _ channels: Int) throws(NetworkError) -> Network
    ) {
        self.name = name
        self.summary = summary
        standardInput = Shape(channels: input.channels, height: input.side, width: input.side)
        standardClasses = classes
        self.make = { (classes, input) throws(NetworkError) in
            guard input.height == input.width else {
                throw NetworkError("network \(name) takes square images, not \(input.height) x \(input.width)")
            }
            return try make(classes, input.height, input.channels)
        }
    }

    /// A network made for ImageNet: colour images, 1000 classes.
    private init(
        _ name: String, _ summary: String,
        _ make: @escaping @Sendable (_ classes: Int, _ side: Int, _ channels: Int) throws(NetworkError) -> Network,
        side: Int = 224
    ) {
        self.init(name, summary, input: (3, side), classes: 1000, make)
    }

    public static var names: [String] { all.map(\.name) }

    /// - Throws: ``NetworkError`` with the nearest known name.
    public static func named(_ name: String) throws(NetworkError) -> Architecture {
        if let known = all.first(where: { $0.name == name }) { return known }
        let hint = nearestName(to: name, among: names).map { ", did you mean '\($0)'?" } ?? ""
        throw NetworkError("unknown network '\(name.shown)'\(hint) (known: \(names.joined(separator: ", ")))")
    }

    /// - Parameters:
    ///   - classes: outputs of the classifier, at least 1.
    ///   - input: the image's channels, height and width.
    /// - Throws: ``NetworkError`` when the network does not take such images.
    public func network(classes: Int, input: Shape) throws(NetworkError) -> Network {
        try make(classes, input)
    }

    public var description: String { "\(name): \(summary)" }
}
