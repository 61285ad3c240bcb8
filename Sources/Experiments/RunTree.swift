import Foundation

/// Finds the run folders of a tree.
enum RunTree {
    /// Of each folder with a `run.json`, a text that changes when that file does. Links are not followed.
    static func stamps(under root: String) -> [String: String] {
        var stamps: [String: String] = [:]
        var folders = [root]
        while let folder = folders.popLast() {
            if let stamp = stamp(of: RunFolder(path: folder).recordPath) {
                // A run holds no other runs.
                stamps[folder] = stamp
                continue
            }
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let path = folder == "/" ? "/" + name : folder + "/" + name
                var status = stat()
                if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { folders.append(path) }
            }
        }
        return stamps
    }

    /// Time, size and number of the file: a rename over it changes the number even within one tick of the clock.
    private static func stamp(of file: String) -> String? {
        var status = stat()
        guard lstat(file, &status) == 0 else { return nil }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        return "\(time.tv_sec).\(time.tv_nsec)/\(status.st_size)/\(status.st_ino)"
    }
}
