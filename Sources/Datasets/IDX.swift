/// Grey images as an IDX file holds them.
public struct IDXImages: Hashable, Sendable {
    public let count: Int
    /// Pixels.
    public let height: Int
    /// Pixels.
    public let width: Int
    /// [image][row][column].
    public let pixels: [UInt8]
}

/// Reads IDX, the format of MNIST: a magic number (two zeros, the element type, the number of dimensions), the size of
/// each dimension as 32 bits in big-endian order, and the elements. Plain or in gzip, told apart by their first bytes.
///
/// A file is not trusted: sizes are compared with what the file can hold before anything is allocated for them.
public enum IDX {
    /// The most elements of a file that are accepted.
    public static let maximumElementCount = 1 << 30
    /// The most pixels along one side of an image that are accepted.
    public static let maximumSide = 8192

    /// Images, from the bytes of a file.
    ///
    /// - Parameter name: what error messages call the file.
    public static func images(bytes: [UInt8], name: String) throws(DatasetError) -> IDXImages {
        try images(from: ByteReader(name: name, bytes: bytes))
    }

    public static func images(file: String) throws(DatasetError) -> IDXImages {
        try images(from: reader(file))
    }

    /// Labels, from the bytes of a file.
    ///
    /// - Parameter name: what error messages call the file.
    public static func labels(bytes: [UInt8], name: String) throws(DatasetError) -> [UInt8] {
        try labels(from: ByteReader(name: name, bytes: bytes))
    }

    public static func labels(file: String) throws(DatasetError) -> [UInt8] {
        try labels(from: reader(file))
    }

    /// - Parameter expectedCount: images that the labels call for, where they are known.
    static func images(from reader: ByteReader, expectedCount: Int? = nil) throws(DatasetError) -> IDXImages {
        let sizes = try header(of: reader, dimensions: ["number of images", "image height", "image width"])
        if let expectedCount, sizes[0] != expectedCount {
            throw .invalidField(
                file: reader.name, field: "number of images", found: "\(sizes[0])",
                expected: "\(expectedCount) as in the file of labels")
        }
        for (field, size) in zip(["image height", "image width"], sizes.dropFirst()) where size > maximumSide {
            throw .invalidField(
                file: reader.name, field: field, found: "\(size)", expected: "at most \(maximumSide) pixels")
        }
        let pixels = try elements(sizes[0] * sizes[1] * sizes[2], of: reader, field: "pixels")
        return IDXImages(count: sizes[0], height: sizes[1], width: sizes[2], pixels: pixels)
    }

    static func labels(from reader: ByteReader) throws(DatasetError) -> [UInt8] {
        let sizes = try header(of: reader, dimensions: ["number of labels"])
        return try elements(sizes[0], of: reader, field: "labels")
    }

    private static func reader(_ file: String) throws(DatasetError) -> ByteReader {
        guard let reader = try ByteReader.open(file: file) else { throw .fileMissing(file: file) }
        return reader
    }

    /// The sizes of the named dimensions, each at least 1.
    private static func header(of reader: ByteReader, dimensions: [String]) throws(DatasetError) -> [Int] {
        let magic = try bigEndian(reader.bytes(4, field: "magic number"))
        let expected = 0x0800 + dimensions.count
        guard magic == expected else {
            throw .invalidField(
                file: reader.name, field: "magic number", found: hexadecimal(magic),
                expected: "\(hexadecimal(expected)) (unsigned bytes in \(dimensions.count) dimensions)")
        }
        var sizes: [Int] = []
        for field in dimensions {
            let size = try bigEndian(reader.bytes(4, field: field))
            guard size > 0 else {
                throw .invalidField(file: reader.name, field: field, found: "0", expected: "at least 1")
            }
            sizes.append(size)
        }
        return sizes
    }

    private static func elements(
        _ count: Int, of reader: ByteReader, field: String
    ) throws(DatasetError) -> [UInt8] {
        guard count <= maximumElementCount else {
            throw .invalidField(
                file: reader.name, field: "number of \(field)", found: "\(count)",
                expected: "at most \(maximumElementCount)")
        }
        guard count <= reader.byteCountLimit else {
            throw .invalidField(
                file: reader.name, field: "number of \(field)", found: "\(count)",
                expected: "at most the \(reader.byteCountLimit) bytes that a file of this size can hold")
        }
        let elements = try reader.bytes(count, field: field)
        try reader.expectEnd(after: field)
        return elements
    }

    private static func bigEndian(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func hexadecimal(_ value: Int) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
