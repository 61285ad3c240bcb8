import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Gradients of connections that do not exist.
@Suite struct CandidateProbeTests {
    /// They are those of a network that has all connections, where the missing ones have weights of zero.
    @Test func gradientsAreThoseOfZeroWeights() throws {
        var checked = 0
        try forEachCase("gradientsAreThoseOfZeroWeights", count: 120) { generator, replay in
            var options = RandomNetwork.Options()
            if generator.index(below: 6) == 0 { (options.largestFilters, options.largestSide) = (40, 5) }
            let drawn = RandomNetwork.draw(using: &generator, options: options)
            let base = try Network(name: drawn.name, nodes: drawn.nodes)
            let whole = Subnetwork(all: base)
            var tables: [String: ConnectionTable] = [:]
            for node in base.nodes {
                guard case .convolution = node.layer, base.fixedTable(of: node) == nil else { continue }
                let all = base.connectionTable(of: node)
                tables[node.name] = all.keeping((0 ..< all.count).map { _ in generator.index(below: 2) == 0 })
            }
            // Channels that nothing reads would be gone from the one and not from the other.
            guard let sparse = try? whole.replacing(tables), sparse.network.nodes == base.nodes else { return }
            let parameters = Parameters(drawing: sparse.network, using: &generator)
            let dense = parameters.spread(over: whole, from: sparse)
            let count = 1 + generator.index(below: 20)
            let threads = 1 + generator.index(below: 3)
            var densePlan = try TestPlan(base, parameters: dense, capacity: count)
            var sparsePlan = try TestPlan(sparse.network, parameters: parameters, capacity: count, threads: threads)
            let images = generator.bells(count * base.inputShape.count)
            let functional = generator.bells(count * base.outputShape.count)
            let expected = densePlan.run(images, outputGradient: functional)
            var layers: [String: CandidateProbe.Layer] = [:]
            for (name, table) in tables {
                let size = 1 + generator.index(below: 3)
                let blocks = stride(from: 0, to: table.outputCount, by: size).map {
                    $0 ..< min(table.outputCount, $0 + size)
                }
                layers[name] = CandidateProbe.Layer(known: table, blocks: blocks)
            }
            var seen: [String: Int] = [:]
            let limit = 1 + generator.index(below: 400)
            let probe = CandidateProbe(layers: layers, limit: limit) { candidates in
                let gradients = expected.gradients[candidates.node + ".weight"]!
                let scale = gradients.reduce(1e-3) { max($0, abs($1)) }
                for row in 0 ..< candidates.table.outputCount {
                    for place in Int(candidates.table.rowStarts[row]) ..< Int(candidates.table.rowStarts[row + 1]) {
                        let filter = candidates.firstFilter + row
                        let input = Int(candidates.table.inputs[place])
                        #expect(!tables[candidates.node]!.inputs(of: filter).contains(Int32(input)), "\(replay)")
                        let dense = (filter * candidates.table.inputCount + input) * candidates.area
                        for tap in 0 ..< candidates.area {
                            let gradient = candidates.gradients[place * candidates.area + tap]
                            let error = abs(gradient - gradients[dense + tap])
                            #expect(error <= 1e-4 * scale, "\(candidates.node), \(replay)")
                        }
                        seen[candidates.node, default: 0] += 1
                    }
                }
            }
            let result = sparsePlan.run(images, outputGradient: functional, probe: probe)
            let plain = sparsePlan.run(images, outputGradient: functional)
            for (name, table) in tables {
                #expect(seen[name] ?? 0 == table.inputCount * table.outputCount - table.count, "\(name), \(replay)")
            }
            // Watching changes nothing.
            for (name, gradient) in plain.gradients { #expect(result.gradients[name]!.bits == gradient.bits) }
            checked += 1
        }
        #expect(checked > 20 || checked == 1, "only \(checked) cases")
    }
}

extension Parameters {
    /// The parameters of a larger network that computes the same: new weights are zero.
    fileprivate func spread(over whole: Subnetwork, from sparse: Subnetwork) -> Parameters {
        let result = Parameters(zerosFor: ParameterLayout(whole.network))
        let transfer = ParameterTransfer(from: sparse, to: whole)
        for entry in result.layout.all {
            let old = values(layout.entry(entry.node, entry.role)!)
            let sources = transfer.sources(of: entry)
            let size = entry.count / sources.count
            result.set(
                entry,
                to: sources.flatMap { source -> [Float] in
                    source == ParameterTransfer.nowhere
                        ? Array(repeating: 0, count: size)
                        : Array(old[Int(source) * size ..< (Int(source) + 1) * size])
                })
        }
        return result
    }
}
