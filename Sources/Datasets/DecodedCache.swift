import GossamerImages
import GossamerTensors

extension PixelStore {
    /// Decodes image files into memory, on all cores.
    ///
    /// - Parameter shapes: of all images.
    /// - Throws: the error of the first image, in the set's order, that cannot be decoded.
    static func decoding(_ images: any EncodedImages, _ shapes: [Shape]) throws(DatasetError) -> PixelStore {
        var starts: [Int] = []
        var total = 0
        for shape in shapes {
            starts.append(total)
            total += shape.count
        }
        let offsets = starts
        var failure: DatasetError?
        let pixels = [UInt8](unsafeUninitializedCapacity: total) { target, initialized in
            nonisolated(unsafe) let start = target.baseAddress!
            do throws(DatasetError) {
                try forEachIndex(below: shapes.count) { index throws(DatasetError) in
                    try images.decode(index, shapes[index], into: start + offsets[index])
                }
                initialized = total
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return PixelStore(pixels: pixels, shapes: shapes, files: images.files)
    }
}

extension EncodedImages {
    /// The size of an image, from the beginning of its file.
    func shape(of index: Int) throws(DatasetError) -> Shape {
        let bytes = try bytes(of: index)
        do throws(ImageError) {
            return try PixelImage.shape(of: bytes, name: files.path(index))
        } catch {
            throw .image(error)
        }
    }

    fileprivate func decode(
        _ index: Int, _ shape: Shape, into target: UnsafeMutablePointer<UInt8>
    ) throws(DatasetError) {
        let bytes = try bytes(of: index)
        do throws(ImageError) {
            let image = try PixelImage(decoding: bytes, name: files.path(index))
            guard image.shape == shape else {
                throw ImageError(name: files.path(index), problem: "it changed while it was read")
            }
            image.withView { target.update(from: $0.pixels, count: shape.count) }
        } catch {
            throw .image(error)
        }
    }

    /// The sizes of all images, read on all cores.
    func shapes() throws(DatasetError) -> [Shape] {
        let shapes = AlignedBuffer<Shape>(count: files.count)
        try forEachIndex(below: files.count) { index throws(DatasetError) in
            shapes.pointer[index] = try shape(of: index)
        }
        return (0 ..< files.count).map { shapes.pointer[$0] }
    }
}

/// Up to a thousand indices, spread evenly: what a set is judged by, whether or not all of it is in memory.
struct ImageSample: Sequence {
    private let count: Int

    init(of count: Int) { self.count = count }

    func makeIterator() -> some IteratorProtocol<Int> {
        let size = Swift.min(count, 1000)
        return (0 ..< size).lazy.map { [count] in $0 * count / size }.makeIterator()
    }
}

/// Calls `body` for every index, on all cores, and throws what it threw for the lowest index.
private func forEachIndex(
    below count: Int, _ body: @escaping @Sendable (Int) throws(DatasetError) -> Void
) throws(DatasetError) {
    let work = IndexQueue(count: count, body)
    let threads = (0 ..< min(availableCores, max(1, count / 64))).map { _ in WorkerThread { work.run() } }
    for thread in threads { thread.join() }
    if let failure = work.failure { throw failure.error }
}

/// Indices that threads take in order, a few at a time.
private final class IndexQueue: @unchecked Sendable {
    private let count: Int
    private let body: @Sendable (Int) throws(DatasetError) -> Void
    private let monitor = Monitor(eventCount: 0)
    private var next = 0
    private(set) var failure: (index: Int, error: DatasetError)?

    init(count: Int, _ body: @escaping @Sendable (Int) throws(DatasetError) -> Void) {
        self.count = count
        self.body = body
    }

    func run() {
        while let range = take() {
            for index in range {
                do throws(DatasetError) { try body(index) } catch { return fail(index, error) }
            }
        }
    }

    private func take() -> Range<Int>? {
        monitor.withLock {
            guard failure == nil, next < count else { return nil }
            let range = next ..< min(next + 16, count)
            next = range.upperBound
            return range
        }
    }

    private func fail(_ index: Int, _ error: DatasetError) {
        monitor.withLock {
            if failure.map({ index < $0.index }) ?? true { failure = (index, error) }
        }
    }
}
