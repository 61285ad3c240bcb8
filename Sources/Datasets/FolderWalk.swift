#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The files below a folder, in order of their names.
enum FolderWalk {
    /// Folders below each other, links to folders included, which could form a circle.
    private static let deepest = 16

    /// Calls `body` with each file's path below the folder, and its size.
    static func forEachFile(
        in folder: String, _ body: (_ path: String, _ byteCount: Int) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        try visit(folder, prefix: "", depth: 0, body)
    }

    static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    private static func visit(
        _ folder: String, prefix: String, depth: Int,
        _ body: (_ path: String, _ byteCount: Int) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        guard depth < deepest else {
            throw .invalidField(
                file: folder, field: "depth", found: "more than \(deepest)", expected: "a data set's folders")
        }
        for name in try names(in: folder) {
            let path = folder + "/" + name
            var information = stat()
            guard stat(path, &information) == 0 else {
                throw .unreadable(file: path, reason: String(cString: strerror(errno)))
            }
            switch information.st_mode & S_IFMT {
            case S_IFDIR: try visit(path, prefix: prefix + name + "/", depth: depth + 1, body)
            case S_IFREG: try body(prefix + name, Int(information.st_size))
            default: break
            }
        }
    }

    /// Sorted, without hidden ones.
    private static func names(in folder: String) throws(DatasetError) -> [String] {
        guard let stream = opendir(folder) else {
            throw .unreadable(file: folder, reason: String(cString: strerror(errno)))
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
