import CGossamerImages
import GossamerTensors

extension PixelImage {
    /// The most pixels of an image that are decoded.
    public static let maximumPixelCount = 1 << 26

    /// Decodes JPEG or PNG, told apart by their first bytes.
    ///
    /// - Parameter name: what error messages call the image.
    /// - Throws: ``ImageError`` where the bytes are not an image, end too early, are damaged, or promise more than
    ///   ``maximumPixelCount`` pixels.
    public init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
        let format = try ImageFormat(bytes, name: name)
        let size = try format.size(of: bytes, name: name)
        let shape = try Self.checked(size, name: name)
        var message = [CChar](repeating: 0, count: Int(GSM_MESSAGE_SIZE))
        var status: Int32 = 0
        let pixels = [UInt8](unsafeUninitializedCapacity: shape.count) { target, count in
            status = format.decode(bytes, size, into: target.baseAddress!, &message)
            count = status == 0 ? shape.count : 0
        }
        guard status == 0 else { throw ImageError(name: name, problem: format.problem(message)) }
        self.init(shape: shape, pixels: pixels)
    }

    public init(decoding bytes: [UInt8], name: String) throws(ImageError) {
        // withUnsafeBytes knows no typed throws that reach an initialiser of self.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ImageError) in try PixelImage(decoding: buffer, name: name) }
        }
        self = try result.get()
    }

    /// The shape that decoding would give, from the beginning of the file.
    ///
    /// - Throws: ``ImageError`` as decoding would, where that is known so early.
    public static func shape(of bytes: [UInt8], name: String) throws(ImageError) -> Shape {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ImageError) in
                try checked(ImageFormat(buffer, name: name).size(of: buffer, name: name), name: name)
            }
        }
        return try result.get()
    }

    private static func checked(_ size: gsm_image_size, name: String) throws(ImageError) -> Shape {
        let shape = Shape(channels: Int(size.channels), height: Int(size.height), width: Int(size.width))
        guard shape.height > 0, shape.width > 0, shape.height * shape.width <= maximumPixelCount else {
            throw ImageError(
                name: name, problem: "it has \(shape.height) x \(shape.width) pixels, "
                    + "expected at most \(maximumPixelCount) in all")
        }
        return shape
    }
}

/// The formats that are decoded.
enum ImageFormat {
    case jpeg, png

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) {
        if bytes.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else {
            throw ImageError(name: name, problem: "it is not an image, expected JPEG or PNG")
        }
    }

    func size(of bytes: UnsafeRawBufferPointer, name: String) throws(ImageError) -> gsm_image_size {
        var size = gsm_image_size()
        var message = [CChar](repeating: 0, count: Int(GSM_MESSAGE_SIZE))
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status = switch self {
        case .jpeg: gsm_jpeg_size(start, bytes.count, &size, &message)
        case .png: gsm_png_size(start, bytes.count, &size, &message)
        }
        guard status == 0 else { throw ImageError(name: name, problem: problem(message)) }
        return size
    }

    /// Pixels that all scans of a progressive JPEG together may go over: about a second's work.
    private static let workLimit = 1 << 30

    func decode(
        _ bytes: UnsafeRawBufferPointer, _ size: gsm_image_size, into target: UnsafeMutablePointer<UInt8>,
        _ message: inout [CChar]
    ) -> Int32 {
        var size = size
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        return switch self {
        case .jpeg: gsm_jpeg_decode(start, bytes.count, &size, Int64(Self.workLimit), target, &message)
        case .png: gsm_png_decode(start, bytes.count, &size, target, &message)
        }
    }

    func problem(_ message: [CChar]) -> String {
        let text = message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        return "damaged \(self == .jpeg ? "JPEG" : "PNG"): \(text)"
    }
}
