import Gossamer
import GossamerExperiments

/// What a training would cost, from exact counts and a short measurement of its own steps.
struct DryRun: Encodable {
    let parameters: Int
    let parametersWithoutClassifier: Int
    let multiplyAdds: Int
    let connections: Int
    let removedChannels: Int
    let memory: TrainingMemoryReport
    let stepMilliseconds: Double
    let predicted: TrainingStepPrediction
    let steps: Int
    let estimatedSeconds: Double
    /// Where connections come or go.
    let final: Final?

    /// What the training ends with.
    struct Final: Encodable {
        let parameters: Int
        let multiplyAdds: Int
        let connections: Int
        let memory: TrainingMemoryReport
        let stepMilliseconds: Double
    }

    init(_ prepared: PreparedRun) throws {
        let cost = prepared.cost
        parameters = cost.parameters
        parametersWithoutClassifier = cost.parametersWithoutClassifier
        multiplyAdds = cost.multiplyAdds
        connections = cost.connections
        removedChannels = cost.removedChannels
        var settings = prepared.settings
        settings.batchSize = min(settings.batchSize, prepared.training.count)
        let pool = ThreadPool(threads: prepared.configuration.threads)
        let recomputes = prepared.configuration.recomputes ?? false
        predicted = try TrainingStepPrediction(
            prepared.network, batch: settings.batchSize, frozen: settings.frozenNodes(of: prepared.network),
            valuesPerParameter: settings.valuesPerParameter, recomputes: recomputes, pool: pool)
        let measured = try Timing.training(
            prepared.network, settings: settings, pool: pool, recomputes: recomputes, minimumRuns: 5,
            minimumSeconds: 0.5)
        memory = measured.memory
        stepMilliseconds = measured.timing.medianMilliseconds
        let stepsPerEpoch = (prepared.training.count + settings.batchSize - 1) / settings.batchSize
        steps = stepsPerEpoch * settings.epochs
        let updates = settings.updateCount(stepsPerEpoch: stepsPerEpoch)
        guard let network = try settings.finalSubnetwork(of: prepared.base, updates: max(1, updates))?.network
        else {
            final = nil
            estimatedSeconds = Double(steps) * stepMilliseconds / 1000
            return
        }
        let finalCost = NetworkCost(network)
        let last = try Timing.training(
            network, settings: settings, pool: pool, recomputes: recomputes, minimumRuns: 5, minimumSeconds: 0.5)
        let final = Final(
            parameters: finalCost.parameters, multiplyAdds: finalCost.multiplyAdds, connections: finalCost.connections,
            memory: last.memory, stepMilliseconds: last.timing.medianMilliseconds)
        self.final = final
        let share = settings.meanProgress(updates: max(1, updates))
        estimatedSeconds = Double(steps) / 1000
            * (stepMilliseconds + share * (final.stepMilliseconds - stepMilliseconds))
    }

    func print(json: Bool) throws {
        if json { return try Console.printJSON(self) }
        let rows = [
            ("parameters", Format.exact(parameters)),
            ("  without the classifier", Format.exact(parametersWithoutClassifier)),
            ("multiply-adds", "\(Format.exact(multiplyAdds)) an image"),
            ("connections", Format.exact(connections)),
            ("removed channels", Format.exact(removedChannels)),
            ("weights", Format.bytes(memory.parameterBytes)),
            ("gradients", Format.bytes(memory.gradientBytes)),
            ("optimizer state", Format.bytes(memory.optimizerBytes)),
            ("activations", Format.bytes(memory.activationBytes)),
            ("time", "about \(Format.seconds(estimatedSeconds)): \(Format.exact(steps)) steps of "
                + "\(Format.fixed(stepMilliseconds, 1)) ms, measured now"),
            ("a step", predicted.text),
        ] + (final.map(Self.rows) ?? [])
        for (name, value) in rows { Swift.print(name.padding(to: 26) + value) }
    }
}

extension DryRun {
    private static func rows(_ final: Final) -> [(String, String)] {
        let memory = final.memory
        let bytes = memory.parameterBytes + memory.gradientBytes + memory.optimizerBytes
        return [
            ("at the end", "\(Format.exact(final.connections)) connections, "
                + "\(Format.exact(final.parameters)) parameters, \(Format.exact(final.multiplyAdds)) multiply-adds"),
            ("", "\(Format.bytes(memory.activationBytes)) of activations, \(Format.bytes(bytes)) of parameters, "
                + "gradients and state, steps of \(Format.fixed(final.stepMilliseconds, 1)) ms"),
        ]
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

/// What a training step will take, before anything is trained.
struct TrainingStepPrediction: Encodable {
    let batch: Int
    let threads: Int
    /// By the cost model; nil where no rates may be kept.
    let milliseconds: Double?
    /// Activations, their gradients and workspaces: exact.
    let activationBytes: Int
    /// Parameters, their gradients and the optimizer's state.
    let parameterBytes: Int

    /// - Parameter valuesPerParameter: as ``TrainingSettings/valuesPerParameter``.
    init(
        _ network: Network, batch: Int, frozen: Set<String> = [], valuesPerParameter: Int = 3, recomputes: Bool = false,
        pool: ThreadPool
    ) throws {
        self.batch = batch
        threads = pool.threadCount
        milliseconds = try CostModel.remembered(for: .training, pool: pool)?
            .trainingStepMilliseconds(network, batch: batch)
        let bytes = try TrainingByteCounts(
            network, batch: batch, threads: threads, frozen: frozen, valuesPerParameter: valuesPerParameter,
            recomputes: recomputes)
        activationBytes = bytes.activations
        parameterBytes = bytes.parameters
    }

    var text: String {
        let time = milliseconds.map { "\(Format.fixed($0, 1)) ms predicted, " } ?? ""
        return "\(time)\(Format.bytes(activationBytes)) of activations and \(Format.bytes(parameterBytes)) of "
            + "parameters, gradients and state, batch \(batch), \(threads) thread\(threads == 1 ? "" : "s")"
    }
}

/// Bytes that a training holds, exact before it begins.
struct TrainingByteCounts {
    /// Activations, their gradients and workspaces.
    let activations: Int
    /// Parameters, their gradients and the optimizer's state.
    let parameters: Int

    /// - Parameter valuesPerParameter: as ``TrainingSettings/valuesPerParameter``.
    init(
        _ network: Network, batch: Int, threads: Int, frozen: Set<String> = [], valuesPerParameter: Int,
        recomputes: Bool
    ) throws {
        activations = try TrainingPlan.byteCount(
            of: network, capacity: batch, threads: threads, frozen: frozen, recomputes: recomputes)
        let layout = ParameterLayout(network)
        parameters = 4 * (valuesPerParameter * layout.trainedCount + layout.statisticsCount)
    }
}

extension TrainingSettings {
    /// The parameter, its gradient and another where batches accumulate, and what the optimizer and the average keep.
    var valuesPerParameter: Int {
        2 + (accumulatedBatches > 1 ? 1 : 0) + optimizer.valuesPerParameter + (averageDecay == nil ? 0 : 1)
    }
}
