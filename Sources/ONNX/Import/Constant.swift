/// A tensor whose values are known when a graph is read: weights, bounds, sizes.
struct Constant {
    enum Values {
        case integers([Int])
        case floats([Float])
        /// Read when asked for.
        case stored(StoredTensor)
    }

    /// Of constants that are computed; weights are not.
    static let largestComputedCount = 1 << 24

    let shape: [Int]
    let values: Values
    /// The file's name for it, where it stands there as it is.
    var name: String?

    init(_ tensor: StoredTensor, name: String? = nil) {
        shape = tensor.shape
        values = .stored(tensor)
        self.name = name
    }

    init(shape: [Int], integers: [Int]) {
        self.shape = shape
        values = .integers(integers)
    }

    init(shape: [Int], floats: [Float]) {
        self.shape = shape
        values = .floats(floats)
    }

    var count: Int { shape.reduce(1, *) }

    var isInteger: Bool {
        switch values {
        case .integers: true
        case .floats: false
        case .stored(let tensor): tensor.isInteger
        }
    }

    func floats() throws(ImportError) -> [Float] {
        switch values {
        case .integers(let values): values.map(Float.init)
        case .floats(let values): values
        case .stored(let tensor): try tensor.floats()
        }
    }

    /// Values that must be numbers: what a network is made of.
    func finiteFloats() throws(ImportError) -> [Float] {
        let values = try floats()
        let areFinite = values.withUnsafeBufferPointer { buffer in
            // x - x is 0 for every number and not for what is none.
            var sum: Float = 0
            for index in 0 ..< buffer.count { sum += buffer[index] - buffer[index] }
            return sum == 0
        }
        guard areFinite else {
            throw ImportError("finite numbers in '\(name ?? "a constant")', some are not")
        }
        return values
    }

    /// The values in double precision, which holds integers of up to 53 bits.
    func doubles() throws(ImportError) -> [Double] {
        if isInteger { return try integers().map { Double($0) } }
        return try floats().map { Double($0) }
    }

    func integers() throws(ImportError) -> [Int] {
        switch values {
        case .integers(let values): return values
        case .stored(let tensor): return try tensor.integers()
        case .floats: throw ImportError("whole numbers")
        }
    }

    /// The integers of a constant that must have few.
    func integers(atMost largest: Int) throws(ImportError) -> [Int] {
        guard count <= largest else {
            throw ImportError("at most \(largest) numbers in '\(name ?? "a constant")', it has \(count)")
        }
        return try integers()
    }

    /// The same with its values in memory, for whoever reads them more than once.
    func loaded() throws(ImportError) -> Constant {
        guard case .stored(let tensor) = values else { return self }
        var result = tensor.isInteger
            ? Constant(shape: shape, integers: try tensor.integers())
            : Constant(shape: shape, floats: try tensor.floats())
        result.name = name
        return result
    }

    /// Bytes that reading it takes besides those of its values in single precision.
    var storedByteCount: Int {
        if case .stored(let tensor) = values { tensor.byteCount } else { 0 }
    }

    /// The value of a constant that has one alone.
    func scalar() throws(ImportError) -> Float {
        guard count == 1 else { throw ImportError("a single number, its sizes are \(shape)") }
        return try floats()[0]
    }

    func reshaped(_ shape: [Int]) -> Constant {
        var result = switch values {
        case .integers(let values): Constant(shape: shape, integers: values)
        case .floats(let values): Constant(shape: shape, floats: values)
        case .stored(let tensor): Constant(tensor.reshaped(shape))
        }
        result.name = name
        return result
    }
}
