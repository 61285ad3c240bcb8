import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// What a removal of connections did.
public struct PruningReport: Sendable {
    /// Connections left in the convolutions, and how many there were before the first removal.
    public let connections: Int
    public let initialConnections: Int
    /// Filters that went because nothing was left that feeds or reads them.
    public let removed: [RemovedChannels]
}

extension Trainer {
    /// Removes connections if it is time to; only between steps.
    ///
    /// - Returns: nil where nothing was due.
    mutating func pruneIfDue() throws(TrainingError) -> PruningReport? {
        guard let pruning = settings.pruning else { return nil }
        let batches = state.epoch * stepsPerEpoch + state.step
        var due = state.removals
        while due < pruning.removalCount, pruning.batch(ofRemoval: due + 1, stepsPerEpoch: stepsPerEpoch) <= batches {
            due += 1
        }
        guard due > state.removals else { return nil }
        let selection = ConnectionSelection(
            network: network, pruning: pruning, layers: layersLeft, scores: try scores(pruning, removal: due))
        let pruned: PrunedNetwork
        do throws(NetworkError) {
            pruned = try network.pruned(keeping: selection.kept(density: pruning.density(afterRemoval: due)))
        } catch {
            throw .mismatch(error.description)
        }
        let newAverage = average.map { WeightAverage($0.parameters.pruned(pruned), decay: settings.averageDecay!) }
        try rebuild(
            pruned.network, parameters: parameters.pruned(pruned), optimizer: optimizer.pruned(pruned, frozen: frozen),
            average: newAverage)
        state.removals = due
        state.removalEpoch = state.epoch
        return PruningReport(
            connections: NetworkCost(network).connections, initialConnections: initialConnections,
            removed: pruned.removed)
    }

    /// Goes on with another network and what belongs to it.
    mutating func rebuild(
        _ network: Network, parameters: consuming Parameters, optimizer: consuming OptimizerState,
        average: WeightAverage?
    ) throws(TrainingError) {
        do throws(ExecutionError) {
            plan = try TrainingPlan(
                network, capacity: plan.capacity, pool: pool, frozen: frozen, recomputes: recomputes)
        } catch {
            throw .execution(error)
        }
        self.network = network
        gradients = AlignedBuffer(count: parameters.layout.trainedCount)
        batchGradients = AlignedBuffer(count: batchGradients.count > 0 ? parameters.layout.trainedCount : 0)
        self.parameters = parameters
        self.optimizer = optimizer
        self.average = average
    }

    private var layersLeft: [(node: Node, initialCount: Int)] {
        prunedLayers.compactMap { name, count in
            network.index(of: name).map { (network.nodes[$0], count) }
        }
    }

    /// The score of every connection of the layers that are pruned.
    private mutating func scores(_ pruning: Pruning, removal: Int) throws(TrainingError) -> [String: [Double]] {
        switch pruning.score {
        case .random:
            return kernelScores { entry, sizes in
                var generator = SeededGenerator(
                    seed: settings.seed, keys: SeededGenerator.key("pruning \(entry.node)"), UInt64(removal))
                return (0 ..< sizes.connections).map { _ in Double(generator.uniform()) }
            }
        case .magnitude:
            return kernelScores { entry, sizes in
                let weights = parameters.pointer(entry)
                return (0 ..< sizes.connections).map { connection in
                    let kernel = UnsafeBufferPointer(start: weights + connection * sizes.area, count: sizes.area)
                    return (kernel.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(sizes.area)).squareRoot()
                }
            }
        case .saliency: return try saliencies(batches: pruning.batches, removal: removal)
        }
    }

    private func kernelScores(
        _ score: (ParameterLayout.Entry, _ sizes: (connections: Int, area: Int)) -> [Double]
    ) -> [String: [Double]] {
        var scores: [String: [Double]] = [:]
        for (node, _) in layersLeft {
            let entry = parameters.layout.entry(node.name, .kernel)!
            scores[node.name] = score(entry, (entry.shape[0], entry.shape[1] * entry.shape[2]))
        }
        return scores
    }

    /// Runs batches of an order of their own. Running statistics stay as they are.
    private mutating func saliencies(batches: Int, removal: Int) throws(TrainingError) -> [String: [Double]] {
        let before = parameters.copy()
        var sums: [String: [Double]] = [:]
        // No epoch of a training has such a number.
        loader.startEpoch(1 << 20 + removal)
        for number in 0 ..< min(batches, stepsPerEpoch) {
            guard let batch = try nextBatch() else { break }
            _ = try differentiate(batch, keys: [SeededGenerator.key("pruning"), UInt64(removal), UInt64(number)])
            let products = kernelScores { entry, sizes in
                let (weights, gradients) = (parameters.pointer(entry), gradients.pointer + entry.offset)
                return (0 ..< sizes.connections).map { connection in
                    let places = connection * sizes.area ..< (connection + 1) * sizes.area
                    return abs(places.reduce(0.0) { $0 + Double(weights[$1]) * Double(gradients[$1]) })
                }
            }
            sums.merge(products) { old, new in zip(old, new).map(+) }
        }
        parameters.copy(from: before)
        loader.startEpoch(state.epoch, fromStep: state.step)
        return sums
    }
}

extension Parameters {
    /// The values that are left of these in a pruned network.
    func pruned(_ pruned: PrunedNetwork) -> Parameters {
        let result = Parameters(zerosFor: ParameterLayout(pruned.network))
        for entry in result.layout.all {
            let old = layout.entry(entry.node, entry.role)!
            pruned.gather(entry, from: pointer(old), into: result.pointer(entry))
        }
        return result
    }
}

extension PrunedNetwork {
    /// Copies what is left of a parameter, or of values that lie like it.
    func gather(_ entry: ParameterLayout.Entry, from old: UnsafePointer<Float>, into new: UnsafeMutablePointer<Float>) {
        let sources = sources(of: entry)
        let size = sources.isEmpty ? 0 : entry.count / sources.count
        for (place, source) in sources.enumerated() {
            (new + place * size).update(from: old + source * size, count: size)
        }
    }
}

extension OptimizerState {
    /// The state that is left of this in a pruned network.
    func pruned(_ pruned: PrunedNetwork, frozen: Set<String>) -> OptimizerState {
        let result = OptimizerState(
            optimizer, layout: ParameterLayout(pruned.network), weightDecay: weightDecay, frozen: frozen)
        for span in result.spans {
            let old = spans.first { $0.entry.name == span.entry.name }!
            for index in optimizer.slots.indices {
                pruned.gather(
                    span.entry, from: slot(index, of: old).baseAddress!,
                    into: result.slot(index, of: span).baseAddress!)
            }
        }
        return result
    }
}
