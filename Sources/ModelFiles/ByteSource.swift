/// Bytes at any offset, of a file or of memory.
enum ByteSource: Sendable {
    case file(OpenFile)
    case bytes([UInt8])

    /// Fills `buffer` from `offset` on; the bytes must be there.
    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws(ModelFileError) {
        switch self {
        case .file(let file): try file.read(into: buffer, from: offset)
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset ..< offset + buffer.count]))
            }
        }
    }

    /// `count` elements from `offset` on, read once and straight into the array.
    func array<Element: BitwiseCopyable>(count: Int, from offset: Int) throws(ModelFileError) -> [Element] {
        var failure: ModelFileError?
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            do throws(ModelFileError) {
                let target = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
                try read(into: UnsafeMutableRawBufferPointer(target), from: offset)
                initializedCount = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return values
    }
}
