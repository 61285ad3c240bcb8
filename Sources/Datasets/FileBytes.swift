#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A regular file open for reading.
final class FileBytes: Sendable {
    let path: String
    let byteCount: Int
    private let descriptor: Int32

    /// Nil where there is no such file.
    init?(path: String) throws(DatasetError) {
        // A named pipe without a writer would block for ever.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard descriptor >= 0 else { throw .unreadable(file: path, reason: lastErrorText()) }
        self.path = path
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            let reason = lastErrorText()
            close(descriptor)
            throw .unreadable(file: path, reason: reason)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(file: path, reason: "it is not a regular file")
        }
        byteCount = Int(information.st_size)
    }

    deinit { close(descriptor) }

    /// Reads bytes from a place, at most as many as the buffer holds; 0 at the end. Any number of threads may read.
    func readSome(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(DatasetError) -> Int {
        while true {
            let count = pread(descriptor, target.baseAddress, target.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw .unreadable(file: path, reason: lastErrorText()) }
        }
    }

    func isGzip() throws(DatasetError) -> Bool {
        guard byteCount >= 2 else { return false }
        var magic: (UInt8, UInt8) = (0, 0)
        let result = withUnsafeMutableBytes(of: &magic) { target in
            Result { () throws(DatasetError) in try read(into: target, at: 0) }
        }
        try result.get()
        return magic == (0x1f, 0x8b)
    }

    /// Fills a buffer from a place.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(DatasetError) {
        var found = 0
        while found < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[found...])
            let count = try readSome(into: rest, at: offset + found)
            guard count > 0 else {
                throw .unreadable(file: path, reason: "it ends at byte \(offset + found), and was longer when opened")
            }
            found += count
        }
    }
}

extension ByteReader {
    /// Nil where there is no such file.
    static func open(file: String) throws(DatasetError) -> ByteReader? {
        guard let source = try FileBytes(path: file) else { return nil }
        return try ByteReader(file: source)
    }

    /// From the beginning of a file, with a place of its own in it.
    convenience init(file: FileBytes, allowsMembers: Bool = false) throws(DatasetError) {
        var position = 0
        try self.init(name: file.path, byteCount: file.byteCount, allowsMembers: allowsMembers) {
            target throws(DatasetError) in
            let count = try file.readSome(into: target, at: position)
            position += count
            return count
        }
    }
}

private func lastErrorText() -> String { String(cString: strerror(errno)) }
