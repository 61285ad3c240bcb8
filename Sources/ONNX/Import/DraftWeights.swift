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

    /// The connections whose kernels are not zero; nil where the layer is dense.
    ///
    /// - Parameter inputCount: channels of the node that is read.
    func table(inputCount: Int) throws(ImportError) -> ConnectionTable? {
        let values = try weight.finiteFloats()
        let area = layer.kernel.height * layer.kernel.width
        let isZero = (0 ..< values.count / area).map { kernel in
            values[kernel * area ..< (kernel + 1) * area].allSatisfy { $0 == 0 }
        }
        if groups == 1 && !isZero.contains(true) { return nil }
        guard values.count / area <= Int(Int32.max) else { throw ImportError("fewer than 2^31 kernels") }
        return ConnectionTable(
            inputCount: inputCount,
            rows: (0 ..< layer.filters).map { filter in
                kernels(of: filter).filter { !isZero[$0.position] }.map(\.channel)
            })
    }

    /// Writes the kernels of the connections that exist, [connection][row][column].
    func write(_ table: ConnectionTable?, to target: UnsafeMutableBufferPointer<Float>) throws(ImportError) {
        let values = try weight.floats()
        let area = layer.kernel.height * layer.kernel.width
        var next = 0
        for filter in 0 ..< layer.filters {
            var row = table.map { $0.inputs(of: filter) }
            let factor = filterScale?[filter] ?? 1
            for (channel, position) in kernels(of: filter) {
                if table != nil {
                    guard let expected = row?.first, Int(expected) == channel else { continue }
                    row?.removeFirst()
                }
                let known = filter / (layer.filters / groups) * channelsPerGroup
                    + position - filter * channelsPerGroup
                let scale = factor * (channelScale?[known] ?? 1)
                for tap in 0 ..< area { target[next + tap] = values[position * area + tap] * scale }
                next += area
            }
        }
        precondition(next == target.count, "a kernel for every connection")
    }
}

extension DraftFullyConnected {
    /// Writes the weights as [unit][channel][row][column].
    func write(to target: UnsafeMutableBufferPointer<Float>) throws(ImportError) {
        let values = try weight.finiteFloats()
        let inputs = target.count / units
        for unit in 0 ..< units {
            let scale = unitScale?[unit] ?? 1
            for input in 0 ..< inputs {
                let value = isTransposed ? values[unit * inputs + input] : values[input * units + unit]
                target[unit * inputs + (positions?[input] ?? input)] = value * scale
            }
        }
    }
}
