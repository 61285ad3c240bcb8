import GossamerConnectivity
import GossamerNetworks

extension DraftConvolution {
    private var channelsPerGroup: Int { weight.shape[1] }

    /// The layer with the pattern that its groups are.
    var patterned: Convolution {
        guard groups > 1, channels == nil else { return layer }
        var result = layer
        result.pattern = channelsPerGroup == 1 ? .depthwise : .grouped(groups)
        return result
    }

    /// The node's channels that a filter reads, ascending, with where the kernel lies in the file's weights.
    private func kernels(of filter: Int) -> [(channel: Int, position: Int)] {
        let first = filter / (layer.filters / groups) * channelsPerGroup
        let kernels = (0 ..< channelsPerGroup).map { index in
            let known = first + index
            return (channel: channels?[known] ?? known, position: filter * channelsPerGroup + index)
        }
        return channels == nil ? kernels : kernels.sorted { $0.channel < $1.channel }
    }

    /// The connections whose kernels are not zero, or all where few are; nil where the layer is dense.
    ///
    /// - Parameter inputCount: channels of the node that is read.
    func table(inputCount: Int) throws(ImportError) -> ConnectionTable? {
        let values = try weight.finiteFloats()
        let area = layer.kernel.height * layer.kernel.width
        let isZero = ZeroKernels.find(in: values, area: area)
        if groups == 1 && channelsPerGroup == inputCount && isZero == nil { return nil }
        guard values.count / area <= Int(Int32.max) else { throw ImportError("fewer than 2^31 kernels") }
        return ConnectionTable(
            inputCount: inputCount,
            rows: (0 ..< layer.filters).map { filter in
                kernels(of: filter).filter { !(isZero?[$0.position] ?? false) }.map(\.channel)
            })
    }

    /// Writes the kernels of the connections that exist, [connection][row][column].
    func write(_ table: ConnectionTable?, to target: UnsafeMutableBufferPointer<Float>) throws(ImportError) {
        let area = layer.kernel.height * layer.kernel.width
        let groupFilters = layer.filters / groups
        var next = 0
        try weight.floats().withUnsafeBufferPointer { values in
            for filter in 0 ..< layer.filters {
                var row = table.map { $0.inputs(of: filter) }
                let factor = filterScale?[filter] ?? 1
                let first = filter / groupFilters * channelsPerGroup - filter * channelsPerGroup
                for (channel, position) in kernels(of: filter) {
                    if let expected = row?.first {
                        guard Int(expected) == channel else { continue }
                        row?.removeFirst()
                    } else if table != nil {
                        break
                    }
                    let scale = factor * (channelScale?[first + position] ?? 1)
                    for tap in 0 ..< area { target[next + tap] = values[position * area + tap] * scale }
                    next += area
                }
            }
        }
        precondition(next == target.count, "a kernel for every connection")
    }
}

extension DraftFullyConnected {
    /// Writes the weights as [unit][channel][row][column].
    func write(to target: UnsafeMutableBufferPointer<Float>) throws(ImportError) {
        let inputs = target.count / units
        let (unitStride, inputStride) = isTransposed ? (inputs, 1) : (1, units)
        try weight.finiteFloats().withUnsafeBufferPointer { values in
            for unit in 0 ..< units {
                let scale = unitScale?[unit] ?? 1
                let row = unit * inputs
                for input in 0 ..< inputs {
                    let value = values[unit * unitStride + input * inputStride] * scale
                    target[row + (positions?[input] ?? input)] = value
                }
            }
        }
    }
}
