import GossamerImages
import GossamerTensors

/// Gives images, to any number of threads at once.
package protocol ImageReader: AnyObject, Sendable {
    /// Calls `body` with an image, which is valid until `body` returns.
    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError)
}

/// Where the images of a set lie, in memory or in files.
protocol ImageStore: ImageReader {
    var count: Int { get }
    /// Whether the images come from files of their own, JPEG or PNG, decoded beforehand or not.
    var isOfImageFiles: Bool { get }

    /// What error messages call an image.
    func name(of index: Int) -> String

    /// A reader that is asked for each of these images once, roughly in this order.
    func reader(for order: [Int]) -> any ImageReader

    /// A random order of these images, in which they can be read.
    func shuffled(_ indices: [Int], using generator: inout SeededGenerator) -> [Int]

    /// Calls `body` with bytes that tell the image from others; it may do so several times.
    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void)
}

extension ImageStore {
    func reader(for order: [Int]) -> any ImageReader { self }

    func shuffled(_ indices: [Int], using generator: inout SeededGenerator) -> [Int] {
        var indices = indices
        for last in stride(from: indices.count - 1, to: 0, by: -1) {
            indices.swapAt(last, generator.index(below: last + 1))
        }
        return indices
    }
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
