import GossamerDatasets

/// Reads any bytes as a tar archive, in gzip where they begin so: either an error or files that lie inside.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(DatasetError) {
        var end = 0
        for entry in try TarEntry.all(of: bytes, name: "input") {
            precondition(entry.offset >= end && entry.byteCount >= 0 && !entry.name.hasPrefix("/"))
            precondition(!entry.name.split(separator: "/").contains(".."))
            end = entry.offset + entry.byteCount
        }
    } catch {
        // Every error is one line that names the file.
        precondition(error.description.hasPrefix("input: ") && !error.description.contains("\n"))
    }
    return 0
}
