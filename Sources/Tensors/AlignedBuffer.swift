#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Owned, zeroed memory that starts on a 64-byte boundary, as the kernels' vector loads want it.
public struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Element>
    public let count: Int

    /// - Parameter count: elements; zero is allowed.
    public init(count: Int) {
        precondition(count >= 0)
        let bytes = Self.roundedByteCount(count)
        let raw = bytes >= Pages.smallestMapping ? Pages.map(bytes) : Self.allocate(bytes)
        guard let raw else { fatalError("out of memory: \(bytes) bytes") }
        pointer = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    deinit {
        let bytes = Self.roundedByteCount(count)
        if bytes >= Pages.smallestMapping { munmap(pointer, bytes) } else { free(pointer) }
    }

    private static func roundedByteCount(_ count: Int) -> Int {
        max(64, (count * MemoryLayout<Element>.stride + 63) / 64 * 64)
    }

    private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, 64, bytes) == 0, let raw else { return nil }
        memset(raw, 0, bytes)
        return raw
    }

    public var byteCount: Int { count * MemoryLayout<Element>.stride }

    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return pointer[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            pointer[index] = newValue
        }
    }
}

/// Memory straight from the system: it takes none until it is written, and all of it goes back at once.
private enum Pages {
    static let smallestMapping = 1 << 20
    /// Of huge pages, where the system uses them by itself.
    private static let alignment = 1 << 21

    /// Zeroed.
    static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let length = bytes + alignment
        guard let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let aligned = start.alignedUp(toMultipleOf: alignment)
        let end = (aligned + bytes).alignedUp(toMultipleOf: page)
        if aligned > start { munmap(start, aligned - start) }
        if start + length > end { munmap(end, start + length - end) }
        return aligned
    }
}
