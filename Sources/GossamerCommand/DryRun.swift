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
    let steps: Int
    let estimatedSeconds: Double

    init(_ prepared: PreparedRun) throws {
        let cost = prepared.cost
        parameters = cost.parameters
        parametersWithoutClassifier = cost.parametersWithoutClassifier
        multiplyAdds = cost.multiplyAdds
        connections = cost.connections
        removedChannels = cost.removedChannels
        let measured = try Timing.training(
            prepared.network, settings: prepared.settings,
            pool: ThreadPool(threads: prepared.configuration.threads), minimumRuns: 5, minimumSeconds: 0.5)
        memory = measured.memory
        stepMilliseconds = measured.timing.medianMilliseconds
        let batch = prepared.settings.batchSize
        steps = (prepared.training.count + batch - 1) / batch * prepared.settings.epochs
        estimatedSeconds = Double(steps) * stepMilliseconds / 1000
    }

    func print(json: Bool) throws {
        if json { return try Console.printJSON(self) }
        let rows = [
            ("parameters", "\(Format.exact(parameters)), \(Format.exact(parametersWithoutClassifier)) without the classifier"),
            ("multiply-adds", "\(Format.exact(multiplyAdds)) an image"),
            ("connections", Format.exact(connections) + (removedChannels > 0 ? ", \(removedChannels) channels removed" : "")),
            ("weights", Format.bytes(memory.parameterBytes)),
            ("gradients", Format.bytes(memory.gradientBytes)),
            ("optimizer state", Format.bytes(memory.optimizerBytes)),
            ("activations", Format.bytes(memory.activationBytes)),
            ("time", "about \(Format.seconds(estimatedSeconds)): \(Format.exact(steps)) steps of "
                + "\(Format.fixed(stepMilliseconds, 1)) ms, measured now"),
        ]
        for (name, value) in rows { Swift.print(name.padding(to: 16) + value) }
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
