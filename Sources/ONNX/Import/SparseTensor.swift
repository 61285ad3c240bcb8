/// A tensor of which a file holds the values that are not zero.
enum SparseTensor {
    /// With its zeros, for which the budget pays.
    static func dense(
        _ tensor: Onnx_SparseTensorProto, files: inout ExternalFiles, _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let values = try StoredTensor(tensor.values, files: &files)
        let indices = try StoredTensor(tensor.indices, files: &files)
        let shape = tensor.dims.map(Int.init)
        guard (1 ... StoredTensor.largestRank).contains(shape.count),
            let count = valueCount(shape, atMost: StoredTensor.largestCount), count > 0
        else {
            throw ImportError(
                "1 to \(StoredTensor.largestRank) sizes of at most \(StoredTensor.largestCount) values")
        }
        try budget.spend(count)
        try budget.spend(indices.count)
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
        let areFlat = indices.shape == [valueCount]
        guard areFlat || indices.shape == [valueCount, shape.count] else {
            throw ImportError("an index for each value")
        }
        let numbers = try indices.integers()
        if areFlat { return numbers }
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
