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

    /// Reads the next bytes, at most as many as the buffer holds; 0 at the end.
    func read(into target: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        while true {
            let count = systemRead(descriptor, target.baseAddress, target.count)
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

    /// Reads `target.count` bytes from a place; any number of threads may do so at once.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(DatasetError) {
        var found = 0
        while found < target.count {
            let count = pread(descriptor, target.baseAddress! + found, target.count - found, off_t(offset + found))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(file: path, reason: lastErrorText()) }
            guard count > 0 else {
                throw .unreadable(file: path, reason: "it ends at byte \(offset + found), and was longer when opened")
            }
            found += count
        }
    }
}

extension ByteReader {
    /// Nil where there is no such file.
    static func open(file: String, allowsMembers: Bool = false) throws(DatasetError) -> ByteReader? {
        guard let source = try FileBytes(path: file) else { return nil }
        return try ByteReader(name: file, byteCount: source.byteCount, allowsMembers: allowsMembers) {
            target throws(DatasetError) in
            try source.read(into: target)
        }
    }
}

/// `read` of the system, which the method of that name hides.
private func systemRead(_ descriptor: Int32, _ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, target, count)
}

private func lastErrorText() -> String { String(cString: strerror(errno)) }
