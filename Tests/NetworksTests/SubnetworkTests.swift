import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Connections that grow in a network, and how many each layer gets.
@Suite struct SubnetworkTests {
    /// What is there stays, nothing is there twice, and in the end the network is the whole one.
    @Test func growthKeepsConnections() throws {
        var cases = 0
        for number: UInt64 in 0 ..< 120 {
            var generator = SeededGenerator(seed: number, keys: SeededGenerator.key("growthKeepsConnections"))
            let base = try RandomNetwork.draw(seed: number, ownPatterns: [.dense])
            let share = [1, 1, 0.5, 0.2][generator.index(below: 4)]
            let block = [1, 1, 2, 4][generator.index(below: 4)]
            let distribution: ConnectionDistribution = generator.index(below: 3) == 0 ? .erdosRenyiKernel : .uniform
            var budget = ConnectionBudget(
                density: 0.05 + 0.2 * Double(generator.uniform()), distribution: distribution, block: block,
                filterShare: share)
            guard var current = try? Subnetwork(drawing: budget, of: base, seed: number) else { continue }
            cases += 1
            while budget.density < 1 || budget.filterShare < 1 {
                budget.density = min(1, 2 * budget.density)
                budget.filterShare = min(1, 2 * budget.filterShare)
                let grown = try current.grown(to: budget, seed: number)
                check(grown, contains: current, block: block, "case \(number)")
                current = grown
            }
            let whole = base.withoutAuxiliaryHeads
            #expect(current.removed.isEmpty && current.network.shapes == whole.shapes, "case \(number)")
            #expect(NetworkCost(current.network).connections == NetworkCost(whole).connections, "case \(number)")
        }
        #expect(cases > 60, "only \(cases) cases")
    }

