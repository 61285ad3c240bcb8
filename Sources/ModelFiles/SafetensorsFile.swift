import GossamerTensors

/// A safetensors file, open for reading: https://github.com/huggingface/safetensors#format.
///
/// Opening reads and checks the header alone; a tensor's values are read when asked for, straight to where they go.
/// Files are little endian, as is every machine that is supported.
public struct SafetensorsFile: Sendable {
    /// The path, as named in errors.
    public let path: String
    public let metadata: [String: String]

    /// In the order of their data.
    public let tensors: [SafetensorsTensor]

    private let indices: [String: Int]
    private let source: ByteSource
    private let dataStart: Int
    /// Of all tensors.
    let dataByteCount: Int

    /// - Throws: `unreadable`, or `malformed` for any departure from the format.
    public init(contentsOf path: String) throws(ModelFileError) {
        let file = try OpenFile(path: path)
        try self.init(source: .file(file), path: path, byteCount: file.byteCount)
    }

    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - path: what errors call it.
    public init(bytes: [UInt8], path: String = "safetensors bytes") throws(ModelFileError) {
        try self.init(source: .bytes(bytes), path: path, byteCount: bytes.count)
    }

    private init(source: ByteSource, path: String, byteCount: Int) throws(ModelFileError) {
        let prefix: [UInt8] = try source.array(count: min(8, byteCount), from: 0)
        let length = try SafetensorsHeader.byteCount(prefix: prefix, fileByteCount: byteCount, file: path)
        dataStart = 8 + length
        let json: [UInt8] = try source.array(count: length, from: 8)
        dataByteCount = byteCount - dataStart
        let header = try SafetensorsHeader(json: json, dataByteCount: dataByteCount, file: path)
        self.path = path
        self.source = source
        metadata = header.metadata
        tensors = header.tensors
        indices = header.indices
    }

    /// In ascending order.
    public var names: [String] { indices.keys.sorted() }

    public func contains(_ name: String) -> Bool { indices[name] != nil }

    /// - Throws: `mismatch` where the file has no tensor of this name.
    public func tensor(_ name: String) throws(ModelFileError) -> SafetensorsTensor {
        guard let index = indices[name] else { throw mismatch(name, "a tensor of this name") }
        return tensors[index]
    }

    /// A tensor's values.
    ///
    /// - Parameter shape: what the tensor's shape must be; checked before memory is taken for the values.
    /// - Throws: `mismatch` where the name, the element type or the shape is not the file's; `unreadable`.
    public func values<Element: SafetensorsElement>(
        _ name: String, as type: Element.Type, shape: [Int]? = nil
    ) throws(ModelFileError) -> (shape: [Int], values: [Element]) {
        let tensor = try tensor(name, Element.self)
        if let shape, tensor.shape != shape { throw mismatch(name, "shape \(shape), found \(tensor.shape)") }
        let start = dataStart + tensor.byteRange.lowerBound
        return (tensor.shape, try source.array(count: tensor.count, from: start))
    }

    /// The values of a tensor of F32.
    public func floats(
        _ name: String, shape: [Int]? = nil
    ) throws(ModelFileError) -> (shape: [Int], values: [Float]) {
        try values(name, as: Float.self, shape: shape)
    }

    /// Reads a tensor's values to where they are needed.
    ///
    /// - Throws: `mismatch` where the name, the element type or the number of values is not the file's; `unreadable`.
    public func read<Element: SafetensorsElement>(
        _ name: String, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(ModelFileError) {
        let tensor = try tensor(name, Element.self)
        guard tensor.count == buffer.count else {
            throw mismatch(name, "\(buffer.count) values, found \(tensor.count)")
        }
        try source.read(into: UnsafeMutableRawBufferPointer(buffer), from: dataStart + tensor.byteRange.lowerBound)
    }

    /// The values of a tensor of F32, F16 or BF16 as single precision numbers.
    ///
    /// - Throws: `mismatch` where the name or the element type is not the file's; `unreadable`.
    public func floatsOfAnyPrecision(_ name: String) throws(ModelFileError) -> [Float] {
        let tensor = try tensor(name)
        func bits() throws(ModelFileError) -> [UInt16] {
            try source.array(count: tensor.count, from: dataStart + tensor.byteRange.lowerBound)
        }
        switch tensor.type {
        case .float32: return try floats(name).values
        case .float16: return try bits().map { Float(halfPrecision: $0) }
        case .bfloat16: return try bits().map { Float(brainFloat: $0) }
        default: throw mismatch(name, "dtype F32, F16 or BF16, found \(tensor.type.rawValue)")
        }
    }

    private func tensor<Element: SafetensorsElement>(
        _ name: String, _ type: Element.Type
    ) throws(ModelFileError) -> SafetensorsTensor {
        let tensor = try tensor(name)
        let expected = Element.safetensorsType
        guard tensor.type == expected else {
            throw mismatch(name, "dtype \(expected.rawValue), found \(tensor.type.rawValue)")
        }
        return tensor
    }

    private func mismatch(_ name: String, _ expected: String) -> ModelFileError {
        .mismatch(file: path, field: "tensor \(name)", expected: expected)
    }
}
