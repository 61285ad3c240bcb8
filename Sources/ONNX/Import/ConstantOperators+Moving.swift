// MARK: - Constants that are moved

extension ConstantOperators {
    /// A constant of the values of another at some places.
    static func picking(_ constant: Constant, _ places: [Int], shape: [Int]) throws(ImportError) -> Constant {
        if constant.isInteger {
            let values = try constant.integers()
            return Constant(shape: shape, integers: places.map { values[$0] })
        }
        let values = try constant.floats()
        return Constant(shape: shape, floats: places.map { values[$0] })
    }

    static func transposed(_ constant: Constant, _ order: [Int]) throws(ImportError) -> Constant {
        var strides = [Int](repeating: 1, count: order.count)
        for axis in constant.shape.indices.reversed().dropFirst() {
            strides[axis] = strides[axis + 1] * constant.shape[axis + 1]
        }
        let shape = order.map { constant.shape[$0] }
        let places = places(shape: shape, strides: order.map { strides[$0] })
        var result = try picking(constant, places, shape: shape)
        result.name = constant.name
        return result
    }

    /// For each value of a shape the sum of its indices times strides.
    private static func places(shape: [Int], strides: [Int]) -> [Int] {
        guard !shape.contains(0) else { return [] }
        var result = [0]
        for (size, stride) in zip(shape, strides) {
            var next: [Int] = []
            next.reserveCapacity(result.count * size)
            for base in result {
                for index in 0 ..< size { next.append(base + index * stride) }
            }
            result = next
        }
        return result
    }

    /// Some indices of an axis.
    static func taking(
        _ constant: Constant, axis: Int, _ indices: [Int], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let inner = constant.shape[(axis + 1)...].reduce(1, *)
        let outer = constant.shape[..<axis].reduce(1, *)
        var shape = constant.shape
        let size = shape[axis]
        shape[axis] = indices.count
        guard try computedCount(shape, &budget) > 0 else { return try picking(constant, [], shape: shape) }
        var places: [Int] = []
        for block in 0 ..< outer {
            for index in indices {
                let start = (block * size + index) * inner
                places.append(contentsOf: start ..< start + inner)
            }
        }
        return try picking(constant, places, shape: shape)
    }

    static func gathered(
        _ constant: Constant, _ node: Onnx_NodeProto, _ inputs: [Constant?], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        guard inputs.count > 1, let indices = inputs[1] else { throw ImportError("indices") }
        let along = try axis(node.integer("axis", default: 0), rank: constant.shape.count)
        let size = constant.shape[along]
        let chosen = try indices.integers().map { $0 < 0 ? $0 + size : $0 }
        guard chosen.allSatisfy({ (0 ..< size).contains($0) }) else { throw ImportError("indices below \(size)") }
        let taken = try taking(constant, axis: along, chosen, &budget)
        let shape: [Int] = constant.shape[..<along] + indices.shape + constant.shape[(along + 1)...]
        guard shape.count <= StoredTensor.largestRank,
            valueCount(shape, atMost: StoredTensor.largestCount) != nil
        else {
            throw ImportError("a result of at most \(StoredTensor.largestRank) axes, its sizes would be \(shape)")
        }
        return taken.reshaped(shape)
    }

    static func sliced(
        _ constant: Constant, _ node: Onnx_NodeProto,
        _ integers: (String, Int) throws(ImportError) -> [Int]?, _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let starts = try integers("starts", 1) ?? [], ends = try integers("ends", 2) ?? []
        let axes = try integers("axes", 3) ?? Array(starts.indices)
        let steps = try integers("steps", 4) ?? starts.map { _ in 1 }
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else {
            throw ImportError("a start, an end and a step for each axis")
        }
        guard try Self.axes(axes, rank: constant.shape.count).count == axes.count else {
            throw ImportError("distinct axes")
        }
        var result = constant
        for position in starts.indices {
            let along = try axis(axes[position], rank: constant.shape.count)
            let indices = try sliceIndices(
                start: starts[position], end: ends[position], step: steps[position], size: result.shape[along],
                &budget)
            result = try taking(result, axis: along, indices, &budget)
        }
        return result
    }

    static func concatenated(
        _ node: Onnx_NodeProto, _ inputs: [Constant?], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let constants = inputs.compactMap { $0 }
        let along = try axis(node.integer("axis", default: 1), rank: constants[0].shape.count)
        var shape = constants[0].shape
        shape[along] = 0
        for constant in constants {
            var others = constant.shape
            guard others.count == shape.count else { throw ImportError("constants of one rank") }
            shape[along] += others[along]
            others[along] = shape[along]
            guard others == shape, shape[along] <= StoredTensor.largestCount else {
                throw ImportError("constants that differ in one axis only")
            }
        }
        _ = try computedCount(shape, &budget)
        // Where a size is 0 the others may be of any size.
        let parts = constants.filter { $0.count > 0 }
        let outer = parts.isEmpty ? 0 : shape[..<along].reduce(1, *)
        func joined<Element>(_ values: [[Element]]) -> [Element] {
            (0 ..< outer).flatMap { block in
                values.flatMap { values in
                    let inner = values.count / max(1, outer)
                    return values[block * inner ..< (block + 1) * inner]
                }
            }
        }
        if constants.allSatisfy(\.isInteger) {
            return Constant(
                shape: shape,
                integers: joined(try parts.map { (constant) throws(ImportError) in try constant.integers() }))
        }
        return Constant(
            shape: shape, floats: joined(try parts.map { (constant) throws(ImportError) in try constant.floats() }))
    }

    /// The shape that two are broadcast to, for whose values the budget pays.
    static func broadcastShape(
        _ a: [Int], _ b: [Int], _ budget: inout ValueBudget
    ) throws(ImportError) -> [Int] {
        let rank = max(a.count, b.count)
        let first = Array(repeating: 1, count: rank - a.count) + a
        let second = Array(repeating: 1, count: rank - b.count) + b
        var result: [Int] = []
        for (x, y) in zip(first, second) {
            guard x == y || x == 1 || y == 1 else { throw ImportError("shapes that fit, found \(a) and \(b)") }
            result.append(x == 1 ? y : x)
        }
        _ = try computedCount(result, &budget)
        return result
    }

    static func broadcast(_ constant: Constant, to shape: [Int]) throws(ImportError) -> Constant {
        try picking(constant, broadcastPlaces(constant.shape, to: shape), shape: shape)
    }

    /// For each value of a shape its place in what is broadcast to that.
    static func broadcastPlaces(_ from: [Int], to shape: [Int]) -> [Int] {
        let sizes = Array(repeating: 1, count: shape.count - from.count) + from
        var strides = [Int](repeating: 0, count: shape.count)
        var stride = 1
        for axis in sizes.indices.reversed() {
            strides[axis] = sizes[axis] == 1 ? 0 : stride
            stride *= sizes[axis]
        }
        return places(shape: shape, strides: strides)
    }

    static func tiled(
        _ constant: Constant, _ repeats: [Int], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        guard repeats.count == constant.shape.count, repeats.allSatisfy({ (0 ... 1 << 24).contains($0) }) else {
            throw ImportError("a number of repeats for each axis")
        }
        var result = constant
        for (axis, count) in repeats.enumerated() where count != 1 {
            let size = result.shape[axis]
            let total = try computedCount([size, count], &budget)
            result = try taking(result, axis: axis, (0 ..< total).map { $0 % size }, &budget)
        }
        return result
    }
}
