import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

extension Trainer {
    /// The network after a growth.
    mutating func grown(
        _ growth: Growth, to number: Int, _ batch: borrowing Batch
    ) throws(TrainingError) -> Subnetwork {
        let old = subnetwork!
        let drawn = try checked { () throws(NetworkError) in
            try old.grown(to: growth.budget(after: number), seed: settings.seed)
        }
        guard growth.by == .gradient else { return drawn }
        // Channels without a path have no gradients: what leads there stays as it was drawn.
        var selections: [CandidateSelection] = []
        for name in drawn.connections.keys.sorted() where network.index(of: name) != nil {
            let layer = ChangingLayer(name, of: old, block: growth.block)
            let count = drawn.table(of: name, among: old).count - layer.table.count
            if count > 0 { selections.append(CandidateSelection(layer: layer, known: layer.table, count: count)) }
        }
        let units = try largestGradients(selections, batch)
        var connections = drawn.connections
        for selection in selections {
            let name = selection.layer.node.name
            connections[name] = drawn.connections[name]!.replacing(
                selection.adding(units[name]!), filters: old.channels[name]!, channels: old.inputChannels(of: name))
        }
        return try checked { () throws(NetworkError) in try Subnetwork(of: old.base, connections: connections) }
    }

    /// The network after an exploration; nil where no layer has connections to choose among.
    ///
    /// - Parameter share: of the training's steps that are done.
    mutating func explored(
        _ exploration: Exploration, after share: Double, _ batch: borrowing Batch
    ) throws(TrainingError) -> Subnetwork? {
        let old = subnetwork!
        let layers = old.exploredLayers(frozen: frozen).map { ChangingLayer($0, of: old, block: exploration.block) }
        guard !layers.isEmpty else { return nil }
        let drop = exploration.drop(after: share)
        let scores = try scores(exploration.score, of: layers.map(\.node.name), batch)
        let kept = ConnectionSelection(layers: layers, scores: scores)
            .kept(layers.map { $0.table.count - Int(drop * Double($0.table.count)) })
        let known = layers.map { $0.table.keeping(kept[$0.node.name]!) }
        let unread = try old.unreadChannels(
            keeping: Dictionary(uniqueKeysWithValues: zip(layers.map(\.node.name), known)))
        let selections = zip(layers, known).map { layer, known in
            let budget = state.budgets[layer.node.name] ?? layer.table.count
            return CandidateSelection(
                layer: layer, known: known, count: max(0, budget - known.count),
                unread: unread[layer.node.name] ?? [])
        }
        let units = switch exploration.by {
        case .random: randomUnits(selections)
        case .gradient: try largestGradients(selections, batch)
        }
        var tables: [String: ConnectionTable] = [:]
        for selection in selections {
            tables[selection.layer.node.name] = selection.adding(units[selection.layer.node.name]!)
        }
        return try checked { () throws(NetworkError) in try old.replacing(tables) }
    }

    private mutating func scores(
        _ score: Pruning.Score, of layers: [String], _ batch: borrowing Batch
    ) throws(TrainingError) -> [String: [Double]] {
        let keys = [SeededGenerator.key("dropping"), UInt64(state.changes.count)]
        switch score {
        case .magnitude: return magnitudes(of: layers)
        case .random: return randomScores(of: layers, keys: keys)
        case .saliency:
            let statistics = parameters.copyStatistics()
            _ = try differentiate(batch, keys: keys)
            parameters.statistics.pointer.update(from: statistics.pointer, count: statistics.count)
            return kernelSaliencies(of: layers)
        }
    }

    private func randomUnits(_ selections: [CandidateSelection]) -> [String: [CandidateSelection.Unit]] {
        var units: [String: [CandidateSelection.Unit]] = [:]
        for selection in selections {
            let name = selection.layer.node.name
            var generator = SeededGenerator(
                seed: settings.seed, keys: SeededGenerator.key("exploration"), SeededGenerator.key(name),
                UInt64(state.changes.count))
            units[name] = selection.random(using: &generator)
        }
        return units
    }

