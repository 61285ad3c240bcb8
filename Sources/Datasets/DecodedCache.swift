import GossamerImages
import GossamerTensors

extension PixelStore {
    /// Decodes image files into memory, on all cores.
    ///
    /// - Parameter byteLimit: of decoded images.
    /// - Returns: nil where they need more memory than that.
    /// - Throws: the error of the first image, in the set's order, that cannot be decoded.
    static func decoding(_ images: any EncodedImages, byteLimit: Int) throws(DatasetError) -> PixelStore? {
        // Hardly an image file is larger than its pixels.
        guard images.files.byteCount <= byteLimit else { return nil }
        let count = images.files.count
        let shapes = AlignedBuffer<Shape>(count: count)
        try forEachIndex(below: count) { index throws(DatasetError) in
            shapes.pointer[index] = try images.shape(of: index)
        }
        var offsets: [Int] = []
        var total = 0
        for index in 0 ..< count {
            offsets.append(total)
            total += shapes.pointer[index].count
            guard total <= byteLimit else { return nil }
        }
        let starts = offsets
        var failure: DatasetError?
        let pixels = [UInt8](unsafeUninitializedCapacity: total) { target, initialized in
            nonisolated(unsafe) let start = target.baseAddress!
            do throws(DatasetError) {
                try forEachIndex(below: count) { index throws(DatasetError) in
                    try images.decode(index, shapes.pointer[index], into: start + starts[index])
                }
                initialized = total
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return PixelStore(
            pixels: pixels, shapes: (0 ..< count).map { shapes.pointer[$0] }, files: images.files)
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

    /// 1 where all images are grey, 3 otherwise; judged by up to a thousand of them.
    func channels() throws(DatasetError) -> Int {
        let count = files.count
        let sampled = min(count, 1000)
        for number in 0 ..< sampled {
            if try shape(of: number * count / sampled).channels == 3 { return 3 }
        }
        return 1
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
