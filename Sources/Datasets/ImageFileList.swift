/// The names and sizes of image files, in little memory.
struct ImageFileList: Sendable {
    private var nameBytes: [UInt8] = []
    private var nameEnds: [Int] = []
    private var byteCounts: [Int32] = []
    /// Folders or archives, each with its first file.
    private var roots: [(text: String, first: Int)] = []
    /// Bytes of all files together.
    private(set) var byteCount = 0

    var count: Int { byteCounts.count }

    /// The files added from now on lie in this folder or archive.
    ///
    /// - Parameter text: what stands before a file's name to make a path of it, or a message.
    mutating func beginRoot(_ text: String) { roots.append((text, count)) }

    /// - Throws: for a file that is larger than images may be, which also keeps sizes within 32 bits.
    mutating func append(_ name: String, byteCount: Int) throws(DatasetError) {
        try requireImageByteCount(byteCount, of: (roots.last?.text ?? "") + name)
        nameBytes += name.utf8
        nameEnds.append(nameBytes.count)
        byteCounts.append(Int32(byteCount))
        self.byteCount += byteCount
    }

    /// With its folder or archive.
    func path(_ index: Int) -> String {
        let root = roots.last { $0.first <= index }?.text ?? ""
        return root + String(decoding: nameBytes[nameRange(index)], as: UTF8.self)
    }

    func byteCount(_ index: Int) -> Int { Int(byteCounts[index]) }

    /// Name and size of a file, without the place of its folder or archive, which may move.
    func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        nameBytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[nameRange(index)])) }
        withUnsafeBytes(of: Int64(byteCounts[index]).littleEndian, body)
    }

    private func nameRange(_ index: Int) -> Range<Int> { (index == 0 ? 0 : nameEnds[index - 1]) ..< nameEnds[index] }
}
