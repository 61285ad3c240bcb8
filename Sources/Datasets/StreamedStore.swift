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
///
/// Two archives are open at a time. Before a third is opened, the rest of the one with less left is read, which is no
/// more than a buffer: of those that an order has begun, all but the last lie in its buffer as a whole, also where the
/// order is gone on with in the middle.
private final class StreamReader: ImageReader, @unchecked Sendable {
    /// An archive on its way from beginning to end.
    private struct Stream {
        let archive: Int
        let source: TarStream
        /// The files that are yet to be read.
        var rest: Range<Int>
    }

    private static let streamLimit = 2

    private let archives: [FileBytes]
    private let places: [StreamedStore.Place]
    private let files: ImageFileList
    private let monitor = Monitor(eventCount: 0)

    // Guarded by the monitor.
    private var streams: [Stream] = []
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
        let stream = try stream(before: index)
        while let next = streams[stream].rest.first, next < index { try keepNext(of: stream) }
        streams[stream].rest.removeFirst()
        return try read(index, from: stream)
    }

    /// The place of the stream of a file's archive, which has not come to the file yet.
    private func stream(before index: Int) throws(DatasetError) -> Int {
        let archive = places[index].archive
        if let stream = streams.firstIndex(where: { $0.archive == archive }) {
            if streams[stream].rest.contains(index) { return stream }
            // Whoever asks for what has passed by begins again.
            streams.remove(at: stream)
        } else if streams.count == Self.streamLimit {
            try finishShortest()
        }
        let source = TarStream(try ByteReader(file: archives[archive], allowsMembers: true))
        let start = places.partitioningIndex { $0.archive >= archive }
        let end = places.partitioningIndex { $0.archive > archive }
        streams.append(Stream(archive: archive, source: source, rest: start ..< end))
        return streams.count - 1
    }

    /// Closes the stream that has least left of what is awaited, and keeps that.
    private func finishShortest() throws(DatasetError) {
        let counts = streams.map { stream in
            stream.rest.reduce(0) { awaited.contains($1) ? $0 + files.byteCount($1) : $0 }
        }
        let shortest = counts.indices.min { counts[$0] < counts[$1] }!
        while !streams[shortest].rest.isEmpty { try keepNext(of: shortest) }
        streams.remove(at: shortest)
    }

    private func keepNext(of stream: Int) throws(DatasetError) {
        let next = streams[stream].rest.removeFirst()
        if awaited.contains(next) { pending[next] = try read(next, from: stream) }
    }

    private func read(_ index: Int, from stream: Int) throws(DatasetError) -> [UInt8] {
        try streams[stream].source.content(
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
