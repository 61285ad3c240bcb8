import Foundation
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

extension Onnx_ValueInfoProto {
    /// [batch, channel, row, column], the batch open.
    static func images(_ name: String, _ shape: Shape) -> Self {
        value(name, [shape.channels, shape.height, shape.width])
    }

    /// [batch, class].
    static func logits(_ name: String, _ count: Int) -> Self { value(name, [count]) }

    private static func value(_ name: String, _ sizes: [Int]) -> Self {
        var batch = Onnx_TensorShapeProto.Dimension()
        batch.dimParam = "batch"
        let axes = sizes.map { size in
            var axis = Onnx_TensorShapeProto.Dimension()
            axis.dimValue = Int64(size)
            return axis
        }
        var value = Onnx_ValueInfoProto()
        value.name = name
        value.type.tensorType.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
        value.type.tensorType.shape.dim = [batch] + axes
        return value
    }
}

extension Onnx_AttributeProto {
    static func integer(_ name: String, _ value: Int) -> Self {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = Int64(value)
        return attribute
    }

    static func float(_ name: String, _ value: Float) -> Self {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .float
        attribute.f = value
        return attribute
    }

    static func integers(_ name: String, _ values: [Int]) -> Self {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values.map(Int64.init)
        return attribute
    }
}

extension [Onnx_AttributeProto] {
    /// Of a convolution or pooling.
    static func window(_ geometry: WindowGeometry, _ padding: Padding) -> Self {
        [
            .integers("kernel_shape", [geometry.kernel.height, geometry.kernel.width]),
            .integers("strides", [geometry.stride.height, geometry.stride.width]),
            .integers("pads", geometry.pads(padding)),
        ] + (geometry.dilation == Size(1)
            ? [] : [.integers("dilations", [geometry.dilation.height, geometry.dilation.width])])
    }
}

extension WindowGeometry {
    /// Top, left, bottom, right.
    fileprivate func pads(_ padding: Padding) -> [Int] {
        switch padding {
        case .valid: return [0, 0, 0, 0]
        case .explicit(let top, let left, let bottom, let right): return [top, left, bottom, right]
        case .same:
            let bottom = (output.height - 1) * stride.height + extent.height - input.height - paddingTop
            let right = (output.width - 1) * stride.width + extent.width - input.width - paddingLeft
            return [paddingTop, paddingLeft, max(0, bottom), max(0, right)]
        }
    }
}

extension Onnx_TensorProto {
    static func floats(_ name: String, _ values: [Float], _ shape: [Int]) -> Self {
        tensor(name, .float, shape, values.withUnsafeBytes { Data($0) })
    }

    static func integers(_ name: String, _ values: [Int]) -> Self {
        tensor(name, .int64, [values.count], values.map(Int64.init).withUnsafeBytes { Data($0) })
    }

    /// The kernels [connection][row][column] of a convolution as [filter][channel of the group][row][column], zero
    /// where there is no connection.
    ///
    /// - Parameters:
    ///   - groups: runs of channels of which each filter reads one at most.
    ///   - scale: of each filter; nil for one.
    static func kernel(
        _ name: String, _ values: [Float], table: ConnectionTable, groups: Int = 1, size: Size, scale: [Float]?
    ) -> Self {
        let area = size.height * size.width
        let channels = table.inputCount / groups
        var bytes = Data(count: 4 * table.outputCount * channels * area)
        bytes.withUnsafeMutableBytes { buffer in
            let dense = buffer.assumingMemoryBound(to: Float.self)
            for filter in 0 ..< table.outputCount {
                let factor = scale?[filter] ?? 1
                for connection in Int(table.rowStarts[filter]) ..< Int(table.rowStarts[filter + 1]) {
                    let target = (filter * channels + Int(table.inputs[connection]) % channels) * area
                    for tap in 0 ..< area { dense[target + tap] = values[connection * area + tap] * factor }
                }
            }
        }
        return tensor(name, .float, [table.outputCount, channels, size.height, size.width], bytes)
    }

    /// The same values without the zeros, each with its place among all; nil where that takes no less space.
    var sparse: Onnx_SparseTensorProto? {
        let dense = rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let places = dense.indices.filter { dense[$0] != 0 }
        let bytesOfEach = MemoryLayout<Float>.size + MemoryLayout<Int64>.size
        guard !places.isEmpty, places.count * bytesOfEach < rawData.count else { return nil }
        var sparse = Onnx_SparseTensorProto()
        sparse.values = .floats(name, places.map { dense[$0] }, [places.count])
        sparse.indices = .integers("", places)
        sparse.dims = dims
        return sparse
    }

    /// Raw data is little-endian, as is every machine that Gossamer runs on.
    private static func tensor(_ name: String, _ type: DataType, _ shape: [Int], _ bytes: Data) -> Self {
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.dataType = Int32(type.rawValue)
        tensor.dims = shape.map(Int64.init)
        tensor.rawData = bytes
        return tensor
    }
}
