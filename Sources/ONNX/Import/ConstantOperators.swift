import Foundation

/// Computes operators on constants: the arithmetic of shapes that exporters leave in a graph, and changes of weights.
enum ConstantOperators {
    /// Types of numbers with fractions.
    static let realTypes: Set = [1, 10, 11, 16]
    /// Operators that leave the values of their first input where they are.
    private static let renamings: Set = [
        "Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
    ]

    /// - Parameters:
    ///   - inputs: nil where one is left out.
    ///   - budget: pays for the values that are read, and for those that are made where they may be more.
    /// - Returns: the node's outputs.
    static func evaluate(
        _ node: Onnx_NodeProto, _ inputs: [Constant?], _ budget: inout ValueBudget
    ) throws(ImportError) -> [Constant] {
        guard let first = inputs.first.flatMap({ $0 }) else {
            if node.opType == "Concat" || inputs.isEmpty { throw ImportError("constants to compute with") }
            throw ImportError("a first input")
        }
        func integers(_ name: String, _ index: Int) throws(ImportError) -> [Int]? {
            if let values = node.integers(name) { return values }
            guard index < inputs.count, let constant = inputs[index] else { return nil }
            return try constant.integers()
        }
        for (index, input) in inputs.enumerated() where index > 0 || !renamings.contains(node.opType) {
            try budget.spend(input?.count ?? 0)
        }
        let rank = first.shape.count
        switch node.opType {
        case "Identity", "Dropout": return [first]
        case "Cast": return [try cast(first, to: node.integer("to", default: 1), &budget)]
        case "Reshape":
            let target = try resolved(
                try integers("shape", 1) ?? [], of: first.shape, keepsZeros: node.integer("allowzero", default: 0) != 0)
            return [first.reshaped(target)]
        case "Flatten":
            let end = try axis(node.integer("axis", default: 1), rank: max(1, rank))
            return [first.reshaped([first.shape.prefix(end).reduce(1, *), first.shape.dropFirst(end).reduce(1, *)])]
        case "Squeeze":
            let axes = try integers("axes", 1).map { (named) throws(ImportError) in try Self.axes(named, rank: rank) }
            let kept = first.shape.indices.filter { axes?.contains($0) == false || axes == nil && first.shape[$0] != 1 }
            let shape = kept.map { first.shape[$0] }
            guard shape.reduce(1, *) == first.count else { throw ImportError("axes of size 1") }
            return [first.reshaped(shape)]
        case "Unsqueeze":
            let named = try integers("axes", 1) ?? []
            let axes = try Self.axes(named, rank: rank + named.count)
            guard axes.count == named.count, rank + named.count <= StoredTensor.largestRank else {
                throw ImportError("distinct axes")
            }
            var rest = first.shape[...]
            return [first.reshaped((0 ..< rank + named.count).map { axes.contains($0) ? 1 : rest.removeFirst() })]
        case "Transpose":
            let order = node.integers("perm") ?? Array(first.shape.indices.reversed())
            guard order.sorted() == Array(first.shape.indices) else { throw ImportError("a permutation of axes") }
            return [try transposed(first, order)]
        case "Concat": return [try concatenated(node, inputs, &budget)]
        case "Slice": return [try sliced(first, node, integers, &budget)]
        case "Gather": return [try gathered(first, node, inputs, &budget)]
        case "Split":
            let along = try axis(node.integer("axis", default: 0), rank: rank)
            _ = try computedCount([first.shape[along]], &budget)
            let sizes = try parts(try integers("split", 1), of: first.shape[along], count: node.output.count)
            let whole = try first.loaded()
            var start = 0
            return try sizes.map { (size) throws(ImportError) in
                defer { start += size }
                return try taking(whole, axis: along, Array(start ..< start + size), &budget)
            }
        case "Expand":
            let shape = try broadcastShape(first.shape, try integers("shape", 1) ?? [], &budget)
            return [try broadcast(first, to: shape)]
        case "Tile": return [try tiled(first, try integers("repeats", 1) ?? [], &budget)]
        case "ConstantOfShape": return [try filled(node, first.integers(), &budget)]
        case "Range": return [try range(inputs, &budget)]
        default: return [try arithmetic(node, inputs, &budget)]
        }
    }

