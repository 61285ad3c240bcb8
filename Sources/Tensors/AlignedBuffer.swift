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
        let bytes = max(64, (count * MemoryLayout<Element>.stride + 63) / 64 * 64)
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, bytes >= 1 << 21 ? 1 << 21 : 64, bytes) == 0, let raw else {
            fatalError("out of memory: \(bytes) bytes")
        }
        memset(raw, 0, bytes)
        pointer = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    deinit { free(pointer) }

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
