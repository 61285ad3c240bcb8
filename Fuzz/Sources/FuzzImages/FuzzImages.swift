import GossamerImages

/// Decodes any bytes behind the first ones of a format: either an error or an image of the size that its header
/// promises.
public func fuzzImages(magic: [UInt8], _ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
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
