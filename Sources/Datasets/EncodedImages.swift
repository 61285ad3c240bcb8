import GossamerImages

/// Image files that are not decoded. Any number of threads may ask at once.
protocol EncodedImages: Sendable {
    var files: ImageFileList { get }

    /// The contents of a file.
    func bytes(of index: Int) throws(DatasetError) -> [UInt8]
}

/// The most bytes of an image file that are read.
let maximumImageByteCount = 1 << 26

/// Image files in plain tar archives, read where they lie.
struct TarImages: EncodedImages {
    /// Where a file's bytes begin.
    struct Place { let archive: Int, offset: Int }

    let archives: [TarFile]
    let places: [Place]
    let files: ImageFileList

    func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
        let place = places[index]
        return try archives[place.archive].read(
            files.byteCount(index), at: place.offset, field: "image", orEnd: false)!
    }
}

/// Image files that were read out of a compressed archive.
struct BufferedImages: EncodedImages {
    /// The files' bytes, one after another.
    struct Contents {
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []

        var byteCount: Int { bytes.count }

        mutating func append(_ file: [UInt8]) {
            bytes += file
            ends.append(bytes.count)
        }
    }

    let files: ImageFileList
    private let contents: Contents

    init(_ contents: Contents, files: ImageFileList) {
        self.contents = contents
        self.files = files
    }

    func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
        Array(contents.bytes[(index == 0 ? 0 : contents.ends[index - 1]) ..< contents.ends[index]])
    }
}

/// Image files in folders.
struct FolderImages: EncodedImages {
    let files: ImageFileList

    func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
        let path = files.path(index)
        guard let file = try FileBytes(path: path) else { throw .unreadable(file: path, reason: "no such file") }
        try requireImageByteCount(file.byteCount, of: path)
        var bytes = [UInt8](repeating: 0, count: file.byteCount)
        let result = bytes.withUnsafeMutableBytes { target in
            Result { () throws(DatasetError) in try file.read(into: target, at: 0) }
        }
        try result.get()
        return bytes
    }
}

func requireImageByteCount(_ count: Int, of name: @autoclosure () -> String) throws(DatasetError) {
    guard count <= maximumImageByteCount else {
        throw .invalidField(
            file: name(), field: "size", found: "\(count)", expected: "at most \(maximumImageByteCount) bytes")
    }
}

/// Decodes an image whenever it is asked for.
final class EncodedStore: ImageStore {
    let images: any EncodedImages

    init(_ images: any EncodedImages) { self.images = images }

    var count: Int { images.files.count }
    var isOfImageFiles: Bool { true }

    func name(of index: Int) -> String { images.files.path(index) }

    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        images.files.withIdentity(of: index, body)
    }

    func withImage(_ index: Int, _ body: (PixelView) throws(ImageError) -> Void) throws(DatasetError) {
        let bytes = try images.bytes(of: index)
        do throws(ImageError) {
            try PixelImage(decoding: bytes, name: images.files.path(index)).withView(body)
        } catch {
            throw .image(error)
        }
    }
}
