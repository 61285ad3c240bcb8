import Foundation
import Gossamer
import GossamerExperiments

/// Shows a training: a bar that moves on a terminal, a line now and then elsewhere, and one for each epoch.
struct TrainingProgress {
    private var lastShown = Stopwatch()
    private var isFirst = true
    private let prefix: String
    /// Of several trainings at a time, only the ends of epochs are shown.
    private let isAlone: Bool

    /// - Parameter prefix: put before every line.
    init(prefix: String = "") {
        self.prefix = prefix
        isAlone = true
    }

    /// One of several trainings, which are shown one after another or, with their names, together.
    init(of configuration: RunConfiguration, parallel: Int) {
        prefix = parallel == 1 ? "  " : "  \(configuration.sizeName), seed \(configuration.seed): "
        isAlone = parallel == 1
    }

    mutating func show(_ event: TrainingEvent) {
        switch event {
        case .step(let step):
            guard isAlone else { return }
            let pause = Console.isTerminal ? 0.1 : 10
            guard isFirst || lastShown.seconds >= pause else { return }
            isFirst = false
            lastShown = Stopwatch()
            if Console.isTerminal { Console.overwrite(bar(step)) } else { Console.note(line(step)) }
        case .epoch(let metrics):
            close()
            Console.note(line(metrics))
        case .changed(let event):
            guard let line = line(event) else { break }
            close()
            Console.note(line)
            if event.change.change == .removal { for removed in event.removed { Console.note("\(prefix)\(removed)") } }
        case .checkpoint: break
        }
    }

    /// Ends an unfinished bar, so that the next line starts at the left.
    func close() { if isAlone && Console.isTerminal { Console.overwrite("") } }

    private func bar(_ step: StepProgress) -> String {
        let start = "\(prefix)epoch \(step.epoch + 1)/\(step.epochCount) "
        let end = " " + figures(step)
        // A line that wraps could not be replaced.
        let columnCount = Console.columnCount - 1
        let width = min(24, max(0, columnCount - start.count - end.count))
        let filled = width * step.step / max(1, step.stepCount)
        let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: width - filled)
        return String((start + bar + end).prefix(columnCount))
    }

    private func line(_ step: StepProgress) -> String {
        "\(prefix)epoch \(step.epoch + 1)/\(step.epochCount), step \(step.step)/\(step.stepCount): \(figures(step))"
    }

    private func figures(_ step: StepProgress) -> String {
        "\(Int(step.imagesPerSecond)) images/s  loss \(Format.fixed(step.trainingLoss, 3))  "
            + "accuracy \(Format.percent(step.trainingAccuracy, digits: 1))  \(Format.seconds(step.secondsLeft)) left"
    }

    /// Explorations are many, and leave as many connections as there were.
    private func line(_ event: ConnectionEvent) -> String? {
        let connections = Format.exact(event.change.connections)
        switch event.change.change {
        case .removal:
            return "\(prefix)pruned to \(connections) of \(Format.exact(event.initialConnections)) connections"
        case .growth:
            return "\(prefix)step \(Format.exact(event.change.step)): grown from "
                + "\(Format.exact(event.change.connectionsBefore)) to \(connections) connections in "
                + Format.seconds(event.seconds)
        case .exploration: return nil
        }
    }

    private func line(_ metrics: EpochMetrics) -> String {
        var text = "\(prefix)epoch \(metrics.epoch): loss \(Format.fixed(metrics.trainingLoss, 4)), "
            + "training accuracy \(Format.percent(metrics.trainingAccuracy))"
        if let accuracy = metrics.validationAccuracy { text += ", validation accuracy \(Format.percent(accuracy))" }
        if let accuracy = metrics.testAccuracy { text += ", test accuracy \(Format.percent(accuracy))" }
        return text + ", \(Format.seconds(metrics.seconds))"
    }
}
