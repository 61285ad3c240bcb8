import GossamerImages
import GossamerTensors

/// Where the images of a set lie, in memory or in files. Any number of threads may ask at once.
protocol ImageStore: AnyObject, Sendable {
    var count: Int { get }
    /// Whether the images come from files of their own, JPEG or PNG, decoded beforehand or not.
    var isOfImageFiles: Bool { get }

    /// What error messages call an image.
    func name(of index: Int) -> String

    /// Calls `body` with an image, which is valid until `body` returns.
    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError)

    /// Calls `body` with bytes that tell the image from others; it may do so several times.
    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void)
}

/// Decoded images in memory, of one size or of many.
final class PixelStore: ImageStore {
    /// [image][channel][row][column].
    private let pixels: [UInt8]
    private let sizes: Sizes
    private let origin: Origin
    let count: Int

    private enum Sizes: Sendable {
        case same(Shape)
        case own(shapes: [Shape], offsets: [Int])
    }

    private enum Origin: Sendable {
        /// A set of images that have no files of their own.
        case set(name: String)
        case files(ImageFileList)
    }

    /// Images of one size.
    init(pixels: [UInt8], shape: Shape, set: String) {
        self.pixels = pixels
        sizes = .same(shape)
        origin = .set(name: set)
        count = pixels.count / shape.count
    }

    /// Images decoded from files, whose sizes may differ.
    init(pixels: [UInt8], shapes: [Shape], files: ImageFileList) {
        self.pixels = pixels
        origin = .files(files)
        count = shapes.count
        if let first = shapes.first, shapes.allSatisfy({ $0 == first }) {
            sizes = .same(first)
        } else {
            var offsets: [Int] = []
            var offset = 0
            for shape in shapes {
                offsets.append(offset)
                offset += shape.count
            }
            sizes = .own(shapes: shapes, offsets: offsets)
        }
    }

    /// The size of every image, where all have one.
    var commonShape: Shape? {
        if case .same(let shape) = sizes { return shape }
        return nil
    }

    var isOfImageFiles: Bool {
        if case .files = origin { return true }
        return false
    }

    func name(of index: Int) -> String {
        switch origin {
        case .set(let name): "image \(index) of \(name)"
        case .files(let files): files.path(index)
        }
    }

    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError) {
        let (shape, range) = place(of: index)
        do throws(ImageError) {
            try pixels.withUnsafeBufferPointer { (buffer) throws(ImageError) in
                try body(PixelView(shape: shape, pixels: buffer.baseAddress! + range.lowerBound))
            }
        } catch {
            throw .image(error)
        }
    }

    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        switch origin {
        case .files(let files): files.withIdentity(of: index, body)
        case .set: pixels.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[place(of: index).range])) }
        }
    }

    private func place(of index: Int) -> (shape: Shape, range: Range<Int>) {
        switch sizes {
        case .same(let shape): (shape, index * shape.count ..< (index + 1) * shape.count)
        case .own(let shapes, let offsets): (shapes[index], offsets[index] ..< offsets[index] + shapes[index].count)
        }
    }
}
