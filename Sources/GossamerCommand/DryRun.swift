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
            ("parameters", "\(Figures.count(parameters)), \(Figures.count(parametersWithoutClassifier)) without the classifier"),
            ("multiply-adds", "\(Figures.count(multiplyAdds)) an image"),
            ("connections", Figures.count(connections) + (removedChannels > 0 ? ", \(removedChannels) channels removed" : "")),
            ("weights", Figures.bytes(memory.parameterBytes)),
            ("gradients", Figures.bytes(memory.gradientBytes)),
            ("optimizer state", Figures.bytes(memory.optimizerBytes)),
            ("activations", Figures.bytes(memory.activationBytes)),
            ("time", "about \(Figures.duration(estimatedSeconds)): \(Figures.count(steps)) steps of "
                + "\(Figures.decimal(stepMilliseconds, 1)) ms, measured now"),
        ]
        for (name, value) in rows { Swift.print(name.padding(to: 16) + value) }
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