    /// The candidates whose kernels have the largest gradients on a batch. Running statistics stay as they are.
    private mutating func largestGradients(
        _ selections: [CandidateSelection], _ batch: borrowing Batch
    ) throws(TrainingError) -> [String: [CandidateSelection.Unit]] {
        var largest: [String: LargestUnits] = [:]
        var layers: [String: CandidateProbe.Layer] = [:]
        var selected: [String: CandidateSelection] = [:]
        for selection in selections {
            let name = selection.layer.node.name
            largest[name] = LargestUnits(for: selection)
            layers[name] = CandidateProbe.Layer(known: selection.known, blocks: selection.layer.blocks)
            selected[name] = selection
        }
        let probe = CandidateProbe(layers: layers) { candidates in
            candidates.forEachUnit(of: selected[candidates.node]!.layer) { unit, score in
                largest[candidates.node]!.add(unit, score: score)
            }
        }
        let statistics = parameters.copyStatistics()
        _ = try differentiate(
            batch, keys: [SeededGenerator.key("growth"), UInt64(state.changes.count)], probe: probe)
        parameters.statistics.pointer.update(from: statistics.pointer, count: statistics.count)
        return largest.mapValues { units in
            var units = units
            return units.take()
        }
    }

    /// What a network says of a change that it does not allow.
    private func checked<Result>(_ body: () throws(NetworkError) -> Result) throws(TrainingError) -> Result {
        do throws(NetworkError) { return try body() } catch { throw .mismatch(error.description) }
    }
}

extension Parameters {
    fileprivate func copyStatistics() -> AlignedBuffer<Float> {
        let copy = AlignedBuffer<Float>(count: statistics.count)
        copy.pointer.update(from: statistics.pointer, count: statistics.count)
        return copy
    }
}

extension Subnetwork {
    /// Convolutions that lack connections which their pattern allows, and that are trained.
    fileprivate func exploredLayers(frozen: Set<String>) -> [String] {
        network.nodes.filter { node in
            guard case .convolution(let layer) = node.layer, layer.pattern != .dense,
                layer.pattern?.isFixed != true, !frozen.contains(node.name)
            else { return false }
            return network.connections[node.name].map { !$0.isDense } ?? false
        }.map(\.name)
    }

    /// Channels that would leave the network with some layers' other connections, by the first of these layers that
    /// reads them, in its own numbers.
    fileprivate func unreadChannels(
        keeping tables: [String: ConnectionTable]
    ) throws(TrainingError) -> [String: [Int]] {
        let left: Subnetwork
        do throws(NetworkError) { left = try replacing(tables) } catch { throw .mismatch(error.description) }
        var unread: [String: [Int]] = [:]
        var isTaken: [String: Set<Int>] = [:]
        for node in network.nodes where tables[node.name] != nil {
            let source = node.inputs[0]
            let stays = Set(left.channels[source] ?? [])
            let channels = channels[source]!
            // What only leaves because its reader does comes back with that.
            let isRead = Set(tables[node.name]!.readChannels)
            unread[node.name] = network.connectionTable(of: node).readChannels.filter {
                !stays.contains(channels[$0]) && !isRead.contains($0)
                    && isTaken[source, default: []].insert($0).inserted
            }
        }
        return unread
    }

    fileprivate func inputChannels(of name: String) -> [Int] {
        channels[base.nodes[base.index(of: name)!].inputs[0]]!
    }

    /// The connections of a layer among the channels that another subnetwork has, in that one's numbers.
    fileprivate func table(of name: String, among other: Subnetwork) -> ConnectionTable {
        connections[name]!.selecting(filters: other.channels[name]!, channels: other.inputChannels(of: name))
    }
}

extension ConnectionTable {
    /// Other connections between some filters and some channels; those outside stay.
    fileprivate func replacing(_ inner: ConnectionTable, filters: [Int], channels: [Int]) -> ConnectionTable {
        let isInner = Set(channels)
        var rows = (0 ..< outputCount).map { inputs(of: $0).map(Int.init) }
        for (place, filter) in filters.enumerated() {
            rows[filter].removeAll { isInner.contains($0) }
            rows[filter] += inner.inputs(of: place).map { channels[Int($0)] }
        }
        return ConnectionTable(inputCount: inputCount, rows: rows)
    }
}
