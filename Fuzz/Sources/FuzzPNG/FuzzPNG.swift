import GossamerImages

/// Decodes any bytes behind the first ones of PNG: either an error or an image of the size that its header promises.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let magic: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    let bytes = magic + UnsafeBufferPointer(start: data, count: count).dropFirst(magic.count)
    do throws(ImageError) {
        let shape = try PixelImage.shape(of: bytes, name: "input")
        let image = try PixelImage(decoding: bytes, name: "input")
        precondition(image.shape == shape && image.pixels.count == shape.count)
    } catch {
        // Every error is one line that names the file.
        precondition(error.description.hasPrefix("input: ") && !error.description.contains("\n"))
    }
    return 0
}
