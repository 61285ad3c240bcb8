import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Gives chosen filters of a layer chosen channels, and all others every channel.
private struct ByHand: ConnectionPattern {
    var rows: [String: [Int: [Int]]]
    var description: String { "by-hand" }

    func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] {
        request.readers.map { reader in
            reader.filters.map { rows[reader.name]?[$0] ?? Array(0 ..< request.channels) }
        }
    }
}

/// The example in docs/patterns.md.
private struct Grouped: ConnectionPattern {
    let groups: Int
    var description: String { "grouped:\(groups)" }

    func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] {
        // An image with fewer channels than groups is read whole.
        let groups = min(groups, request.channels)
        return request.readers.map { reader in
            reader.filters.map { filter in
                let group = filter * groups / reader.filterCount
                return (0 ..< request.channels).filter { $0 * groups / request.channels == group }
            }
        }
    }
}

/// Rows of any length, often empty.
private struct Ragged: ConnectionPattern {
    var description: String { "ragged" }

    func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] {
        request.readers.map { reader in
            reader.filters.map { _ in
                let longest = min(3, request.channels)
                return generator.sample(generator.index(below: longest + 1), below: request.channels)
            }
        }
    }
}

private struct Wrong: ConnectionPattern {
    var answer: [[[Int]]]
    var description: String { "wrong" }

    func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] { answer }
}

@Suite struct UserPatternTests {
    private func builder() -> NetworkBuilder {
        NetworkBuilder(name: "hand", input: Shape(channels: 2, height: 6, width: 6))
    }

