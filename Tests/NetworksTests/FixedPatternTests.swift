import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Depthwise and grouped convolutions, whose connections are part of the network, and what is done to such networks.
@Suite struct FixedPatternTests {
    /// Image, 1 x 1, depthwise 3 x 3, 1 x 1.
    private func separable(filters: Int = 12, multiplier: Int = 1) throws -> Network {
        var net = NetworkBuilder(name: "separable", input: Shape(channels: 3, height: 8, width: 8))
        var x = net.convolution(net.input, filters: filters, kernel: 1)
        x = net.convolution(net.relu(x), filters: multiplier * filters, kernel: 3, pattern: .depthwise)
        x = net.convolution(net.relu(x), filters: 8, kernel: 1)
        _ = net.fullyConnected(net.globalAveragePooling(x), units: 2)
        return try net.build()
    }

    @Test(arguments: [1, 2])
    func depthwiseReadsOneChannel(multiplier: Int) throws {
        let network = try separable(multiplier: multiplier)
        let table = try #require(network.connections["conv2"])
        #expect(table.inputs == (0 ..< 12 * multiplier).map { Int32($0 / multiplier) })
        #expect(table.count == 12 * multiplier)
        #expect(network.hasFixedConnectionsOnly)
        let cost = NetworkCost(network).layers[3]
        #expect(cost.name == "conv2" && cost.weights == 9 * 12 * multiplier && cost.density == 1)
        #expect(cost.indexBytes == 0)
    }

    @Test func groupsAreThoseOfGroupedConvolutions() throws {
        let table = try #require(Pattern.grouped(4).fixedTable(channels: 8, filters: 12))
        for filter in 0 ..< 12 {
            let group = filter / 3
            #expect(table.inputs(of: filter).map(Int.init) == [2 * group, 2 * group + 1])
        }
    }

