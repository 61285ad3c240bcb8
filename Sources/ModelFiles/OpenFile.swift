#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A regular file, open for reading at any position and from any thread.
///
/// It is read, not mapped: a file that another process shortens gives an error and not a signal.
package final class OpenFile: Sendable {
    package let path: String
    package let byteCount: Int
    private let descriptor: Int32

    package init(path: String) throws(ModelFileError) {
        // Without O_NONBLOCK opening a named pipe would wait for its writer.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(file: path, reason: systemReason()) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(file: path, reason: "not a regular file")
        }
        self.path = path
        byteCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills `buffer` from `offset` on.
    package func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws(ModelFileError) {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw .unreadable(file: path, reason: systemReason()) }
            if count == 0 { throw .unreadable(file: path, reason: "it became shorter while it was read") }
            done += count
        }
    }
}

/// The system's text for `errno`.
func systemReason() -> String { String(cString: strerror(errno)) }

/// All bytes of a regular file.
///
/// - Parameter limit: the most bytes that it may have.
package func readFile(_ path: String, limit: Int) throws(ModelFileError) -> [UInt8] {
    let file = try OpenFile(path: path)
    guard file.byteCount <= limit else {
        throw .unreadable(file: path, reason: "it has \(file.byteCount) bytes, expected at most \(limit)")
    }
    return try ByteSource.file(file).array(count: file.byteCount, from: 0)
}
