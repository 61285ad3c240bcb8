import GossamerTensors

/// A network that is known by name: what `--network NAME` means.
///
/// To add one, write its function in a file of this folder and a line in ``all``.
public struct Architecture: Sendable, CustomStringConvertible {
    public let name: String
    /// One line for listings.
    public let summary: String
    private let make: @Sendable (_ classes: Int, _ input: Shape) throws(NetworkError) -> Network

    public static let all: [Architecture] = [
        Architecture(
            name: "mnist", summary: "5x5x32, pool, 5x5x64, pool, 7x7x512 valid, dropout 0.5, fully connected"
        ) { (classes, input) throws(NetworkError) in
            try requireSquare(input, "mnist")
            return try .mnist(classes: classes, side: input.height, channels: input.channels)
        },
    ]

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

    private static func requireSquare(_ input: Shape, _ name: String) throws(NetworkError) {
        guard input.height == input.width else {
            throw NetworkError("network \(name) takes square images, not \(input.height) x \(input.width)")
        }
    }
}
