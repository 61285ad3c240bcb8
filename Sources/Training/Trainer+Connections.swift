import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

extension Trainer {
    /// Removes connections if it is time to; only between steps.
    ///
    /// - Returns: nil where nothing was due.
    mutating func pruneIfDue() throws(TrainingError) -> ConnectionEvent? {
        guard let pruning = settings.pruning else { return nil }
        let batches = state.epoch * stepsPerEpoch + state.step
        var due = state.removals
        while due < pruning.removalCount, pruning.batch(ofRemoval: due + 1, stepsPerEpoch: stepsPerEpoch) <= batches {
            due += 1
        }
        guard due > state.removals else { return nil }
        let clock = Stopwatch()
        let new = try pruned(pruning, removal: due)
        state.removals = due
        return try adopt(new, .removal, since: clock)
    }

    /// Grows and explores connections if it is time to; only between steps.
    ///
    /// - Parameter batch: the next step's, which gradients are measured on.
    package mutating func growAndExploreIfDue(_ batch: borrowing Batch) throws(TrainingError) -> [ConnectionEvent] {
        var events: [ConnectionEvent] = []
        if let growth = settings.growth {
            let due = growth.count(before: state.updates, of: updateCount)
            if due > state.growths {
                let clock = Stopwatch()
                let new = try grown(growth, to: due, batch)
                state.growths = due
                events.append(try adopt(new, .growth, since: clock))
            }
        }
        if let exploration = settings.exploration {
            let share = Double(state.updates) / Double(updateCount)
            let due = state.updates / exploration.every
            if due > state.explorations, share < exploration.until {
                let clock = Stopwatch()
                // What has just grown is small: it would go before it was trained for a step.
                if events.isEmpty, let new = try explored(exploration, after: share, batch) {
                    events.append(try adopt(new, .exploration, since: clock))
                }
                state.explorations = due
            }
        }
        return events
    }

    /// Steps of the optimizer in the whole training.
    var updateCount: Int { settings.updateCount(stepsPerEpoch: stepsPerEpoch) }

    /// Goes on with other connections. What is known of those that stay is kept.
    private mutating func adopt(
        _ new: Subnetwork, _ change: ConnectionChange.Kind, since clock: Stopwatch
    ) throws(TrainingError) -> ConnectionEvent {
        let before = NetworkCost(network).connections
        let kept = try move(to: new, change)
        let cost = NetworkCost(network)
        if change != .exploration { state.budgets = settings.budgets(of: network) }
        state.changeEpoch = state.epoch
        let report = ConnectionChange(
            change: change, epoch: state.epoch + 1, step: state.updates,
            epochsDone: Double(state.epoch) + Double(state.step) / Double(stepsPerEpoch), connectionsBefore: before,
            connections: cost.connections, parameters: cost.parameters, connectionsKept: kept)
        state.changes.append(report)
        return ConnectionEvent(
            change: report, initialConnections: initialConnections, removed: new.removed, seconds: clock.seconds)
    }

    /// - Returns: connections of convolutions that were there before.
    private mutating func move(
        to new: Subnetwork, _ change: ConnectionChange.Kind
    ) throws(TrainingError) -> Int {
        let transfer = ParameterTransfer(from: subnetwork!, to: new)
        let layout = ParameterLayout(new.network)
        let moved = Parameters(zerosFor: layout)
        let state = OptimizerState(
            settings.optimizer, layout: layout, weightDecay: settings.weightDecay, frozen: frozen)
        let newAverage = average == nil ? nil : WeightAverage(moved, decay: settings.averageDecay!)
        let oldEntries = Dictionary(uniqueKeysWithValues: parameters.layout.all.map { ($0.name, $0) })
        let oldSpans = Dictionary(uniqueKeysWithValues: optimizer.spans.map { ($0.entry.name, $0) })
        let newSpans = Dictionary(uniqueKeysWithValues: state.spans.map { ($0.entry.name, $0) })
        var kept = 0
        for entry in layout.all {
            let parts = MovedParts(entry, transfer)
            // A layer that had no filters left has no entry.
            let old = oldEntries[entry.name]
            if let old { parts.move(from: parameters.pointer(old), to: moved.pointer(entry)) }
            initialize(parts, of: new, change, places: transfer.places(of: entry.node), in: moved)
            if let average, let newAverage {
                let target = newAverage.parameters.pointer(entry)
                if let old { parts.move(from: average.parameters.pointer(old), to: target) }
                parts.fill(target, from: moved.pointer(entry))
            }
            if let oldSpan = oldSpans[entry.name], let span = newSpans[entry.name] {
                for index in settings.optimizer.slots.indices {
                    parts.move(
                        from: optimizer.slot(index, of: oldSpan).baseAddress!,
                        to: state.slot(index, of: span).baseAddress!)
                }
            }
            if entry.role == .kernel, isConvolution(entry.node, new) { kept += parts.keptCount }
        }
        try rebuild(new, parameters: moved, optimizer: state, average: newAverage)
        return kept
    }

