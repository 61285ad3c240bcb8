import GossamerNetworks

/// A change of a network's connections during training, a line of `metrics.jsonl`.
public struct ConnectionChange: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case removal, growth, exploration
    }

    public let change: Kind
    /// The epoch under way, counted from 1.
    public let epoch: Int
    /// Steps of the optimizer before the change.
    public let step: Int
    /// Epochs that were done before the change, and the part of one; nil in files of versions that did not say.
    public let epochsDone: Double?
    /// Of the convolutions.
    public let connectionsBefore: Int
    public let connections: Int
    /// Of the network without running statistics.
    public let parameters: Int
    /// Connections that were there before and after.
    public let connectionsKept: Int
}

extension TrainingState {
    /// Epochs and changes of connections in the order in which they happened, as `metrics.jsonl` lists them.
    public var lines: [Line] {
        var lines: [Line] = []
        var rest = changes[...]
        for metrics in history {
            while let change = rest.first, change.epoch <= metrics.epoch { lines.append(.change(rest.removeFirst())) }
            lines.append(.epoch(metrics))
        }
        return lines + rest.map(Line.change)
    }

    public enum Line: Hashable, Sendable, Encodable {
        case epoch(EpochMetrics)
        case change(ConnectionChange)

        /// What an event adds to the lines; nil for those that add none.
        public init?(_ event: TrainingEvent) {
            switch event {
            case .epoch(let metrics): self = .epoch(metrics)
            case .changed(let event): self = .change(event.change)
            case .step, .checkpoint: return nil
            }
        }

        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .epoch(let metrics): try metrics.encode(to: encoder)
            case .change(let change): try change.encode(to: encoder)
            }
        }
    }
}
