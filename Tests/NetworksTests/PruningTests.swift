import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Networks without some of their connections, and where their parameters were before.
@Suite struct PruningTests {
    /// The parts of every parameter of a pruned network are those that name the same channels in the old one.
    @Test func sourcesNameTheSameChannels() throws {
        var cases = 0
        for number: UInt64 in 0 ..< 150 {
            var generator = SeededGenerator(seed: number, keys: SeededGenerator.key("sourcesNameTheSameChannels"))
            let whole = try RandomNetwork.draw(seed: number)
            let density = 0.3 + 0.7 * Double(generator.uniform())
            guard let old = try? whole.sparsified(with: Pattern.random(density: density), seed: number).network
            else { continue }
            var kept: [String: [Bool]] = [:]
            for node in old.nodes {
                guard case .convolution = node.layer, generator.index(below: 4) > 0 else { continue }
                kept[node.name] = (0 ..< old.connectionCount(of: node)).map { _ in generator.index(below: 4) > 0 }
            }
            let all = Subnetwork(all: old)
            let pruned: Subnetwork
            do throws(NetworkError) { pruned = try all.keeping(kept) } catch { continue }
            cases += 1
            try check(pruned, of: all, kept, "case \(number)")
        }
        #expect(cases > 60, "only \(cases) cases")
    }

    private func check(
        _ pruned: Subnetwork, of old: Subnetwork, _ kept: [String: [Bool]], _ comment: Comment
    ) throws {
        let (before, after) = (ParameterLayout(old.network), ParameterLayout(pruned.network))
        let transfer = ParameterTransfer(from: old, to: pruned)
        #expect(after.trainedCount <= before.trainedCount, comment)
        for entry in after.all {
            let source = try #require(before.entry(entry.node, entry.role), comment)
            let sources = transfer.sources(of: entry)
            let parts = sources.filter { $0 != ParameterTransfer.nowhere }.map(Int.init)
            #expect(parts.count == sources.count, "\(entry.name), \(comment)")
            #expect(parts.count == entry.shape[0], "\(entry.name), \(comment)")
            #expect(Set(parts).count == parts.count && parts == parts.sorted(), "\(entry.name), \(comment)")
            #expect(parts.allSatisfy { (0 ..< source.shape[0]).contains($0) }, "\(entry.name), \(comment)")
            #expect(entry.shape.dropFirst() == source.shape.dropFirst(), "\(entry.name), \(comment)")
            guard entry.role == .kernel, let stays = kept[entry.node] else { continue }
            #expect(parts.allSatisfy { stays[$0] }, "\(entry.name), \(comment)")
        }
    }

    /// A filter that loses all it reads goes, and with it what only it fed.
    @Test func deadFiltersGo() throws {
        var net = NetworkBuilder(name: "chain", input: Shape(channels: 2, height: 4, width: 4))
        var x = net.batchNormalization(net.convolution(net.input, filters: 3, kernel: 3, name: "first"), name: "norm")
        x = net.convolution(net.relu(x), filters: 2, kernel: 1, name: "second")
        _ = net.fullyConnected(x, units: 5, name: "classifier")
        let old = try net.build()
        let all = Subnetwork(all: old)
        let pruned = try all.keeping(["first": [true, false, false, false, true, true]])
        let transfer = ParameterTransfer(from: all, to: pruned)
        #expect(pruned.network.shape(of: "first").channels == 2)
        #expect(pruned.network.connections["first"] == ConnectionTable(inputCount: 2, rows: [[0], [0, 1]]))
        #expect(pruned.removed.map(\.node) == ["first"] && pruned.removed[0].channels == [1])
        let layout = ParameterLayout(pruned.network)
        #expect(transfer.sources(of: layout.entry("first", .kernel)!) == [0, 4, 5])
        #expect(transfer.sources(of: layout.entry("first", .bias)!) == [0, 2])
        #expect(transfer.sources(of: layout.entry("norm", .runningMean)!) == [0, 2])
        #expect(transfer.sources(of: layout.entry("second", .kernel)!) == [0, 2, 3, 5])
        #expect(transfer.sources(of: layout.entry("classifier", .kernel)!) == Array(0 ..< 10))
    }

    @Test func anOutputMustKeepAPath() throws {
        var net = NetworkBuilder(name: "outputs", input: Shape(channels: 2, height: 1, width: 1))
        _ = net.convolution(net.input, filters: 2, kernel: 1, name: "last")
        let network = try net.build()
        let error = #expect(throws: NetworkError.self) {
            _ = try Subnetwork(all: network).keeping(["last": [true, true, false, false]])
        }
        #expect(error!.description.contains("'last'") && error!.description.contains("1 of 2"))
    }
}