    private func isConvolution(_ node: String, _ subnetwork: Subnetwork) -> Bool {
        if case .convolution = subnetwork.base.nodes[subnetwork.base.index(of: node)!].layer { true } else { false }
    }

    /// Writes the first values of what is new.
    ///
    /// - Parameter places: where the node's filters were; nil for new ones.
    private func initialize(
        _ parts: MovedParts, of new: Subnetwork, _ change: ConnectionChange.Kind, places: [Int?],
        in parameters: borrowing Parameters
    ) {
        let entry = parts.entry
        guard parts.hasNew else { return }
        switch entry.role {
        case .bias, .shift, .runningMean: return
        case .scale, .runningVariance:
            for place in parts.sources.indices where parts.sources[place] == ParameterTransfer.nowhere {
                parameters.pointer(entry)[place] = 1
            }
        case .kernel:
            let isScaled = change == .growth && settings.growth?.initial == .scaled
            let isOutput = new.network.isOutput(entry.node)
            var generator = SeededGenerator(
                seed: settings.seed, keys: SeededGenerator.key("growth"), SeededGenerator.key(entry.name),
                UInt64(state.changes.count))
            let node = new.network.nodes[new.network.index(of: entry.node)!]
            var part = 0
            for (filter, fanIn) in new.network.liveFanIns(of: node).enumerated() {
                let end = part + fanIn / parts.size
                defer { part = end }
                guard isScaled || places[filter] == nil else { continue }
                for connection in part ..< end where parts.sources[connection] == ParameterTransfer.nowhere {
                    let weights = UnsafeMutableBufferPointer(
                        start: parameters.pointer(entry) + connection * parts.size, count: parts.size)
                    Parameters.initializeWeights(weights, fanIn: fanIn, isOutput: isOutput, using: &generator)
                }
            }
        }
    }

    /// Goes on with another network and what belongs to it.
    mutating func rebuild(
        _ new: Subnetwork, parameters: consuming Parameters, optimizer: consuming OptimizerState,
        average: WeightAverage?
    ) throws(TrainingError) {
        do throws(ExecutionError) {
            plan = try TrainingPlan(
                new.network, capacity: plan.capacity, pool: pool, frozen: frozen, recomputes: recomputes)
        } catch {
            throw .execution(error)
        }
        subnetwork = new
        network = new.network
        gradients = AlignedBuffer(count: parameters.layout.trainedCount)
        batchGradients = AlignedBuffer(count: batchGradients.count > 0 ? parameters.layout.trainedCount : 0)
        self.parameters = parameters
        self.optimizer = optimizer
        self.average = average
    }
}

extension TrainingSettings {
    /// The connections of each convolution, where exploration is to keep to them.
    func budgets(of network: Network) -> [String: Int] {
        guard exploration != nil else { return [:] }
        var counts: [String: Int] = [:]
        for node in network.nodes {
            if case .convolution = node.layer { counts[node.name] = network.connectionCount(of: node) }
        }
        return counts
    }
}

/// A change of connections, and what it means for the network.
public struct ConnectionEvent: Sendable {
    public let change: ConnectionChange
    /// Connections of the convolutions when the training began.
    public let initialConnections: Int
    /// Filters of the network as it was given that have no path from the image or to the output.
    public let removed: [RemovedChannels]
    /// What the change took: choosing connections, moving what is trained and building the plan anew.
    public let seconds: Double
}

/// The parts of a parameter in another network: kernels of connections, or one value for each channel.
private struct MovedParts {
    let entry: ParameterLayout.Entry
    let sources: [Int32]
    /// Values in a part.
    let size: Int

    init(_ entry: ParameterLayout.Entry, _ transfer: ParameterTransfer) {
        self.entry = entry
        sources = transfer.sources(of: entry)
        size = sources.isEmpty ? 1 : entry.count / sources.count
    }

    var keptCount: Int { sources.count { $0 != ParameterTransfer.nowhere } }
    var hasNew: Bool { sources.contains(ParameterTransfer.nowhere) }

    func move(from old: UnsafePointer<Float>, to new: UnsafeMutablePointer<Float>) {
        for (place, source) in sources.enumerated() where source != ParameterTransfer.nowhere {
            for value in 0 ..< size { new[place * size + value] = old[Int(source) * size + value] }
        }
    }

    /// Copies the parts that are new.
    func fill(_ values: UnsafeMutablePointer<Float>, from others: UnsafePointer<Float>) {
        for place in sources.indices where sources[place] == ParameterTransfer.nowhere {
            (values + place * size).update(from: others + place * size, count: size)
        }
    }
}