    /// Runs of channels as even as can be, every channel read, whatever the sizes.
    @Test func unevenGroupsCoverTheChannels() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0 ..< 500 {
            let (channels, filters) = (1 + generator.index(below: 40), 1 + generator.index(below: 40))
            let groups = 1 + generator.index(below: 20)
            let table = Pattern.grouped(groups).fixedTable(channels: channels, filters: filters)!
            let line = "\(channels) channels, \(filters) filters, grouped:\(groups)"
            #expect(Set(table.inputs).count == channels, "\(line)")
            let live = min(groups, channels, filters)
            let fanIns = Set((0 ..< filters).map { table.fanIn(of: $0) })
            #expect(fanIns.isSubset(of: [channels / live, (channels + live - 1) / live]), "\(line)")
            #expect(Set((0 ..< filters).map { table.inputs(of: $0).first! }).count == live, "\(line)")
            let rows = (0 ..< filters).map { table.inputs(of: $0).map { Int($0) } }
            #expect(table == ConnectionTable(inputCount: channels, rows: rows), "\(line)")
            let count = Pattern.grouped(groups).connectionCount(channels: channels, filters: filters)
            #expect(table.count == count, "\(line)")
        }
    }

    /// Layers that dense would need no table for.
    private func wide(_ layers: [Pattern?], channels: Int) throws -> Network {
        var net = NetworkBuilder(name: "wide", input: Shape(channels: channels, height: 1, width: 1))
        var x = net.input
        for pattern in layers { x = net.convolution(x, filters: channels, kernel: 1, pattern: pattern) }
        return try net.build()
    }

    /// More connections than memory holds are refused before they are made, of one layer and of several.
    @Test func patternsOfLayersAreBounded() throws {
        let cases: [(layers: [Pattern?], channels: Int, node: String)] = [
            ([.grouped(1)], 1 << 20, "conv1"), ([.depthwise, .grouped(2)], 1 << 15, "conv2"),
            ([.grouped(4), .grouped(4), .grouped(2), .grouped(4)], 23_000, "conv3"),
        ]
        for (layers, channels, node) in cases {
            let error = #expect(throws: NetworkError.self) { try wide(layers, channels: channels) }
            #expect(error?.node == node)
            #expect(error?.message.contains("the most is 268435456") == true, "\(String(describing: error))")
        }
        let text = try wide([nil], channels: 1 << 20).json
            .replacing(#""filters":"#, with: #""pattern":"grouped:3","filters":"#)
        let error = #expect(throws: NetworkError.self) { try Network(json: text) }
        #expect(error?.node == "conv1")
        #expect(try wide([.depthwise], channels: 1 << 20).connections["conv1"]!.count == 1 << 20)
    }

    @Test func drawnGroupsAreBounded() throws {
        let network = try wide([nil], channels: 1 << 15)
        let error = #expect(throws: NetworkError.self) { try network.sparsified(with: Pattern.grouped(1), seed: 1) }
        #expect(error?.node == "conv1")
        #expect(error?.message.contains("'grouped:1' draws 1073741824 connections") == true)
        let fewer = try network.sparsified(with: Pattern.grouped(1 << 12), seed: 1).network
        #expect(fewer.connections["conv1"]!.count == 1 << 18)
    }

    @Test(arguments: [0.1, 0.25, 0.5, 0.7, 1.5], [1, 2])
    func multiplierKeepsDepthwiseWithItsChannels(alpha: Double, multiplier: Int) throws {
        let scaled = try separable(filters: 13, multiplier: multiplier).scaled(byDepthMultiplier: alpha)
        let channels = roundedUp(alpha, of: 13)
        #expect(scaled.shape(of: "conv1").channels == channels)
        #expect(scaled.shape(of: "conv2").channels == multiplier * channels)
        #expect(scaled.connections["conv2"]!.inputs == (0 ..< multiplier * channels).map { Int32($0 / multiplier) })
    }

    /// Where few channels are left, the depthwise convolution loses the filters and its producer the same channels.
    @Test func depthwiseStaysDepthwise() throws {
        var net = NetworkBuilder(name: "projection", input: Shape(channels: 3, height: 8, width: 8))
        var x = net.convolution(net.input, filters: 144, kernel: 1)
        x = net.convolution(net.relu(x), filters: 144, kernel: 3, pattern: .depthwise)
        x = net.convolution(x, filters: 24, kernel: 1)
        _ = net.fullyConnected(net.globalAveragePooling(x), units: 2)
        let sparse = try net.build().sparsified(with: Pattern.random(density: 0.01), seed: 1)
        #expect(sparse.network.shape(of: "conv1").channels == 48)
        #expect(sparse.network.shape(of: "conv2").channels == 48)
        #expect(sparse.network.connections["conv2"]!.inputs == (0 ..< 48).map(Int32.init))
        #expect(sparse.removed.map(\.channels.count) == [96, 96])
        #expect(try Network(json: sparse.network.json).connections["conv2"] == sparse.network.connections["conv2"])
    }

    @Test(arguments: 0 ..< 6 as Range<UInt64>)
    func everyChannelHasAPathBothWays(batch: UInt64) throws {
        let own: [Pattern] = [
            .depthwise, .grouped(2), .grouped(5), .depthwise, .expander(density: 0.3), .expander(density: 0.2, block: 3),
        ]
        let patterns: [Pattern] = [
            .expander(density: 0.1), .random(density: 0.1), .grouped(4), .expander(density: 0.3, block: 2), .dense,
        ]
        for seed in batch * 50 ..< batch * 50 + 50 {
            let network = try RandomNetwork.draw(seed: seed, ownPatterns: own)
            for pattern in patterns {
                let sparse = try network.sparsified(with: pattern, seed: seed).network
                let walk = ChannelWalk(sparse)
                let image = sparse.nodes[0].name
                let reached = walk.reached(from: image)
                let leading = walk.leading(to: sparse.nodes.last!.name)
                let dead = walk.vertices.filter { $0.node != image && !(reached.contains($0) && leading.contains($0)) }
                #expect(dead.isEmpty, "reproduce with seed \(seed), pattern \(pattern)")
                for node in sparse.nodes {
                    guard case .convolution(let layer) = node.layer, layer.pattern == .depthwise else { continue }
                    let table = sparse.connectionTable(of: node)
                    let isDepthwise = (0 ..< table.outputCount).allSatisfy { table.fanIn(of: $0) == 1 }
                    #expect(isDepthwise, "reproduce with seed \(seed), pattern \(pattern): '\(node.name)'")
                }
            }
        }
    }
}
