import Foundation
import GossamerModelFiles
import GossamerTensors

/// A tensor as a file holds it, checked but not yet read: in the message, or in a file of its own.
struct StoredTensor {
    private enum Place {
        case message(Onnx_TensorProto)
        case external(OpenFile, offset: Int)
    }

    let type: Onnx_TensorProto.DataType
    private(set) var shape: [Int]
    let count: Int
    private let place: Place

    static let largestRank = 16
    static let largestCount = 1 << 40

    /// - Throws: ``ImportError`` where the sizes do not fit the values that are there.
    init(_ tensor: Onnx_TensorProto, files: inout ExternalFiles) throws(ImportError) {
        guard let type = Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType)), type.byteCount != nil else {
            throw ImportError("numbers of at most 64 bits, it holds values of type \(tensor.dataType)")
        }
        self.type = type
        shape = tensor.dims.map(Int.init)
        count = try Self.checkedCount(shape)
        if tensor.dataLocation == .external {
            let (file, offset) = try files.place(of: tensor.externalData, byteCount: count * type.byteCount!)
            place = .external(file, offset: offset)
            return
        }
        guard tensor.rawData.isEmpty ? tensor.valueCount(type) == count
            : tensor.rawData.count == count * type.byteCount!
        else { throw ImportError("\(count) values, as its sizes \(shape) say") }
        place = .message(tensor)
    }

    private static func checkedCount(_ shape: [Int]) throws(ImportError) -> Int {
        guard shape.count <= largestRank else { throw ImportError("at most \(largestRank) sizes") }
        guard let count = valueCount(shape, atMost: largestCount) else {
            throw ImportError("sizes of at most \(largestCount) values, it has \(shape)")
        }
        return count
    }

    var isInteger: Bool { type.isInteger }
    /// Of the values as the file has them in raw data.
    var byteCount: Int { count * type.byteCount! }

    /// The same values with other sizes of the same product.
    func reshaped(_ shape: [Int]) -> StoredTensor {
        var result = self
        result.shape = shape
        return result
    }

    /// The values as single precision numbers.
    func floats() throws(ImportError) -> [Float] {
        if type.isInteger { return try integers().map(Float.init) }
        if case .message(let tensor) = place, tensor.rawData.isEmpty {
            switch type {
            case .float: return tensor.floatData
            case .double: return tensor.doubleData.map(Float.init)
            default: return tensor.int32Data.map { type.float(bits: UInt16(truncatingIfNeeded: $0)) }
            }
        }
        switch type {
        case .float: return try elements(Float.self)
        case .double: return try elements(Double.self).map(Float.init)
        default: return try elements(UInt16.self).map { type.float(bits: $0) }
        }
    }

    /// The values of an integer or boolean tensor.
    func integers() throws(ImportError) -> [Int] {
        guard type.isInteger else { throw ImportError("whole numbers") }
        if case .message(let tensor) = place, tensor.rawData.isEmpty {
            switch type {
            case .int64: return tensor.int64Data.map(Int.init)
            case .uint32, .uint64: return tensor.uint64Data.map { Int(clamping: $0) }
            default: return tensor.int32Data.map(Int.init)
            }
        }
        switch type {
        case .int64: return try elements(Int64.self).map(Int.init)
        case .uint64: return try elements(UInt64.self).map { Int(clamping: $0) }
        case .int32: return try elements(Int32.self).map(Int.init)
        case .uint32: return try elements(UInt32.self).map(Int.init)
        case .int16: return try elements(Int16.self).map(Int.init)
        case .uint16: return try elements(UInt16.self).map(Int.init)
        case .int8: return try elements(Int8.self).map(Int.init)
        default: return try elements(UInt8.self).map(Int.init)
        }
    }

    /// Raw data is little-endian, as is every machine that Gossamer runs on.
    private func elements<Element: BitwiseCopyable>(_ type: Element.Type) throws(ImportError) -> [Element] {
        var failure: ModelFileError?
        let result = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            switch place {
            case .message(let tensor): tensor.rawData.withUnsafeBytes { target.copyMemory(from: $0) }
            case .external(let file, let offset):
                do throws(ModelFileError) {
                    try file.read(into: target, from: offset)
                } catch {
                    failure = error
                    return
                }
            }
            initialized = count
        }
        if let failure { throw ImportError("values that can be read: \(failure)") }
        return result
    }
}

extension Onnx_TensorProto.DataType {
    /// Of an element in raw data; nil for texts, complex numbers and numbers of less than a byte.
    fileprivate var byteCount: Int? {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .float, .int32, .uint32: 4
        case .double, .int64, .uint64: 8
        default: nil
        }
    }

    fileprivate var isInteger: Bool {
        switch self {
        case .float, .double, .float16, .bfloat16: false
        default: true
        }
    }

    /// The value of a half precision or a brain float.
    fileprivate func float(bits: UInt16) -> Float {
        self == .bfloat16 ? Float(brainFloat: bits) : Float(halfPrecision: bits)
    }
}

extension Onnx_TensorProto {
    /// Values that the message holds outside of its raw data.
    fileprivate func valueCount(_ type: DataType) -> Int {
        switch type {
        case .float: floatData.count
        case .double: doubleData.count
        case .int64: int64Data.count
        case .uint32, .uint64: uint64Data.count
        default: int32Data.count
        }
    }
}
