import GossamerDatasets
import GossamerExecution
import GossamerNetworks

extension Trainer {
    /// Closes the epoch under way.
    mutating func finishEpoch(validation: Evaluation?, test: Evaluation?, seconds: Double) -> EpochMetrics {
        let metrics = EpochMetrics(
            epoch: state.epoch + 1, learningRate: learningRate(step: stepsPerEpoch - 1),
            trainingLoss: state.lossSum / Double(max(1, state.imageCount)),
            trainingAccuracy: Double(state.correctCount) / Double(max(1, state.imageCount)),
            validationLoss: validation?.loss, validationAccuracy: validation?.accuracy,
            testLoss: test?.loss, testAccuracy: test?.accuracy, seconds: seconds)
        // An epoch before the last change of connections had another network.
        let best = state.bestEpoch > state.changeEpoch ? state.best : nil
        if best.map({ metrics.isBetter(than: $0) }) ?? true { state.bestEpoch = metrics.epoch }
        state.history.append(metrics)
        state.epoch += 1
        (state.step, state.lossSum, state.correctCount, state.imageCount) = (0, 0, 0, 0)
        state.epochSeconds = 0
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
            state, fingerprint: fingerprint, network: subnetwork?.baseWithConnections, parameters: parameters,
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
        if let start = subnetwork, let left = try folder.subnetwork(of: checkpoint, startingAt: start) {
            let parameters = Parameters(zerosFor: ParameterLayout(left.network))
            let optimizer = OptimizerState(
                settings.optimizer, layout: parameters.layout, weightDecay: settings.weightDecay, frozen: frozen)
            let average = settings.averageDecay.map { WeightAverage(parameters, decay: $0) }
            try rebuild(left, parameters: parameters, optimizer: optimizer, average: average)
        }
        let limits = TrainingState.Limits(
            epochs: settings.epochs, stepsPerEpoch: stepsPerEpoch, batchSize: loader.batchSize,
            removals: settings.pruning?.removalCount ?? 0, growths: settings.growth?.count ?? 0)
        state = try folder.loadLast(
            checkpoint, limits: limits, parameters: parameters, optimizer: optimizer, average: average)
    }
}
