import GossamerConnectivity

/// Where the parameters of a subnetwork were in another one of the same base.
public struct ParameterTransfer: Sendable {
    private let old: Subnetwork
    private let new: Subnetwork

    /// - Precondition: both have one base.
    public init(from old: Subnetwork, to new: Subnetwork) {
        self.old = old
        self.new = new
    }

    /// Where the parts of a parameter were: the kernels of connections, or one value for each channel.
    ///
    /// - Parameter entry: of the new network's layout.
    /// - Returns: for each part in order its place among the parts of the old network's parameter of the same node and
    ///   role; ``nowhere`` for new ones.
    public func sources(of entry: ParameterLayout.Entry) -> [Int32] {
        let outputs = places(of: entry.node)
        guard entry.role == .kernel else { return outputs.map { $0.map(Int32.init) ?? Self.nowhere } }
        let node = new.base.nodes[new.base.index(of: entry.node)!]
        let inputs = places(of: node.inputs[0])
        let oldRows = Rows(entry.node, in: old)
        let newRows = Rows(entry.node, in: new)
        var sources = [Int32](repeating: Self.nowhere, count: newRows.count)
        // The old number of each input that there was, and of each connection of one old filter its place.
        let oldInputs = inputs.map { $0 ?? -1 }
        var placeOfInput = [Int32](repeating: Self.nowhere, count: oldRows.inputCount)
        for (filter, oldFilter) in outputs.enumerated() {
            guard let oldFilter else { continue }
            let (start, end) = oldRows.range(of: oldFilter)
            for place in start ..< end { placeOfInput[oldRows.input(at: place, from: start)] = Int32(place) }
            let (newStart, newEnd) = newRows.range(of: filter)
            for connection in newStart ..< newEnd {
                let input = oldInputs[newRows.input(at: connection, from: newStart)]
                if input >= 0 { sources[connection] = placeOfInput[input] }
            }
            for place in start ..< end { placeOfInput[oldRows.input(at: place, from: start)] = Self.nowhere }
        }
        return sources
    }

    /// The source of what was not there before.
    public static let nowhere: Int32 = -1

    /// For each channel of a node its place among the channels that the node had, nil for new ones.
    ///
    /// - Parameter node: of the new network, and of the base.
    public func places(of node: String) -> [Int?] {
        let channels = new.channels[node]!
        guard let oldChannels = old.channels[node] else { return Array(repeating: nil, count: channels.count) }
        var next = 0
        return channels.map { channel in
            while next < oldChannels.count, oldChannels[next] < channel { next += 1 }
            return next < oldChannels.count && oldChannels[next] == channel ? next : nil
        }
    }
}

/// The connections of a convolution or fully connected layer, in the numbers of its network.
private struct Rows {
    private let isDense: Bool
    private let starts: [Int32]
    private let inputs: [Int32]
    let inputCount: Int
    let count: Int

    init(_ name: String, in subnetwork: Subnetwork) {
        let network = subnetwork.network
        let table = network.connections[name]
        isDense = table == nil
        starts = table?.rowStarts ?? []
        inputs = table?.inputs ?? []
        inputCount = network.index(of: name).map { network.inputShape(of: network.nodes[$0]).channels } ?? 0
        count = network.index(of: name).map { network.connectionCount(of: network.nodes[$0]) } ?? 0
    }

    func range(of filter: Int) -> (start: Int, end: Int) {
        isDense ? (filter * inputCount, (filter + 1) * inputCount) : (Int(starts[filter]), Int(starts[filter + 1]))
    }

    /// - Parameter start: of the connection's row.
    func input(at connection: Int, from start: Int) -> Int { isDense ? connection - start : Int(inputs[connection]) }
}
