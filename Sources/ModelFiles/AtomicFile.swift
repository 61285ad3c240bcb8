#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that are either the old one or the new one, whole, at every instant and after every failure.
///
/// The new contents are written to a hidden file in the same folder, which then takes the name of the old one. A
/// failure removes the hidden file; only a process that is killed leaves one behind.
public enum AtomicFile {
    /// Appends bytes to the file.
    public typealias Sink = (UnsafeRawBufferPointer) throws(ModelFileError) -> Void

    /// - Parameter durable: wait until the file would survive a loss of power.
    /// - Throws: `unwritable`; the old file is then untouched.
    public static func write(
        to path: String, contents: some Sequence<UInt8>, durable: Bool = true
    ) throws(ModelFileError) {
        let bytes = [UInt8](contents)
        try write(to: path, durable: durable) { (sink: Sink) throws(ModelFileError) in
            try bytes.withUnsafeBufferPointer { (buffer) throws(ModelFileError) in
                try sink(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// Writes what `body` hands to its sink, in order. An error of `body` leaves the old file untouched too.
    public static func write(
        to path: String, durable: Bool = true, _ body: (Sink) throws(ModelFileError) -> Void
    ) throws(ModelFileError) {
        try requireRegularFile(path)
        let partial = folder(of: path) + partialPrefix(of: path)
            + String(UInt64.random(in: 0 ... .max), radix: 36)
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw unwritable(path) }
        do throws(ModelFileError) {
            try fill(descriptor, path: path, durable: durable, body)
        } catch {
            unlink(partial)
            throw error
        }
        guard rename(partial, path) == 0 else {
            let error = unwritable(path)
            unlink(partial)
            throw error
        }
        if durable { try synchronizeFolder(of: path) }
    }

    /// Removes what killed processes left while they wrote `path`. No other process may be writing it.
    public static func removeRemains(of path: String) {
        let folder = folder(of: path)
        guard let stream = opendir(folder) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(cString: $0)
                }
            }
            if name.hasPrefix(partialPrefix(of: path)) { unlink(folder + name) }
        }
    }

    /// Closes the descriptor, whatever happens.
    private static func fill(
        _ descriptor: Int32, path: String, durable: Bool, _ body: (Sink) throws(ModelFileError) -> Void
    ) throws(ModelFileError) {
        do throws(ModelFileError) {
            try body { (bytes: UnsafeRawBufferPointer) throws(ModelFileError) in
                try append(bytes, to: descriptor, path: path)
            }
            if durable && fsync(descriptor) != 0 { throw unwritable(path) }
        } catch {
            close(descriptor)
            throw error
        }
        // Network file systems may report a full disk no sooner than here.
        if close(descriptor) != 0 { throw unwritable(path) }
    }

    private static func append(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(ModelFileError) {
        var done = 0
        while done < bytes.count {
            #if canImport(Darwin)
            let count = Darwin.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            #elseif canImport(Musl)
            let count = Musl.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            #else
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            #endif
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw unwritable(path) }
            done += count
        }
    }

    /// Renaming over a device or a folder must not replace it.
    private static func requireRegularFile(_ path: String) throws(ModelFileError) {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .unwritable(file: path, reason: "not a regular file")
        }
    }

    private static func synchronizeFolder(of path: String) throws(ModelFileError) {
        let descriptor = open(folder(of: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Some file systems know no fsync of a folder (EINVAL) and order renames themselves.
        if fsync(descriptor) != 0 && errno != EINVAL { throw unwritable(path) }
    }

    private static func unwritable(_ path: String) -> ModelFileError {
        .unwritable(file: path, reason: systemReason())
    }

    /// With its last slash.
    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    }

    private static func partialPrefix(of path: String) -> String {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        return ".\(name).partial-"
    }
}
