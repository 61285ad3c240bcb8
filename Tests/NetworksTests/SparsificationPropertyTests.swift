import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Many random graphs, each checked by brute force on single channels. To repeat one case: its line has the seed.
@Suite struct SparsificationPropertyTests {
    private static let densities = [0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1]

    private struct Case: CustomStringConvertible {
        let seed: UInt64
        let network: Network
        let density: Double
        let block: Int
        let result: SparsifiedNetwork

        var description: String { "reproduce with Case(seed: \(seed)): density \(density), block \(block)" }

        init(seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("case"))
            self.seed = seed
            density = densities[generator.index(below: densities.count)]
            block = generator.index(below: 3) == 0 ? 1 + generator.index(below: 5) : 1
            network = try RandomNetwork.draw(seed: seed)
            result = try network.sparsified(with: Pattern.random(density: density, block: block), seed: seed)
        }

        /// Connections that the live filters reading a tensor had to give away, counting a block's shared subset once;
        /// nil where a layer among them reads everything.
        func slots(of root: String, _ labels: FilterLabels) -> Int? {
            var slots = 0
            for node in result.network.nodes where labels.root(readBy: node.name) == root {
                guard case .convolution(let layer) = node.layer else { return nil }
                let original = network.nodes[network.index(of: node.name)!]
                guard case .random(let density, let block) = layer.pattern ?? .random(density: density, block: block)
                else { return nil }
                let fanIn = Pattern.fanIn(
                    density: density, channels: network.inputShape(of: original).channels,
                    filters: network.shape(of: node.name).channels)
                slots += (layer.filters + block - 1) / block * fanIn
            }
            return slots
        }
    }

    @Test(arguments: 0 ..< 8 as Range<UInt64>)
    func everyChannelHasAPathBothWays(batch: UInt64) throws {
        for seed in batch * 100 ..< batch * 100 + 100 {
            let test = try Case(seed: seed)
            let sparse = test.result.network
            let walk = ChannelWalk(sparse)
            let image = sparse.nodes[0].name
            let reached = walk.reached(from: image)
            let leading = walk.leading(to: sparse.nodes.last!.name)
            let dead = walk.vertices.filter { $0.node != image && !(reached.contains($0) && leading.contains($0)) }
            #expect(dead.isEmpty, "\(test)")
            #expect(sparse.inputShape == test.network.inputShape, "\(test)")
            #expect(sparse.outputShape == test.network.outputShape, "\(test)")
            #expect(sparse.connections.values.allSatisfy { !$0.isDense }, "\(test)")
            for node in sparse.nodes {
                guard case .channelSelection(let kept) = node.layer else { continue }
                #expect(kept.count < sparse.inputShape(of: node).channels, "\(test): '\(node.name)' selects everything")
            }
        }
    }

    @Test(arguments: 0 ..< 8 as Range<UInt64>)
    func countsAreExact(batch: UInt64) throws {
        for seed in batch * 100 ..< batch * 100 + 100 {
            let test = try Case(seed: seed)
            let sparse = test.result.network
            let removed = Dictionary(uniqueKeysWithValues: test.result.removed.map { ($0.node, $0.channels.count) })
            for node in test.network.nodes {
                guard case .convolution(let layer) = node.layer else { continue }
                guard let index = sparse.index(of: node.name) else {
                    #expect(removed[node.name] == layer.filters, "\(test)")
                    continue
                }
                let left = sparse.shapes[index].channels
                #expect(left == layer.filters - removed[node.name, default: 0], "\(test)")
                let inputs = test.network.inputShape(of: node).channels
                let fanIn =
                    if let density = (layer.pattern ?? .random(density: test.density)).drawnDensity {
                        Pattern.fanIn(density: density, channels: inputs, filters: layer.filters)
                    } else {
                        sparse.inputShape(of: sparse.nodes[index]).channels
                    }
                let table = sparse.connectionTable(of: sparse.nodes[index])
                #expect((0 ..< left).allSatisfy { table.fanIn(of: $0) == fanIn }, "\(test): '\(node.name)'")
                guard layer.pattern == nil else { continue }
                let sharesBlocks = (0 ..< left).allSatisfy {
                    table.inputs(of: $0) == table.inputs(of: $0 / test.block * test.block)
                }
                #expect(sharesBlocks, "\(test): '\(node.name)'")
            }
        }
    }

    /// A filter may only be removed when every slot that could have read it, at the last drawing that could, saved
    /// another filter which that drawing alone could save.
    @Test(arguments: 0 ..< 8 as Range<UInt64>)
    func nothingIsRemovedWhileThereAreSlots(batch: UInt64) throws {
        var removals = 0
        for seed in batch * 100 ..< batch * 100 + 100 {
            let test = try Case(seed: seed)
            let before = FilterLabels(test.network)
            let after = FilterLabels(test.result.network, removed: test.result.removed)
            let lastRoots = before.lastRoots()
            let read = after.filtersRead()
            var removedByRoot: [String: Int] = [:]
            for layer in test.result.removed {
                for channel in layer.channels {
                    let filter = Vertex(node: layer.node, channel: channel)
                    let root = try #require(lastRoots[filter], "\(test): nothing could read \(filter)")
                    removedByRoot[root, default: 0] += 1
                }
            }
            for (root, count) in removedByRoot {
                removals += count
                let slots = try #require(test.slots(of: root, before), "\(test): a dense layer reads '\(root)'")
                var saved = Set<Vertex>()
                var savedBefore = Set<Vertex>()
                for (reader, filters) in read {
                    if before.root(readBy: reader) == root {
                        saved.formUnion(filters)
                    } else {
                        savedBefore.formUnion(filters)
                    }
                }
                let own = saved.subtracting(savedBefore).count { lastRoots[$0] == root }
                #expect(slots <= own, "\(test): '\(root)' lost \(count) filters, \(slots) slots saved only \(own)")
            }
        }
        #expect(removals > 100)
    }

    /// A stored seed must draw the same network in every version and on every machine.
    @Test func drawingIsStable() throws {
        var net = NetworkBuilder(name: "stable", input: Shape(channels: 3, height: 4, width: 4))
        let x = net.convolution(net.input, filters: 12, kernel: 1)
        _ = net.fullyConnected(net.convolution(x, filters: 4, kernel: 1), units: 2)
        let result = try net.build().sparsified(with: Pattern.random(density: 0.15), seed: 7)
        #expect(result.removed.map(\.channels) == [[4, 5, 7, 9]])
        #expect(
            result.network.connections["conv2"]
                == ConnectionTable(inputCount: 8, rows: [[5, 7], [1, 6], [2, 3], [0, 4]]))
    }

    @Test func seedsRepeatAndDiffer() throws {
        var different = 0
        for seed in 0 ..< 50 as Range<UInt64> {
            let network = try RandomNetwork.draw(seed: seed)
            let pattern = Pattern.random(density: 0.3)
            let first = try network.sparsified(with: pattern, seed: seed)
            #expect(try network.sparsified(with: pattern, seed: seed) == first)
            if try network.sparsified(with: pattern, seed: seed + 1) != first { different += 1 }
        }
        #expect(different > 40)
    }
}
