/// A tensor of which a file holds the values that are not zero.
enum SparseTensor {
    /// Weights of more values are refused: a short file would ask for much memory.
    private static let largestExpansion = 1 << 28

    static func dense(_ tensor: Onnx_SparseTensorProto, files: inout ExternalFiles) throws(ImportError) -> Constant {
        let values = try StoredTensor(tensor.values, files: &files)
        let indices = try StoredTensor(tensor.indices, files: &files)
        var count = 1
        for size in tensor.dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(size))
            guard size > 0, !overflow, product <= largestExpansion else {
                throw ImportError("sizes of at most \(largestExpansion) values, found \(tensor.dims)")
            }
            count = product
        }
        let shape = tensor.dims.map(Int.init)
        let places = try places(indices, valueCount: values.count, shape: shape)
        guard zip(places, places.dropFirst()).allSatisfy(<), places.allSatisfy({ (0 ..< count).contains($0) }) else {
            throw ImportError("ascending indices below \(count)")
        }
        var result = [Float](repeating: 0, count: count)
        for (place, value) in zip(places, try values.floats()) { result[place] = value }
        var constant = Constant(shape: shape, floats: result)
        constant.name = tensor.values.name
        return constant
    }

    /// Of each value its place among all; the file has that, or an index for every axis.
    private static func places(
        _ indices: StoredTensor, valueCount: Int, shape: [Int]
    ) throws(ImportError) -> [Int] {
        let numbers = try indices.integers()
        if indices.shape == [valueCount] { return numbers }
        guard indices.shape == [valueCount, shape.count] else { throw ImportError("an index for each value") }
        return try (0 ..< valueCount).map { (row) throws(ImportError) in
            var place = 0
            for (axis, size) in shape.enumerated() {
                let index = numbers[row * shape.count + axis]
                guard (0 ..< size).contains(index) else { throw ImportError("indices within \(shape)") }
                place = place * size + index
            }
            return place
        }
    }
}
