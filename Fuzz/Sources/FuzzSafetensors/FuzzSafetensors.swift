import GossamerModelFiles

/// Reads a file and all its tensors, and writes what was accepted: it must read back as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let file = try? SafetensorsFile(bytes: bytes) else { return 0 }
    do {
        let written = try copy(of: file).serialized()
        let again = try SafetensorsFile(bytes: written)
        precondition(again.metadata == file.metadata && again.names == file.names)
        let rewritten = try copy(of: again).serialized()
        precondition(rewritten == written)
    } catch {
        fatalError("an accepted file does not survive: \(error)")
    }
    return 0
}

func copy(of file: SafetensorsFile) throws(ModelFileError) -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: file.metadata)
    for tensor in file.tensors {
        switch tensor.type {
        case .uint8: try copy(tensor, as: UInt8.self, from: file, to: &writer)
        case .float16, .bfloat16:
            writer.add(tensor.name, shape: tensor.shape, values: try file.floatsOfAnyPrecision(tensor.name))
        case .uint16: try copy(tensor, as: UInt16.self, from: file, to: &writer)
        case .int32: try copy(tensor, as: Int32.self, from: file, to: &writer)
        case .int64: try copy(tensor, as: Int64.self, from: file, to: &writer)
        case .float32: try copy(tensor, as: Float.self, from: file, to: &writer)
        case .float64: try copy(tensor, as: Double.self, from: file, to: &writer)
        }
    }
    return writer
}

func copy<Element: SafetensorsElement>(
    _ tensor: SafetensorsTensor, as type: Element.Type, from file: SafetensorsFile, to writer: inout SafetensorsWriter
) throws(ModelFileError) {
    let (shape, values) = try file.values(tensor.name, as: type)
    precondition(shape == tensor.shape && values.count == tensor.count)
    writer.add(tensor.name, shape: shape, values: values)
}
