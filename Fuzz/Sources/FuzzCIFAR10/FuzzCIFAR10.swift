import GossamerDatasets

/// Reads any bytes as records of CIFAR-10: either an error or labelled images.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(DatasetError) {
        let images = try CIFAR10.images(bytes: bytes, name: "input")
        precondition(images.count > 0 && images.labels.allSatisfy { (0 ..< 10).contains($0) })
    } catch {
        // Every error is one line that names the file.
        precondition(error.description.hasPrefix("input: ") && !error.description.contains("\n"))
    }
    return 0
}
