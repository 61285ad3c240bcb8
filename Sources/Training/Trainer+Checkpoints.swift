import GossamerDatasets
import GossamerExecution
import GossamerNetworks

extension Trainer {
    /// Closes the epoch under way.
    mutating func finishEpoch(validation: Evaluation?, seconds: Double) -> EpochMetrics {
        let metrics = EpochMetrics(
            epoch: state.epoch + 1, learningRate: learningRate(step: stepsPerEpoch - 1),
            trainingLoss: state.lossSum / Double(max(1, state.imageCount)),
            trainingAccuracy: Double(state.correctCount) / Double(max(1, state.imageCount)),
            validationLoss: validation?.loss, validationAccuracy: validation?.accuracy, seconds: seconds)
        let previous = state
        state = TrainingState()
        state.epoch = previous.epoch + 1
        (state.updates, state.removals) = (previous.updates, previous.removals)
        state.removalEpoch = previous.removalEpoch
        state.history = previous.history + [metrics]
        // An epoch before the last removal had another network.
        let best = previous.bestEpoch > previous.removalEpoch ? previous.best : nil
        state.bestEpoch = best.map { metrics.isBetter(than: $0) } ?? true ? metrics.epoch : previous.bestEpoch
        return metrics
    }

    mutating func setEpochSeconds(_ seconds: Double) { state.epochSeconds = seconds }

    /// - Throws: `diverged` when a parameter is not finite, so that nothing good is overwritten.
    func requireFiniteParameters() throws(TrainingError) {
        guard parameters.areFinite else {
            throw .diverged(epoch: state.epoch, step: max(0, state.step - 1), what: "a parameter")
        }
    }

    func save(to folder: CheckpointFolder) throws(TrainingError) {
        try requireFiniteParameters()
        try folder.saveLast(
            state, fingerprint: fingerprint, network: settings.pruning == nil ? nil : network, parameters: parameters,
            optimizer: optimizer, average: average)
    }

    func saveBest(to folder: CheckpointFolder) throws(TrainingError) {
        if let average {
            try folder.saveBest(average.parameters, fingerprint: fingerprint)
        } else {
            try folder.saveBest(parameters, fingerprint: fingerprint)
        }
    }

    /// How well the parameters as they are now, or their average where one is kept, classify images, preprocessed as in
    /// training.
    public func evaluate(_ images: LabelledImages) throws(TrainingError) -> Evaluation {
        if let average {
            return try Evaluation(
                network, parameters: average.parameters, images: images, preprocessing: preprocessing, pool: pool)
        }
        return try Evaluation(network, parameters: parameters, images: images, preprocessing: preprocessing, pool: pool)
    }

    /// Takes the parameters of the best epoch, averaged where an average is kept; the state stays where it is.
    ///
    /// - Throws: `wrongCheckpoint` for one of another network, data set or setting.
    public mutating func restoreBest(from folder: CheckpointFolder) throws(TrainingError) {
        try folder.loadBest(fingerprint: fingerprint, into: parameters)
        average?.parameters.copy(from: parameters)
    }

    /// Takes the average of the parameters for the parameters, where one is kept: at the end of a training.
    public mutating func takeAverage() {
        if let average { parameters.copy(from: average.parameters) }
    }

    /// Goes back to the last checkpoint of this very training.
    ///
    /// - Throws: `wrongCheckpoint` for one of another network, data set or setting; `file` for a damaged one.
    public mutating func restore(from folder: CheckpointFolder) throws(TrainingError) {
        let checkpoint = try folder.openLast(fingerprint: fingerprint)
        if settings.pruning != nil {
            let left = try folder.network(of: checkpoint, prunedFrom: network)
            let parameters = Parameters(zerosFor: ParameterLayout(left))
            let optimizer = OptimizerState(
                settings.optimizer, layout: parameters.layout, weightDecay: settings.weightDecay, frozen: frozen)
            let average = settings.averageDecay.map { WeightAverage(parameters, decay: $0) }
            try rebuild(left, parameters: parameters, optimizer: optimizer, average: average)
        }
        let limits = TrainingState.Limits(
            epochs: settings.epochs, stepsPerEpoch: stepsPerEpoch, batchSize: loader.batchSize,
            removals: settings.pruning?.removalCount ?? 0)
        state = try folder.loadLast(
            checkpoint, limits: limits, parameters: parameters, optimizer: optimizer, average: average)
    }
}
