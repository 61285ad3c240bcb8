import CZlib
import GossamerTensors

/// Bytes of a file or of memory, inflated on the way where they begin as a gzip stream does.
///
/// Whatever a stream claims to hold, the reader itself needs two chunks of memory and does no more work than it is
/// asked for bytes.
final class ByteReader {
    /// Writes the next bytes into the buffer and returns how many; 0 at the end.
    typealias Refill = (UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int

    /// What error messages call the source.
    let name: String
    private let sourceByteCount: Int
    /// Whether a gzip stream may follow another, as programs that compress in parallel write.
    private let allowsMembers: Bool
    private let refill: Refill
    private let input = AlignedBuffer<UInt8>(count: 1 << 16)
    private let output = AlignedBuffer<UInt8>(count: 1 << 16)
    /// The part of `input` that was not consumed yet.
    private var pending = 0 ..< 0
    /// Present where the source is compressed. zlib wants it to stay at one address.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var streamHasEnded = false

    /// - Parameter byteCount: the size of the source, before inflating.
    init(
        name: String, byteCount: Int, allowsMembers: Bool = false, refill: @escaping Refill
    ) throws(DatasetError) {
        self.name = name
        self.allowsMembers = allowsMembers
        sourceByteCount = byteCount
        self.refill = refill
        try fillInput()
        if pending.count >= 2, input[0] == 0x1f, input[1] == 0x8b { try startInflating() }
    }

    convenience init(name: String, bytes: [UInt8], allowsMembers: Bool = false) throws(DatasetError) {
        var position = 0
        try self.init(name: name, byteCount: bytes.count, allowsMembers: allowsMembers) { target in
            let count = min(target.count, bytes.count - position)
            target.copyBytes(from: bytes[position ..< position + count])
            position += count
            return count
        }
    }

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// The most bytes that the source can hold, since deflate expands by at most 1032.
    var byteCountLimit: Int { stream == nil ? sourceByteCount : sourceByteCount.multipliedClamped(by: 1032) }

    /// Exactly `count` bytes; memory grows with those that arrive.
    ///
    /// - Parameter field: what error messages call the bytes.
    func bytes(_ count: Int, field: String) throws(DatasetError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(count, byteCountLimit, 1 << 26))
        while bytes.count < count {
            let wanted = min(count - bytes.count, output.count)
            let found = try readOutput(wanted)
            bytes.append(contentsOf: UnsafeBufferPointer(start: output.pointer, count: found))
            guard found == wanted else {
                throw .truncated(file: name, field: field, expectedBytes: count, foundBytes: bytes.count)
            }
        }
        return bytes
    }

    /// Passes over bytes.
    ///
    /// - Returns: how many, fewer than `count` only at the end.
    func skip(_ count: Int) throws(DatasetError) -> Int {
        var skipped = 0
        while skipped < count {
            let found = try readOutput(min(count - skipped, output.count))
            if found == 0 { break }
            skipped += found
        }
        return skipped
    }

    /// Whether the source ends here.
    func isAtEnd() throws(DatasetError) -> Bool {
        guard let stream else {
            if pending.isEmpty { try fillInput() }
            return pending.isEmpty
        }
        // Without room for output zlib goes on until there is some, or to the end of the stream.
        while !streamHasEnded {
            _ = try inflateOutput(0, stream)
            if !pending.isEmpty || streamHasEnded { break }
        }
        return streamHasEnded
    }

    /// Throws unless the source ends here, and a compressed one with the right checksum.
    ///
    /// - Parameter field: the last field, for the error message.
    func expectEnd(after field: String) throws(DatasetError) {
        guard try readOutput(1) == 0 else { throw .trailingBytes(file: name, after: field) }
        if pending.isEmpty { try fillInput() }
        guard pending.isEmpty else { throw .trailingBytes(file: name, after: "the gzip stream") }
    }

    /// Fills `output` with up to `count` bytes, fewer only at the end.
    private func readOutput(_ count: Int) throws(DatasetError) -> Int {
        if let stream { return try inflateOutput(count, stream) }
        var found = 0
        while found < count {
            if pending.isEmpty, try fillInput() == 0 { break }
            let part = min(count - found, pending.count)
            (output.pointer + found).update(from: input.pointer + pending.lowerBound, count: part)
            pending = pending.dropFirst(part)
            found += part
        }
        return found
    }

    private func inflateOutput(
        _ count: Int, _ stream: UnsafeMutablePointer<z_stream>
    ) throws(DatasetError) -> Int {
        stream.pointee.next_out = output.pointer
        stream.pointee.avail_out = UInt32(count)
        repeat {
            guard !streamHasEnded else { break }
            if pending.isEmpty, try fillInput() == 0 {
                throw .corruptGzip(file: name, reason: "it ends before its checksum")
            }
            stream.pointee.next_in = input.pointer + pending.lowerBound
            stream.pointee.avail_in = UInt32(pending.count)
            let status = inflate(stream, Z_NO_FLUSH)
            pending = pending.suffix(Int(stream.pointee.avail_in))
            switch status {
            // A buffer error says that there was no room for output.
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: streamHasEnded = try !beginNextMember(stream)
            default: throw .corruptGzip(file: name, reason: reason(status, stream))
            }
        } while stream.pointee.avail_out > 0
        return count - Int(stream.pointee.avail_out)
    }

    /// Whether another gzip stream follows; anything else is an error.
    private func beginNextMember(_ stream: UnsafeMutablePointer<z_stream>) throws(DatasetError) -> Bool {
        guard allowsMembers else { return false }
        if pending.isEmpty, try fillInput() == 0 { return false }
        guard inflateReset(stream) == Z_OK else { throw .corruptGzip(file: name, reason: "it cannot go on") }
        return true
    }

    @discardableResult
    private func fillInput() throws(DatasetError) -> Int {
        var filled = 0
        while filled < input.count {
            let target = UnsafeMutableRawBufferPointer(start: input.pointer + filled, count: input.count - filled)
            let count = try refill(target)
            if count == 0 { break }
            filled += count
        }
        pending = 0 ..< filled
        return filled
    }

    private func startInflating() throws(DatasetError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.stream = stream
        // A window of 2^15, and 16 for a gzip header and trailer.
        let status = gsm_inflate_init2(stream, 15 + 16)
        guard status == Z_OK else { throw .corruptGzip(file: name, reason: reason(status, stream)) }
    }

    private func reason(_ status: Int32, _ stream: UnsafeMutablePointer<z_stream>) -> String {
        if let message = stream.pointee.msg { return String(cString: message) }
        return status == Z_NEED_DICT ? "it needs a dictionary" : "zlib's error \(status)"
    }
}

extension Int {
    fileprivate func multipliedClamped(by factor: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: factor)
        return overflows ? .max : product
    }
}
