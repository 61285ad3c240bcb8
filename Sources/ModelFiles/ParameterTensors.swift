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
    /// - Throws: `mismatch` where a tensor is missing or has another shape.
    public func readParameters(into parameters: borrowing Parameters) throws(ModelFileError) {
        try requireParameters(of: parameters.layout)
        for entry in parameters.layout.all {
            try read(
                entry.name, into: UnsafeMutableBufferPointer(start: parameters.pointer(entry), count: entry.count))
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
