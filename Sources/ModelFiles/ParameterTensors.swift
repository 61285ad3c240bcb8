import GossamerExecution
import GossamerNetworks
import GossamerTensors

extension SafetensorsWriter {
    /// Adds every parameter under its own name: active kernels and nothing for connections that do not exist.
    ///
    /// - Parameter network: where given, only the parameters of its nodes are added.
    public mutating func add(_ parameters: borrowing Parameters, of network: Network? = nil) {
        for entry in parameters.layout.all {
            if let network, network.index(of: entry.node) == nil { continue }
            add(entry.name, shape: entry.shape, values: parameters.values(entry))
        }
    }
}

extension SafetensorsFile {
    /// Reads every parameter of a network.
    ///
    /// - Throws: `mismatch` where a tensor is missing or has another shape, `malformed` for values that no network has.
    public func readParameters(into parameters: borrowing Parameters) throws(ModelFileError) {
        try requireParameters(of: parameters.layout)
        for entry in parameters.layout.all {
            try read(entry, into: UnsafeMutableBufferPointer(start: parameters.pointer(entry), count: entry.count))
        }
    }

    /// Reads one parameter.
    ///
    /// - Throws: `malformed` where a value is not finite, and for a variance below 0.
    func read(
        _ entry: ParameterLayout.Entry, into values: UnsafeMutableBufferPointer<Float>
    ) throws(ModelFileError) {
        try read(entry.name, into: values)
        func malformed(_ expected: String) -> ModelFileError {
            .malformed(file: path, field: "tensor \(entry.name)", expected: expected)
        }
        guard values.areFinite else { throw malformed("finite numbers") }
        guard entry.role != .runningVariance || values.allSatisfy({ $0 >= 0 }) else {
            throw malformed("variances of at least 0")
        }
    }

    /// Checks that every parameter is there with its shape.
    func requireParameters(of layout: ParameterLayout) throws(ModelFileError) {
        for entry in layout.all {
            let tensor = try tensor(entry.name)
            guard tensor.shape == entry.shape else {
                throw .mismatch(file: path, field: entry.name, expected: "shape \(entry.shape), found \(tensor.shape)")
            }
        }
    }
}

extension UnsafeMutableBufferPointer<Float> {
    /// Whether no value is infinite or not a number.
    package var areFinite: Bool {
        // An exponent of all ones means infinite or not a number. Without an early exit the loop vectorises.
        var largest: UInt32 = 0
        for value in self { largest = Swift.max(largest, value.bitPattern & 0x7fff_ffff) }
        return largest < 0x7f80_0000
    }
}
