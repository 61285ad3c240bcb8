/// The element types that are read and written, in the order in which the reference implementation sorts tensors
/// (ascending; files store the widest first, so that every tensor starts on a multiple of its element's size).
public enum SafetensorsType: String, CaseIterable, Sendable {
    case uint8 = "U8"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"

    public var byteCount: Int {
        switch self {
        case .uint8: 1
        case .uint16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .float64, .int64: 8
        }
    }

    /// The place in the order above.
    var rank: Int { Self.allCases.firstIndex(of: self)! }
}

/// A Swift type whose values a tensor can hold.
public protocol SafetensorsElement: BitwiseCopyable, Sendable {
    static var safetensorsType: SafetensorsType { get }
}

extension UInt8: SafetensorsElement { public static var safetensorsType: SafetensorsType { .uint8 } }
extension UInt16: SafetensorsElement { public static var safetensorsType: SafetensorsType { .uint16 } }
extension Int32: SafetensorsElement { public static var safetensorsType: SafetensorsType { .int32 } }
extension Float: SafetensorsElement { public static var safetensorsType: SafetensorsType { .float32 } }
extension Double: SafetensorsElement { public static var safetensorsType: SafetensorsType { .float64 } }
extension Int64: SafetensorsElement { public static var safetensorsType: SafetensorsType { .int64 } }

/// A tensor's entry in the header.
public struct SafetensorsTensor: Hashable, Sendable {
    public let name: String
    public let type: SafetensorsType

    /// Sizes, outermost first; empty for a single value.
    public let shape: [Int]

    /// Where the values lie, in bytes from the end of the header.
    public let byteRange: Range<Int>

    /// Values in the tensor.
    public var count: Int { byteRange.count / type.byteCount }
}

/// The product of a shape, or nil where it overflows or a size is negative.
func elementCount(_ shape: [Int]) -> Int? {
    var product = 1
    for size in shape {
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        if overflow || size < 0 { return nil }
        product = next
    }
    return product
}