    private func check(_ grown: Subnetwork, contains old: Subnetwork, block: Int, _ comment: Comment) {
        for (name, channels) in old.channels {
            #expect(Set(channels).isSubset(of: grown.channels[name] ?? []), "\(name), \(comment)")
        }
        for (name, table) in old.connections {
            // None are stored of a layer that keeps them all.
            guard let new = grown.connections[name] else { continue }
            for filter in 0 ..< table.outputCount {
                #expect(
                    Set(table.inputs(of: filter)).isSubset(of: Set(new.inputs(of: filter))), "\(name), \(comment)")
            }
        }
        let transfer = ParameterTransfer(from: old, to: grown)
        for entry in ParameterLayout(grown.network).all {
            let sources = transfer.sources(of: entry).filter { $0 != ParameterTransfer.nowhere }
            #expect(Set(sources).count == sources.count && sources == sources.sorted(), "\(entry.name), \(comment)")
            let before = ParameterLayout(old.network).entry(entry.node, entry.role)
            #expect(sources.count == before?.shape[0] ?? 0, "\(entry.name): something is lost, \(comment)")
        }
    }

    private func chain(_ widths: [Int] = [16, 24, 40], kernel: Int = 3) throws -> Network {
        var net = NetworkBuilder(name: "chain", input: Shape(channels: 3, height: 8, width: 8))
        var x = net.convolution(net.input, filters: widths[0], kernel: kernel, pattern: .dense)
        for width in widths.dropFirst() {
            x = net.relu(net.batchNormalization(net.convolution(x, filters: width, kernel: kernel, bias: false)))
        }
        _ = net.fullyConnected(net.globalAveragePooling(x), units: 5)
        return try net.build()
    }

    /// A grown layer has as many connections as one that is drawn at the same density.
    @Test(arguments: [1, 4]) func budgetsAreExact(block: Int) throws {
        let base = try chain([16, 24, 40, 40])
        // Blocks have slots for all channels from a quarter on.
        let first = block == 1 ? 0.125 : 0.25
        var budget = ConnectionBudget(density: first, block: block)
        var current = try Subnetwork(drawing: budget, of: base, seed: 3)
        for density in [first, 2 * first, 0.75, 1] {
            budget.density = density
            if density > first { current = try current.grown(to: budget, seed: 3) }
            try #require(current.removed.isEmpty)
            for (name, channels, filters) in [("conv2", 16, 24), ("conv3", 24, 40), ("conv4", 40, 40)] {
                let node = current.network.nodes[current.network.index(of: name)!]
                let table = current.network.connectionTable(of: node)
                let fanIn = Pattern.fanIn(density: density, channels: channels, filters: filters)
                #expect((0 ..< filters).allSatisfy { table.fanIn(of: $0) == fanIn })
                for filter in 0 ..< filters {
                    #expect(table.inputs(of: filter).elementsEqual(table.inputs(of: filter / block * block)))
                }
            }
        }
    }

    @Test func seedsDecide() throws {
        let base = try chain()
        func grown(_ seed: UInt64) throws -> Subnetwork {
            try Subnetwork(drawing: ConnectionBudget(density: 0.1), of: base, seed: seed)
                .grown(to: ConnectionBudget(density: 0.2), seed: seed)
        }
        #expect(try grown(1).network == grown(1).network)
        #expect(try grown(1).network != grown(2).network)
    }

    /// Filters join from the first on, and read as many channels as the others.
    @Test func channelsGrow() throws {
        let base = try chain([16, 24, 40])
        let half = ConnectionBudget(density: 0.25, filterShare: 0.5)
        let start = try Subnetwork(drawing: half, of: base, seed: 1)
        #expect(start.channels["conv1"] == Array(0 ..< 8) && start.channels["conv2"] == Array(0 ..< 12))
        #expect(start.network.connectionCount(of: start.network.nodes[start.network.index(of: "conv3")!]) == 20 * 3)
        #expect(start.network.outputShape == base.outputShape)
        let all = try start.grown(to: ConnectionBudget(density: 0.25), seed: 1)
        #expect(all.network.shapes == base.shapes)
        let table = try #require(all.network.connections["conv3"])
        #expect((0 ..< 40).allSatisfy { table.fanIn(of: $0) == 6 })
    }

    /// As many weights as the uniform distribution has, at densities proportional to Evci's ratio or full.
    @Test(arguments: [0.02, 0.1, 0.3, 0.7]) func kernelDistribution(density: Double) throws {
        var net = NetworkBuilder(name: "mixed", input: Shape(channels: 8, height: 8, width: 8))
        var x = net.convolution(net.input, filters: 64, kernel: 3)
        x = net.convolution(net.relu(x), filters: 96, kernel: 1)
        x = net.convolution(net.relu(x), filters: 128, kernel: 5)
        x = net.convolution(net.relu(x), filters: 32, kernel: 1, pattern: .dense)
        _ = net.fullyConnected(net.globalAveragePooling(net.relu(x)), units: 5)
        let base = try net.build()
        let pattern = Pattern.random(density: density)
        let uniform = try base.sparsified(with: pattern, seed: 1).network
        let other = try base.sparsified(with: pattern, seed: 1, distribution: .erdosRenyiKernel)
        let layers = [("conv1", 8, 64, 3), ("conv2", 64, 96, 1), ("conv3", 96, 128, 5)]
        func count(_ name: String, _ network: Network) -> Int {
            network.connectionCount(of: network.nodes[network.index(of: name)!])
        }
        let sums = [uniform, other.network].map { network in
            layers.reduce(0) { $0 + count($1.0, network) * $1.3 * $1.3 }
        }
        // Every layer is rounded to a whole connection; filters that would read nothing read one channel.
        if density >= 0.1 { #expect(abs(sums[0] - sums[1]) <= layers.reduce(0) { $0 + $1.3 * $1.3 }) }
        #expect(count("conv4", other.network) == 128 * 32)
        let scales = layers.compactMap { name, channels, filters, kernel -> Double? in
            let possible = channels * filters
            let found = Double(count(name, other.network)) / Double(possible)
            guard found < 1, count(name, other.network) > filters else { return nil }
            return found * Double(possible * kernel * kernel) / Double(channels + filters + 2 * kernel)
        }
        #expect(scales.count > 0 && scales.max()! / scales.min()! < 1.05)
        #expect(throws: NetworkError.self) {
            _ = try base.sparsified(
                with: Pattern.expander(density: density), seed: 1, distribution: .erdosRenyiKernel)
        }
    }
}
