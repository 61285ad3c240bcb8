import GossamerImages
import GossamerTensors

/// Image files in compressed tar archives, which can only be read from beginning to end.
///
/// An epoch reads the archives in random order, one after another, and draws each next image from a buffer of those
/// read last. Which images those are follows from the files' sizes and the seed alone, so that an order can be made,
/// and gone on with in the middle, without reading.
final class StreamedStore: ImageStore {
    /// Where a file's bytes begin in its archive, inflated.
    struct Place { let archive: Int, offset: Int }

    /// Bytes of image files that wait in the buffer, about.
    static let bufferByteCount = 256 << 20

    let archives: [FileBytes]
    let places: [Place]
    let files: ImageFileList
    private let bufferedImages: Int
    /// For those who ask in no order that was announced.
    private let anyOrder: StreamReader

    /// - Parameter bufferedImages: what the buffer holds; by default what fits into ``bufferByteCount``.
    init(archives: [FileBytes], places: [Place], files: ImageFileList, bufferedImages: Int? = nil) {
        self.archives = archives
        self.places = places
        self.files = files
        let meanByteCount = max(1, files.byteCount / max(1, files.count))
        self.bufferedImages = bufferedImages ?? max(1, Self.bufferByteCount / meanByteCount)
        anyOrder = StreamReader(archives: archives, places: places, files: files, order: [])
    }

    var count: Int { places.count }
    var isOfImageFiles: Bool { true }

    func name(of index: Int) -> String { files.path(index) }

    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        files.withIdentity(of: index, body)
        // The order of the images is another one than that of a set with the same files in a plain archive.
        withUnsafeBytes(of: Int64(bufferedImages).littleEndian, body)
    }

    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError) {
        try anyOrder.withImage(index, body)
    }

    func reader(for order: [Int]) -> any ImageReader {
        StreamReader(archives: archives, places: places, files: files, order: order)
    }

    /// Archives in random order, each from its beginning to its end, and of what was read last any image.
    func shuffled(_ indices: [Int], using generator: inout SeededGenerator) -> [Int] {
        var members = [[Int]](repeating: [], count: archives.count)
        for index in indices { members[places[index].archive].append(index) }
        for archive in stride(from: members.count - 1, to: 0, by: -1) {
            members.swapAt(archive, generator.index(below: archive + 1))
        }
        var buffer: [Int] = []
        var order: [Int] = []
        order.reserveCapacity(indices.count)
        func draw() {
            let place = generator.index(below: buffer.count)
            order.append(buffer[place])
            buffer[place] = buffer[buffer.count - 1]
            buffer.removeLast()
        }
        for index in members.joined() {
            if buffer.count == bufferedImages { draw() }
            buffer.append(index)
        }
        while !buffer.isEmpty { draw() }
        return order
    }
}

/// Reads archives forward, and keeps what will be asked for until it is.
private final class StreamReader: ImageReader, @unchecked Sendable {
    private let archives: [FileBytes]
    private let places: [StreamedStore.Place]
    private let files: ImageFileList
    private let monitor = Monitor(eventCount: 0)

    // Guarded by the monitor.
    private var stream: (archive: Int, next: Int, source: TarStream)?
    /// Images that are yet to be asked for.
    private var awaited: Set<Int>
    /// Files that were read and not asked for yet.
    private var pending: [Int: [UInt8]] = [:]

    init(archives: [FileBytes], places: [StreamedStore.Place], files: ImageFileList, order: [Int]) {
        self.archives = archives
        self.places = places
        self.files = files
        awaited = Set(order)
    }

    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError) {
        let bytes = try monitor.withLock { Result { () throws(DatasetError) in try take(index) } }.get()
        do throws(ImageError) {
            try PixelImage(decoding: bytes, name: files.path(index)).withView(body)
        } catch {
            throw .image(error)
        }
    }

    /// The bytes of a file, from those that were read already or from the archive.
    private func take(_ index: Int) throws(DatasetError) -> [UInt8] {
        awaited.remove(index)
        if let bytes = pending.removeValue(forKey: index) { return bytes }
        let archive = places[index].archive
        if let stream, stream.archive != archive { try finishArchive() }
        // Whoever asks for what has passed by begins again.
        if stream == nil || stream!.archive != archive || stream!.next > index {
            let source = TarStream(try ByteReader(file: archives[archive], allowsMembers: true))
            let first = places.partitioningIndex { $0.archive >= archive }
            stream = (archive, first, source)
        }
        while stream!.next < index { try keepNext() }
        stream!.next += 1
        return try read(index)
    }

    private func keepNext() throws(DatasetError) {
        let next = stream!.next
        if awaited.contains(next) { pending[next] = try read(next) }
        stream!.next += 1
    }

    /// The order goes on to another archive when all of this one is in its buffer.
    private func finishArchive() throws(DatasetError) {
        guard !awaited.isEmpty else { return }
        while stream!.next < places.count, places[stream!.next].archive == stream!.archive { try keepNext() }
    }

    private func read(_ index: Int) throws(DatasetError) -> [UInt8] {
        try stream!.source.content(
            of: TarEntry(name: "", offset: places[index].offset, byteCount: files.byteCount(index)))
    }
}

extension Array {
    /// The first index whose element is, with all behind it, on the far side of a sorted array's divide.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
