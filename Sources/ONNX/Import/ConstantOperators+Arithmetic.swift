import Foundation

// MARK: - Constants that are computed with

extension ConstantOperators {
    static func arithmetic(
        _ node: Onnx_NodeProto, _ inputs: [Constant?], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let constants = inputs.compactMap { $0 }
        guard constants.count == inputs.count, let first = constants.first else { throw ImportError("all its inputs") }
        if let reduction = reductions[node.opType] { return try reduced(node, constants, by: reduction) }
        if node.opType == "Where" { return try selected(constants, &budget) }
        if let function = unary[node.opType], constants.count == 1 {
            let values = try first.doubles().map(function)
            let keepsType = first.isInteger && ["Neg", "Abs", "Not", "Sign"].contains(node.opType)
            return try constant(values, shape: first.shape, isInteger: keepsType)
        }
        guard let function = binary[node.opType], constants.count >= 2 else {
            throw ImportError("an operator that can be computed at import; this one is not supported")
        }
        var result = first
        for other in constants.dropFirst() { result = try combined(node.opType, result, other, function, &budget) }
        return result
    }

    private static let unary: [String: @Sendable (Double) -> Double] = [
        "Neg": { -$0 }, "Abs": { abs($0) }, "Floor": { $0.rounded(.down) }, "Ceil": { $0.rounded(.up) },
        "Round": { $0.rounded(.toNearestOrEven) }, "Sqrt": { $0.squareRoot() }, "Reciprocal": { 1 / $0 },
        "Exp": { exp($0) }, "Log": { log($0) }, "Not": { $0 == 0 ? 1 : 0 },
        "Sign": { $0 == 0 ? 0 : $0 < 0 ? -1 : 1 },
    ]

    private static let binary: [String: @Sendable (Double, Double) -> Double] = [
        "Add": { $0 + $1 }, "Sub": { $0 - $1 }, "Mul": { $0 * $1 }, "Div": { $0 / $1 },
        "Min": { min($0, $1) }, "Max": { max($0, $1) }, "Pow": { pow($0, $1) },
        "Equal": { $0 == $1 ? 1 : 0 }, "Greater": { $0 > $1 ? 1 : 0 }, "Less": { $0 < $1 ? 1 : 0 },
        "GreaterOrEqual": { $0 >= $1 ? 1 : 0 }, "LessOrEqual": { $0 <= $1 ? 1 : 0 },
        "And": { $0 != 0 && $1 != 0 ? 1 : 0 }, "Or": { $0 != 0 || $1 != 0 ? 1 : 0 },
        "Mod": { $1 == 0 ? 0 : $0 - ($0 / $1).rounded(.down) * $1 },
    ]

    private static let comparisons: Set = ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or"]

    private static let reductions: [String: @Sendable (Double, Double) -> Double] = [
        "ReduceProd": { $0 * $1 }, "ReduceSum": { $0 + $1 }, "ReduceMax": { max($0, $1) },
        "ReduceMin": { min($0, $1) },
    ]

    private static func combined(
        _ kind: String, _ a: Constant, _ b: Constant, _ function: (Double, Double) -> Double,
        _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        let shape = try broadcastShape(a.shape, b.shape, &budget)
        let x = try broadcast(a, to: shape), y = try broadcast(b, to: shape)
        let isInteger = comparisons.contains(kind) || a.isInteger && b.isInteger && kind != "Pow"
        if a.isInteger && b.isInteger {
            // Exactly: sizes may exceed what a single precision number holds.
            var values: [Int] = []
            for (left, right) in zip(try x.integers(), try y.integers()) {
                values.append(try integer(kind, left, right, function))
            }
            return isInteger
                ? Constant(shape: shape, integers: values) : Constant(shape: shape, floats: values.map(Float.init))
        }
        let values = zip(try x.floats(), try y.floats()).map { function(Double($0), Double($1)) }
        return try constant(values, shape: shape, isInteger: isInteger)
    }

    private static func integer(
        _ kind: String, _ a: Int, _ b: Int, _ function: (Double, Double) -> Double
    ) throws(ImportError) -> Int {
        let (value, overflow) = switch kind {
        case "Add": a.addingReportingOverflow(b)
        case "Sub": a.subtractingReportingOverflow(b)
        case "Mul": a.multipliedReportingOverflow(by: b)
        // ONNX rounds towards zero.
        case "Div": a.dividedReportingOverflow(by: b)
        case "Min": (min(a, b), false)
        case "Max": (max(a, b), false)
        case "Equal": (a == b ? 1 : 0, false)
        default: (try truncated(function(Double(a), Double(b))), false)
        }
        guard !overflow else { throw ImportError("integers of 64 bits, and no division by zero") }
        return value
    }

    private static func truncated(_ value: Double) throws(ImportError) -> Int {
        guard abs(value) < 9e18 else { throw ImportError("integers of 64 bits") }
        return Int(value)
    }

    private static func constant(_ values: [Double], shape: [Int], isInteger: Bool) throws(ImportError) -> Constant {
        guard isInteger else { return Constant(shape: shape, floats: values.map { Float($0) }) }
        return Constant(shape: shape, integers: try values.map { (value) throws(ImportError) in try truncated(value) })
    }

    private static func reduced(
        _ node: Onnx_NodeProto, _ inputs: [Constant], by function: (Double, Double) -> Double
    ) throws(ImportError) -> Constant {
        let first = inputs[0]
        var named = node.integers("axes")
        if named == nil, inputs.count > 1 { named = try inputs[1].integers() }
        let axes = try named.map { (named) throws(ImportError) in try Self.axes(named, rank: first.shape.count) }
        guard first.count > 0, axes == nil || axes?.count == first.shape.count || first.shape.count == 1 else {
            throw ImportError("a reduction of all axes")
        }
        let values = try first.doubles()
        let total = values.dropFirst().reduce(values[0], function)
        let keepsAxes = node.integer("keepdims", default: 1) != 0
        let shape = keepsAxes ? first.shape.map { _ in 1 } : []
        return try constant([total], shape: shape, isInteger: first.isInteger)
    }

    private static func selected(
        _ inputs: [Constant], _ budget: inout ValueBudget
    ) throws(ImportError) -> Constant {
        guard inputs.count == 3 else { throw ImportError("a condition and two values") }
        var shape = try broadcastShape(inputs[0].shape, inputs[1].shape, &budget)
        shape = try broadcastShape(shape, inputs[2].shape, &budget)
        let condition = try broadcast(inputs[0], to: shape).integers()
        let a = try broadcast(inputs[1], to: shape), b = try broadcast(inputs[2], to: shape)
        if a.isInteger && b.isInteger {
            let (x, y) = (try a.integers(), try b.integers())
            return Constant(shape: shape, integers: condition.indices.map { condition[$0] != 0 ? x[$0] : y[$0] })
        }
        let (x, y) = (try a.floats(), try b.floats())
        return Constant(shape: shape, floats: condition.indices.map { condition[$0] != 0 ? x[$0] : y[$0] })
    }
}