    // MARK: - Sources

    /// The value of a Constant node.
    static func constant(
        _ node: Onnx_NodeProto, _ files: inout ExternalFiles, _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        for attribute in node.attribute {
            switch attribute.name {
            case "value": return Constant(try StoredTensor(attribute.t, files: &files), name: node.output.first)
            case "sparse_value": return try SparseTensor.dense(attribute.sparseTensor, files: &files, &budget)
            case "value_int": return Constant(shape: [], integers: [Int(attribute.i)])
            case "value_ints": return Constant(shape: [attribute.ints.count], integers: attribute.ints.map(Int.init))
            case "value_float": return Constant(shape: [], floats: [attribute.f])
            case "value_floats": return Constant(shape: [attribute.floats.count], floats: attribute.floats)
            default: continue
            }
        }
        throw ImportError("a value of numbers")
    }

    /// The sizes of a value, or their product.
    static func shape(_ node: Onnx_NodeProto, _ sizes: [Int]) throws(ImportError) -> Constant {
        if node.opType == "Size" { return Constant(shape: [], integers: [sizes.reduce(1, *)]) }
        func bound(_ name: String, _ missing: Int) -> Int {
            let index = node.integer(name, default: missing)
            return min(max(index < 0 ? index + sizes.count : index, 0), sizes.count)
        }
        let start = bound("start", 0)
        let chosen = Array(sizes[start ..< max(start, bound("end", sizes.count))])
        return Constant(shape: [chosen.count], integers: chosen)
    }

    private static func filled(
        _ node: Onnx_NodeProto, _ shape: [Int], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let count = try computedCount(shape, &budget)
        guard let attribute = node.attributeNamed("value") else {
            return Constant(shape: shape, floats: Array(repeating: 0, count: count))
        }
        var files = ExternalFiles(folder: nil)
        let value = Constant(try StoredTensor(attribute.t, files: &files))
        guard value.count == 1 else { throw ImportError("a single value") }
        if value.isInteger {
            return Constant(shape: shape, integers: Array(repeating: try value.integers()[0], count: count))
        }
        return Constant(shape: shape, floats: Array(repeating: try value.floats()[0], count: count))
    }

    private static func range(
        _ inputs: [Constant?], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        guard inputs.count == 3, let start = inputs[0], let limit = inputs[1], let step = inputs[2],
            start.count == 1, limit.count == 1, step.count == 1
        else { throw ImportError("a start, a limit and a step") }
        if start.isInteger && limit.isInteger && step.isInteger {
            return try range(
                from: start.integers()[0], to: limit.integers()[0], by: step.integers()[0], &budget)
        }
        let a = try start.doubles()[0], b = try limit.doubles()[0], c = try step.doubles()[0]
        let steps = ((b - a) / c).rounded(.up)
        guard a.isFinite, b.isFinite, c.isFinite, c != 0, steps <= Double(Constant.largestComputedCount) else {
            throw ImportError("a range of at most \(Constant.largestComputedCount) values")
        }
        let count = try computedCount([Int(max(0, steps))], &budget)
        return Constant(shape: [count], floats: (0 ..< count).map { Float(a + Double($0) * c) })
    }

    private static func range(
        from start: Int, to limit: Int, by step: Int, _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let (distance, overflow) = limit.subtractingReportingOverflow(start)
        guard step != 0, !overflow else {
            throw ImportError("a range of at most \(Constant.largestComputedCount) values")
        }
        var count = 0
        if distance.signum() == step.signum() {
            let (steps, rest) = distance.magnitude.quotientAndRemainder(dividingBy: step.magnitude)
            count = Int(clamping: steps + (rest > 0 ? 1 : 0))
        }
        count = try computedCount([count], &budget)
        return Constant(shape: [count], integers: (0 ..< count).map { start + $0 * step })
    }

