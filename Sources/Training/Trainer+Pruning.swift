import GossamerConnectivity
import GossamerDatasets
import GossamerNetworks
import GossamerTensors

extension Trainer {
    /// What a removal leaves.
    mutating func pruned(_ pruning: Pruning, removal: Int) throws(TrainingError) -> Subnetwork {
        let left = prunedLayers.filter { network.index(of: $0.name) != nil }
        let selection = ConnectionSelection(
            layers: left.map { ChangingLayer($0.name, of: subnetwork!, block: pruning.block) },
            scores: try scores(pruning, of: left.map(\.name), removal: removal))
        let density = pruning.density(afterRemoval: removal)
        func share(of count: Int) -> Int { Int((density * Double(count)).rounded(.up)) }
        func keeping(_ kept: [String: [Bool]]) throws(TrainingError) -> Subnetwork {
            do throws(NetworkError) {
                return try subnetwork!.keeping(kept)
            } catch {
                throw .mismatch(error.description)
            }
        }
        switch pruning.scope {
        case .uniform: return try keeping(selection.kept(left.map { share(of: $0.connections) }))
        case .global:
            let target = share(of: left.reduce(0) { $0 + $1.connections })
            // Few connections chosen from all layers together may leave an output without a path from the image.
            if let new = try? keeping(selection.kept(ofAll: target, protectsFilters: false)) { return new }
            return try keeping(selection.kept(ofAll: target, protectsFilters: true))
        }
    }

    /// The score of every connection of the layers that are pruned.
    private mutating func scores(
        _ pruning: Pruning, of layers: [String], removal: Int
    ) throws(TrainingError) -> [String: [Double]] {
        switch pruning.score {
        case .random: return randomScores(of: layers, keys: [SeededGenerator.key("pruning"), UInt64(removal)])
        case .magnitude: return magnitudes(of: layers)
        case .saliency: return try saliencies(of: layers, batches: pruning.batches, removal: removal)
        }
    }

    /// The root mean square of every kernel's weights.
    func magnitudes(of layers: [String]) -> [String: [Double]] {
        kernelScores(of: layers) { entry, sizes in
            let weights = parameters.pointer(entry)
            return (0 ..< sizes.connections).map { connection in
                let kernel = UnsafeBufferPointer(start: weights + connection * sizes.area, count: sizes.area)
                return (kernel.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(sizes.area)).squareRoot()
            }
        }
    }

    func randomScores(of layers: [String], keys: [UInt64]) -> [String: [Double]] {
        kernelScores(of: layers) { entry, sizes in
            var generator = SeededGenerator(seed: settings.seed, keys: keys + [SeededGenerator.key(entry.node)])
            return (0 ..< sizes.connections).map { _ in Double(generator.uniform()) }
        }
    }

    /// The absolute sum of weight times gradient over every kernel, of the batch that was differentiated last.
    func kernelSaliencies(of layers: [String]) -> [String: [Double]] {
        kernelScores(of: layers) { entry, sizes in
            let (weights, gradients) = (parameters.pointer(entry), gradients.pointer + entry.offset)
            return (0 ..< sizes.connections).map { connection in
                let places = connection * sizes.area ..< (connection + 1) * sizes.area
                return abs(places.reduce(0.0) { $0 + Double(weights[$1]) * Double(gradients[$1]) })
            }
        }
    }

    private func kernelScores(
        of layers: [String], _ score: (ParameterLayout.Entry, _ sizes: (connections: Int, area: Int)) -> [Double]
    ) -> [String: [Double]] {
        var scores: [String: [Double]] = [:]
        for name in layers {
            let entry = parameters.layout.entry(name, .kernel)!
            scores[name] = score(entry, (entry.shape[0], entry.shape[1] * entry.shape[2]))
        }
        return scores
    }

    /// Runs batches of an order of their own. Running statistics stay as they are.
    private mutating func saliencies(
        of layers: [String], batches: Int, removal: Int
    ) throws(TrainingError) -> [String: [Double]] {
        let before = parameters.copy()
        var sums: [String: [Double]] = [:]
        // No epoch of a training has such a number.
        loader.startEpoch(1 << 20 + removal)
        for number in 0 ..< min(batches, stepsPerEpoch) {
            guard let batch = try nextBatch() else { break }
            _ = try differentiate(batch, keys: [SeededGenerator.key("pruning"), UInt64(removal), UInt64(number)])
            sums.merge(kernelSaliencies(of: layers)) { old, new in zip(old, new).map(+) }
        }
        parameters.copy(from: before)
        loader.startEpoch(state.epoch, fromStep: state.step)
        return sums
    }
}