    private func node(_ name: String, _ network: Network) throws -> Node {
        network.nodes[try #require(network.index(of: name))]
    }

    /// A filter without inputs goes, with its entry in the normalisation and its column in the next layer.
    @Test func filterWithoutInputsIsRemoved() throws {
        var net = builder()
        var x = net.convolution(net.input, filters: 4, kernel: 3, name: "a")
        x = net.relu(net.batchNormalization(x))
        x = net.convolution(x, filters: 3, kernel: 3, name: "b")
        _ = net.fullyConnected(x, units: 2)
        let pattern = ByHand(rows: ["a": [1: []], "b": [0: [1], 1: [0, 1], 2: [2, 3]]])
        let result = try net.build().sparsified(with: pattern, seed: 0)
        #expect(result.removed.map(\.node) == ["a", "b"])
        #expect(result.removed.map(\.channels) == [[1], [0]])
        #expect(result.network.shape(of: "norm1").channels == 3)
        #expect(result.network.connections["b"] == ConnectionTable(inputCount: 3, rows: [[0], [1, 2]]))
        #expect(result.network.connections["a"] == nil)
        #expect(NetworkCost(result.network).parameters == 9 * 6 + 3 + 6 + 9 * 3 + 2 + 2 * 36 * 2 + 2)
    }

    @Test func channelWithoutReaderIsRemovedWithWhatOnlyItKeptAlive() throws {
        var net = builder()
        let a = net.convolution(net.input, filters: 3, kernel: 3, name: "a")
        let b = net.convolution(a, filters: 3, kernel: 3, name: "b")
        let c = net.convolution(b, filters: 2, kernel: 3, name: "c")
        _ = net.fullyConnected(c, units: 2)
        // Nothing reads b's filter 1, and only that one read a's filter 2.
        let pattern = ByHand(rows: ["b": [0: [0], 1: [1, 2], 2: [1]], "c": [0: [0, 2], 1: [2]]])
        let result = try net.build().sparsified(with: pattern, seed: 0)
        #expect(result.removed.map(\.node) == ["a", "b"])
        #expect(result.removed.map(\.channels) == [[2], [1]])
        #expect(result.removed.map(\.total) == [3, 3])
        #expect(result.report.count == 2 && result.report[0].contains("a: 1 of 3"))
        #expect(result.network.connections["c"] == ConnectionTable(inputCount: 2, rows: [[0, 1], [1]]))
    }

    /// Two readers through poolings that need different channels: each gets a selection.
    @Test func selectionsAreInsertedWhereReadersDiffer() throws {
        var net = builder()
        let x = net.convolution(net.input, filters: 3, kernel: 3, name: "a")
        let left = net.convolution(net.maxPooling(x, kernel: 2), filters: 1, kernel: 1, name: "left")
        let right = net.convolution(net.averagePooling(x, kernel: 2), filters: 1, kernel: 1, name: "right")
        _ = net.fullyConnected(net.concatenation([left, right]), units: 2)
        let pattern = ByHand(rows: ["left": [0: [0, 1]], "right": [0: [1, 2]]])
        let result = try net.build().sparsified(with: pattern, seed: 0)
        #expect(result.removed.isEmpty)
        #expect(try node("pool1", result.network).inputs == ["a-selection"])
        #expect(try node("a-selection", result.network).layer == .channelSelection([0, 1]))
        #expect(try node("a-selection2", result.network).layer == .channelSelection([1, 2]))
        #expect(result.network.connections.isEmpty)
    }

    /// A sum with one dead operand is the other operand; the order of the channels stays.
    @Test func sumKeepsWhatOneOperandHas() throws {
        var net = builder()
        let a = net.convolution(net.input, filters: 4, kernel: 3, name: "a")
        let b = net.convolution(a, filters: 4, kernel: 3, name: "b")
        let sum = net.addition(a, b, name: "sum")
        _ = net.fullyConnected(sum, units: 2)
        let result = try net.build().sparsified(with: ByHand(rows: ["b": [1: [], 2: []]]), seed: 0)
        #expect(result.removed.map(\.channels) == [[1, 2]])
        let sumNode = try node("sum", result.network)
        #expect(sumNode.layer == .concatenation)
        #expect(result.network.shape(of: "sum").channels == 4)
        let parts = try sumNode.inputs.map { try node($0, result.network).layer }
        #expect(parts == [.addition, .channelSelection([1, 2]), .addition])
        // The connection of b's filters to all of a stays as it was.
        #expect(result.network.shape(of: "b").channels == 2)
        #expect(result.network.connections["b"] == nil)
    }

    @Test func sumWithOneOperandLeftDisappears() throws {
        var net = builder()
        let a = net.convolution(net.input, filters: 2, kernel: 3, name: "a")
        let b = net.convolution(a, filters: 2, kernel: 3, name: "b")
        _ = net.fullyConnected(net.relu(net.addition(a, b)), units: 2)
        let result = try net.build().sparsified(with: ByHand(rows: ["b": [0: [], 1: []]]), seed: 0)
        #expect(result.network.nodes.map(\.name) == ["image", "a", "relu1", "fc1"])
        #expect(try node("relu1", result.network).inputs == ["a"])
    }

    /// A product needs both factors: without one, the other is not kept for it.
    @Test func productKeepsWhatBothFactorsHave() throws {
        var net = builder()
        let a = net.convolution(net.input, filters: 4, kernel: 3, name: "a")
        let b = net.convolution(net.globalAveragePooling(a), filters: 4, kernel: 1, name: "b")
        let product = net.multiplication(a, net.activation(b, .sigmoid), name: "product")
        _ = net.fullyConnected(product, units: 2)
        let pattern = ByHand(rows: ["b": [0: [0, 2], 1: [], 2: [0, 2], 3: [2, 3]]])
        let result = try net.build().sparsified(with: pattern, seed: 0)
        #expect(result.removed.map(\.node) == ["a", "b"])
        #expect(result.removed.map(\.channels) == [[1], [1]])
        #expect(try node("product", result.network) == Node(
            name: "product", layer: .multiplication, inputs: ["a", "act1"]))
        #expect(result.network.shape(of: "product").channels == 3)
        #expect(result.network.connections["b"] == ConnectionTable(inputCount: 3, rows: [[0, 1], [0, 1], [1, 2]]))
    }

    @Test func nothingLeftIsAnError() throws {
        var net = builder()
        _ = net.fullyConnected(net.convolution(net.input, filters: 2, kernel: 3, name: "a"), units: 2)
        let network = try net.build()
        let error = #expect(throws: NetworkError.self) {
            try network.sparsified(with: ByHand(rows: ["a": [0: [], 1: []]]), seed: 0)
        }
        #expect(error?.node == "fc1")
        #expect(error?.message == "pattern 'by-hand' leaves 2 of 2 outputs without a path from the image")
    }

    @Test(arguments: [
        ([], "0 tables"), ([[[0]]], "1 rows"), ([[[0], [2]]], "channel 2"), ([[[0], [-1]]], "channel -1"),
        ([[[0], [1, 1]]], "twice"),
    ] as [([[[Int]]], String)])
    func wrongAnswersAreRefused(answer: [[[Int]]], expected: String) throws {
        var net = builder()
        _ = net.fullyConnected(net.convolution(net.input, filters: 2, kernel: 3), units: 2)
        let network = try net.build()
        let error = #expect(throws: NetworkError.self) { try network.sparsified(with: Wrong(answer: answer), seed: 0) }
        #expect(error?.message.contains(expected) == true)
    }

    /// Random graphs with rows that are often empty: what is left has paths both ways, and what a plain walk over the
    /// channels keeps is what is kept.
    @Test func raggedPatternsLeaveNothingDead() throws {
        var finished = 0
        for seed in 0 ..< 600 as Range<UInt64> {
            let network = try RandomNetwork.draw(seed: seed)
            let result: SparsifiedNetwork
            do { result = try network.sparsified(with: Ragged(), seed: seed) } catch {
                #expect(error.message.contains("without a path from the image"), "seed \(seed): \(error)")
                continue
            }
            finished += 1
            let walk = ChannelWalk(result.network)
            let image = network.nodes[0].name
            let live = walk.reached(from: image).intersection(walk.leading(to: result.network.nodes.last!.name))
            let dead = walk.vertices.filter { $0.node != image && !live.contains($0) }
            #expect(dead.isEmpty, "seed \(seed)")
            for node in network.nodes.dropFirst() {
                let left = result.network.index(of: node.name).map { result.network.shapes[$0].channels } ?? 0
                let lost = result.removed.first { $0.node == node.name }?.channels.count ?? 0
                switch node.layer {
                case .convolution, .fullyConnected:
                    #expect(left + lost == network.shape(of: node.name).channels, "seed \(seed)")
                default: break
                }
            }
        }
        #expect(finished > 100)
    }

    @Test func documentedExampleWorks() throws {
        let result = try Network.mnist().sparsified(with: Grouped(groups: 4), seed: 1)
        #expect(result.removed.isEmpty)
        #expect(NetworkCost(result.network).connections == 32 + 32 * 64 / 4 + 64 * 512 / 4)
    }

    /// A layer's own pattern wins over the network's.
    @Test func layersMayOverrideThePattern() throws {
        var net = builder()
        var x = net.convolution(net.input, filters: 8, kernel: 3, pattern: .dense, name: "first")
        x = net.convolution(x, filters: 8, kernel: 3, pattern: .random(density: 0.5), name: "second")
        x = net.convolution(x, filters: 8, kernel: 3, name: "third")
        _ = net.fullyConnected(x, units: 2)
        let network = try net.build().sparsified(with: Pattern.random(density: 0.125), seed: 4).network
        #expect(network.connections["first"] == nil)
        #expect(network.connections["second"]?.count == 32)
        #expect(network.connections["third"]?.count == 8)
    }

    /// Slots too few for a projection from 144 to 24 channels: as many channels survive as there are slots.
    @Test func narrowProjectionKeepsAsManyChannelsAsSlots() throws {
        var net = NetworkBuilder(name: "projection", input: Shape(channels: 3, height: 4, width: 4))
        let wide = net.convolution(net.input, filters: 144, kernel: 1, pattern: .dense, name: "wide")
        _ = net.fullyConnected(net.convolution(wide, filters: 24, kernel: 1, name: "narrow"), units: 2)
        let network = try net.build()
        for (density, fanIn) in [(0.003, 1), (0.01, 2), (0.03, 5)] {
            let result = try network.sparsified(with: Pattern.random(density: density), seed: 1)
            #expect(result.removed.map(\.node) == ["wide"])
            #expect(result.network.shape(of: "wide").channels == 24 * fanIn)
            #expect(result.network.connections["narrow"]?.count == 24 * fanIn)
        }
        #expect(try network.sparsified(with: Pattern.random(density: 0.05), seed: 1).removed.isEmpty)
    }

    /// Where slots are short, channels that no other layer can read come first.
    @Test func channelsWithoutAnotherReaderAreCoveredFirst() throws {
        var net = NetworkBuilder(name: "shared", input: Shape(channels: 3, height: 4, width: 4))
        let shared = net.convolution(net.input, filters: 20, kernel: 1, pattern: .dense, name: "shared")
        let own = net.convolution(net.input, filters: 10, kernel: 1, pattern: .dense, name: "own")
        let both = net.convolution(net.concatenation([shared, own]), filters: 10, kernel: 1, name: "both")
        let rest = net.convolution(shared, filters: 20, kernel: 1, name: "rest")
        _ = net.fullyConnected(net.concatenation([both, rest]), units: 2)
        for seed in 0 ..< 20 as Range<UInt64> {
            let result = try net.build().sparsified(with: Pattern.random(density: 0.03), seed: seed)
            #expect(result.removed.isEmpty, "seed \(seed)")
        }
    }
}