    private static func cast(
        _ constant: Constant, to type: Int, _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let isReal = realTypes.contains(type), isBoolean = type == 9
        guard isReal || isBoolean || [2, 3, 4, 5, 6, 7, 12, 13].contains(type) else {
            throw ImportError("a cast to numbers")
        }
        if !isBoolean && isReal != constant.isInteger { return constant }
        try budget.spend(constant.count)
        if isReal { return Constant(shape: constant.shape, floats: try constant.floats()) }
        if isBoolean {
            return Constant(shape: constant.shape, integers: try constant.floats().map { $0 == 0 ? 0 : 1 })
        }
        let values = try constant.floats()
        guard values.allSatisfy({ abs($0) < 1e18 }) else { throw ImportError("numbers that fit integers") }
        return Constant(shape: constant.shape, integers: values.map { Int($0) })
    }

    // MARK: - Shapes

    /// How many values a computed constant of some sizes has, for which the budget pays.
    static func computedCount(_ shape: [Int], _ budget: inout ValueBudget) throws(ImportError) -> Int {
        guard shape.count <= StoredTensor.largestRank else {
            throw ImportError("at most \(StoredTensor.largestRank) axes")
        }
        guard let count = valueCount(shape, atMost: Constant.largestComputedCount) else {
            throw ImportError(
                "computed constants of at most \(Constant.largestComputedCount) values, it has \(shape)")
        }
        try budget.spend(count)
        return count
    }

    static func axes(_ named: [Int], rank: Int) throws(ImportError) -> Set<Int> {
        var result: Set<Int> = []
        for index in named { result.insert(try axis(index, rank: rank)) }
        return result
    }

    /// The shape that a Reshape asks for: 0 keeps an axis, -1 is what is left.
    static func resolved(_ target: [Int], of sizes: [Int], keepsZeros: Bool) throws(ImportError) -> [Int] {
        guard target.count <= StoredTensor.largestRank else {
            throw ImportError("at most \(StoredTensor.largestRank) axes")
        }
        let total = sizes.reduce(1, *)
        var result = target
        for index in target.indices where target[index] == 0 && !keepsZeros {
            guard index < sizes.count else { throw ImportError("zeros only for axes of the input") }
            result[index] = sizes[index]
        }
        guard var known = valueCount(result.filter { $0 != -1 }, atMost: StoredTensor.largestCount) else {
            throw ImportError("a shape of \(total) values, found \(target)")
        }
        if let open = result.firstIndex(of: -1) {
            guard result.count(where: { $0 == -1 }) == 1, known > 0, total % known == 0 else {
                throw ImportError("a shape of \(total) values, found \(target)")
            }
            result[open] = total / known
            known = total
        }
        guard known == total else { throw ImportError("a shape of \(total) values, found \(target)") }
        return result
    }

    /// The sizes of the parts of a Split.
    static func parts(_ sizes: [Int]?, of size: Int, count: Int) throws(ImportError) -> [Int] {
        guard count > 0 else { throw ImportError("outputs") }
        let each = (size + count - 1) / count
        let parts = sizes ?? (0 ..< count).map { max(0, min(each, size - $0 * each)) }
        guard parts.count == count, parts.allSatisfy({ (0 ... size).contains($0) }), parts.reduce(0, +) == size else {
            throw ImportError("parts that are \(size) together, found \(parts)")
        }
        return parts
    }

    /// The indices that a slice of an axis takes, for which the budget pays.
    static func sliceIndices(
        start: Int, end: Int, step: Int, size: Int, _ budget: inout ValueBudget
    ) throws(ImportError) -> [Int] {
        guard step != 0 else { throw ImportError("a step that is not 0") }
        let far = Int(Int32.max)
        let step = min(max(step, -far), far)
        func bound(_ index: Int, _ range: ClosedRange<Int>) -> Int {
            let index = min(max(index, -far), far)
            return min(max(index < 0 ? index + size : index, range.lowerBound), range.upperBound)
        }
        var first = 0, last = 0
        if step > 0 {
            (first, last) = (bound(start, 0 ... size), bound(end, 0 ... size))
        } else if size > 0 {
            // An end at or below -size - 1 means that the first is taken too.
            (first, last) = (bound(start, 0 ... size - 1), end < -size ? -1 : bound(end, -1 ... size - 1))
        }
        _ = try computedCount([1 + abs(last - first) / abs(step)], &budget)
        return Array(stride(from: first, to: last, by: step))
    }
}
