import GossamerDatasets

/// Reads any bytes as images and as labels, in memory: either an error or what the header says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(DatasetError) {
        let images = try IDX.images(bytes: bytes, name: "input")
        precondition(images.count > 0 && images.pixels.count == images.count * images.height * images.width)
    } catch {
        check(error)
    }
    do throws(DatasetError) {
        let labels = try IDX.labels(bytes: bytes, name: "input")
        precondition(!labels.isEmpty)
    } catch {
        check(error)
    }
    return 0
}

/// Every error is one line that names the file.
private func check(_ error: DatasetError) {
    precondition(error.description.hasPrefix("input: ") && !error.description.contains("\n"))
}
