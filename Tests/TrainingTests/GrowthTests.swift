import GossamerConnectivity
import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Trainings whose connections grow and move.
@Suite struct GrowthTests {
    private func exercise(growth: Growth? = nil, exploration: Exploration? = nil) throws -> Exercise {
        var exercise = try Exercise()
        exercise.network = try wideNetwork()
        if growth == nil {
            exercise.network = try exercise.network.sparsified(with: Pattern.random(density: 0.25), seed: 5).network
        }
        exercise.settings.growth = growth
        exercise.settings.exploration = exploration
        exercise.settings.epochs = 4
        exercise.settings.averageDecay = 0.9
        exercise.settings.learningRate = 0.02
        return exercise
    }

    /// Trains until a change is due, and makes it.
    private func check(
        _ exercise: Exercise, steps: Int, isGrowth: Bool, _ comment: Comment
    ) throws -> ConnectionChange? {
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil, stopAfter: steps)
        let old = trainer.subnetwork!
        let before = trainer.parameters.copy()
        let slots = exercise.settings.optimizer.valuesPerParameter
        var state: [String: [[Float]]] = [:]
        for entry in before.layout.trained {
            state[entry.name] = (0 ..< slots).map { trainer.optimizer.values($0, of: entry.name)! }
        }
        guard let batch = try trainer.nextBatch() else { return nil }
        let events = try trainer.growAndExploreIfDue(batch)
        try #require(events.count == 1, comment)
        let transfer = ParameterTransfer(from: old, to: trainer.subnetwork!)
        for entry in trainer.parameters.layout.all {
            let values = trainer.parameters.values(entry)
            let sources = transfer.sources(of: entry).map { $0 == ParameterTransfer.nowhere ? nil : Int($0) }
            let size = entry.count / sources.count
            let oldValues = before.values(before.layout.entry(entry.node, entry.role)!)
            let oldState = state[entry.name] ?? []
            if isGrowth { #expect(sources.compactMap { $0 }.count * size == oldValues.count, comment) }
            for (place, source) in sources.enumerated() {
                let new = place * size ..< (place + 1) * size
                for slot in oldState.indices {
                    let kept = trainer.optimizer.values(slot, of: entry.name)![new]
                    let expected = source.map { oldState[slot][$0 * size ..< ($0 + 1) * size] }
                    #expect(kept.elementsEqual(expected ?? Array(repeating: 0, count: size)[...]), comment)
                }
                if let source {
                    #expect(values[new].elementsEqual(oldValues[source * size ..< (source + 1) * size]), comment)
                } else if entry.role == .kernel, transfer.places(of: entry.node).allSatisfy({ $0 != nil }) {
                    let isZero = exercise.settings.growth?.initial != .scaled
                    #expect(values[new].allSatisfy { ($0 == 0) == isZero }, comment)
                }
            }
        }
        return events[0].change
    }

    @Test(arguments: GrowthRule.allCases, Growth.InitialWeights.allCases)
    func growthKeepsWhatIsTrained(by: GrowthRule, initial: Growth.InitialWeights) throws {
        for optimizer: Optimizer in [.sgd(momentum: 0.9), .adam(.init())] {
            for block in [1, 4] {
                let growth = Growth(from: 0.25, .every(steps: 3), to: 0.5, initial: initial, by: by, block: block)
                var exercise = try exercise(growth: growth)
                exercise.settings.optimizer = optimizer
                let change = try #require(
                    try check(exercise, steps: 3, isGrowth: true, "\(growth), \(optimizer)"))
                #expect(change.change == .growth && change.step == 3)
                // Of 16 and 24 channels, fan-ins of 4 and 6 become 8 and 12; the first layer reads a grey image.
                #expect(change.connectionsBefore == 16 + 24 * 4 + 16 * 6)
                #expect(change.connections == 16 + 24 * 8 + 16 * 12)
                #expect(change.connectionsKept == change.connectionsBefore)
            }
        }
    }

    /// What has just grown is not explored away.
    @Test func growthAndExplorationTakeTurns() throws {
        let exercise = try exercise(
            growth: Growth(from: 0.25, .every(steps: 4), to: 0.5, initial: .scaled),
            exploration: Exploration(by: .random, drop: 0.4, every: 2, until: 1))
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        let changes = trainer.state.changes
        #expect(changes.filter { $0.change == .growth }.map(\.step) == [4])
        let explored = changes.filter { $0.change == .exploration }.map(\.step)
        #expect(explored.first == 2 && explored.contains(6) && !explored.contains(4))
        #expect(changes.allSatisfy { $0.epochsDone! >= Double($0.epoch - 1) && $0.epochsDone! < Double($0.epoch) })
    }

    /// New kernels of explorations begin with zero, whatever those of growths begin with.
    @Test func explorationsBeginWithZero() throws {
        var exercise = try exercise(
            growth: Growth(from: 0.25, .every(steps: 1000), to: 0.5, initial: .scaled),
            exploration: Exploration(by: .random, drop: 0.5, every: 2, until: 1))
        exercise.settings.averageDecay = nil
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil, stopAfter: 2)
        guard let batch = try trainer.nextBatch() else { throw TrainingError.mismatch("no batch is left") }
        let old = trainer.subnetwork!
        #expect(try trainer.growAndExploreIfDue(batch).map(\.change.change) == [.exploration])
        let transfer = ParameterTransfer(from: old, to: trainer.subnetwork!)
        var newCount = 0
        for entry in trainer.parameters.layout.trained where entry.role == .kernel {
            guard transfer.places(of: entry.node).allSatisfy({ $0 != nil }) else { continue }
            let sources = transfer.sources(of: entry)
            let size = entry.count / sources.count
            let values = trainer.parameters.values(entry)
            for (place, source) in sources.enumerated() where source == ParameterTransfer.nowhere {
                newCount += 1
                #expect(values[place * size ..< (place + 1) * size].allSatisfy { $0 == 0 })
            }
        }
        #expect(newCount > 0)
    }

    @Test(arguments: GrowthRule.allCases, Pruning.Score.allCases)
    func explorationMovesConnections(by: GrowthRule, score: Pruning.Score) throws {
        for block in [1, 4] { try checkExploration(by: by, score: score, block: block) }
    }

    private func checkExploration(by: GrowthRule, score: Pruning.Score, block: Int) throws {
        let exploration = Exploration(by: by, drop: 0.5, every: 2, until: 1, score: score, block: block)
        var exercise = try exercise(exploration: exploration)
        exercise.network = try wideNetwork()
            .sparsified(with: Pattern.random(density: 0.25, block: block), seed: 5).network
        let change = try #require(try check(exercise, steps: 2, isGrowth: false, "\(exploration)"))
        #expect(change.change == .exploration)
        #expect(change.connections == change.connectionsBefore)
        #expect(change.connectionsKept < change.connectionsBefore)
    }

    /// However often connections move, every channel keeps a reader and every filter an input.
    @Test(arguments: GrowthRule.allCases, [1, 4])
    func explorationKeepsChannels(by: GrowthRule, block: Int) throws {
        var exercise = try exercise(exploration: Exploration(by: by, drop: 0.9, every: 1, until: 1, block: block))
        // Of 16 and 24 channels, fan-ins of 2: a channel has two or three readers.
        exercise.network = try wideNetwork()
            .sparsified(with: Pattern.random(density: 0.1, block: block), seed: 5).network
        var trainer = try exercise.trainer()
        let channels = Subnetwork(all: exercise.network).channels
        _ = try exercise.run(&trainer, checkpoints: nil)
        #expect(trainer.state.changes.count > 8)
        #expect(trainer.state.changes.prefix(4).allSatisfy { $0.connectionsKept < $0.connections })
        #expect(trainer.subnetwork!.channels == channels)
        #expect(NetworkCost(trainer.network).connections == NetworkCost(exercise.network).connections)
    }

    /// The connections that grow by gradient are those that a dense network says have the largest.
    @Test func gradientsDecide() throws {
        let exercise = try exercise(exploration: Exploration(by: .gradient, drop: 0.4, every: 1, until: 1))
        let other = try self.exercise(exploration: Exploration(by: .random, drop: 0.4, every: 1, until: 1))
        func grown(_ exercise: Exercise) throws -> Subnetwork {
            var trainer = try exercise.trainer()
            _ = try exercise.run(&trainer, checkpoints: nil, stopAfter: 1)
            guard let batch = try trainer.nextBatch() else { throw TrainingError.mismatch("no batch is left") }
            _ = try trainer.growAndExploreIfDue(batch)
            return trainer.subnetwork!
        }
        #expect(try grown(exercise).network == grown(exercise).network)
        #expect(try grown(exercise).network != grown(other).network)
    }

    /// To the end, with the same bits on any number of threads.
    @Test(arguments: [
        "from=0.1,double-every=4,to=0.6", "from=0.1,double-every=4,by=gradient,initial=scaled,block=4",
        "channels-from=0.25,double-every=5,to=0.5", "channels-from=0.5,double-every=5,by=gradient",
        "from=0.1,double-every=4,distribution=erdos-renyi-kernel", "from=0.1,within=0.5,to=0.8",
    ])
    func threadsDoNotChangeBits(text: String) throws {
        let growth = try Growth(parsing: text)
        #expect(try Growth(parsing: growth.description) == growth)
        let exercise = try exercise(growth: growth, exploration: Exploration(by: .gradient, drop: 0.3, every: 3))
        let results = try [1, 3].map { threads in
            var trainer = try exercise.trainer(threads: threads, workers: threads)
            var changes: [ConnectionChange] = []
            _ = try exercise.run(&trainer, checkpoints: nil) { event in
                if case .changed(let event) = event { changes.append(event.change) }
            }
            #expect(changes == trainer.state.changes)
            #expect(changes.count { $0.change == .growth } == growth.count)
            // Where all filters read all channels there is nothing to choose among.
            #expect(changes.contains { $0.change == .exploration } == (growth.from < 1))
            if growth.to == 1, growth.channelsFrom < 1 { #expect(trainer.network.shapes == exercise.network.shapes) }
            return trainer.parameters.layout.all.flatMap { trainer.parameters.values($0).bits }
        }
        #expect(results[0] == results[1])
    }

    /// Down to the last connection: what a design promises.
    @Test(arguments: [
        "from=0.05,within=0.5", "from=0.05,within=0.9,to=0.3", "from=0.1,double-every=3,to=0.35,block=4",
        "channels-from=0.25,within=0.3,to=0.2", "from=0.02,double-every=100",
    ])
    func whatGrowthEndsWithIsKnownBefore(text: String) throws {
        let exercise = try exercise(growth: try Growth(parsing: text))
        var trainer = try exercise.trainer()
        _ = try exercise.run(&trainer, checkpoints: nil)
        let updates = trainer.state.updates
        let final = try exercise.settings.finalSubnetwork(of: exercise.network, updates: updates)
        #expect(final?.network == trainer.network)
        let growths = exercise.settings.growth!.count(before: updates - 1, of: updates)
        #expect(trainer.state.changes.count == growths)
        #expect(growths == (text.contains("every=100") ? 0 : exercise.settings.growth!.count))
    }

    /// The last growth ends the share of the training, and the mean size is that of all steps.
    @Test func growthsKeepTheirPace() throws {
        for (text, updates) in [
            ("from=0.01,within=0.5", 40), ("from=0.01,within=0.5", 1000), ("from=0.3,within=0.9,to=0.9", 27),
            ("from=0.125,double-every=7", 100), ("from=0.125,double-every=70", 100), ("from=0.5,within=0.1", 3),
        ] {
            let growth = try Growth(parsing: text)
            let counts = (0 ..< updates).map { growth.count(before: $0, of: updates) }
            #expect(counts[0] == 0 && zip(counts, counts.dropFirst()).allSatisfy { $1 - $0 == 0 || $1 - $0 == 1 })
            if case .within(let share) = growth.pace {
                let last = counts.firstIndex(of: growth.count)
                #expect(last == max(growth.count, Int(share * Double(updates))), "\(text), \(updates)")
            }
            let sizes = counts.map { growth.budget(after: $0).density }
            let mean = sizes.reduce(0, +) / Double(updates)
            let expected = sizes.last! > sizes[0] ? (mean - sizes[0]) / (sizes.last! - sizes[0]) : 0
            var settings = try exercise(growth: growth).settings
            settings.epochs = 1
            #expect(abs(settings.meanProgress(updates: updates) - expected) < 1e-9, "\(text), \(updates)")
        }
    }

    @Test func lettersInWrongPlacesAreNamed() throws {
        func expectInvalid(_ words: [String], _ body: () throws -> Void) {
            let error = #expect(throws: TrainingError.self) { try body() }
            for word in words { #expect(error.map { "\($0)" }?.contains(word) == true, "\(word)") }
        }
        for (text, words) in [
            ("", ["from="]), ("from=0.1", ["double-every=STEPS or within=SHARE"]),
            ("from=0.1,within=0.5,double-every=5", ["either"]), ("from=0.1,within=1", ["below 1"]),
            ("double-every=5", ["from=DENSITY"]),
            ("from=0.1,double-every=0", ["1 or more"]), ("from=x,double-every=5", ["from= with a number"]),
            ("from=0.1,double-evry=5", ["did you mean 'double-every'?"]), ("from=2,double-every=5", ["at most 1"]),
            ("from=0.5,double-every=5,to=0.1", ["at least 0.5"]), ("from=0.1,from=0.2,double-every=5", ["once"]),
            ("from=0.1,double-every=5,by=gradent", ["did you mean 'gradient'?"]),
            ("from=0.1,double-every=5,initial=one", ["zero or scaled"]), ("from=nan,double-every=5", ["number"]),
            ("from=0.1,double-every=5,block=65", ["1 to 64"]),
            ("channels-from=0,double-every=5", ["channels-from"]),
        ] { expectInvalid(words) { _ = try Growth(parsing: text) } }
        for (text, words) in [
            ("drop=0.3", ["by=gradient"]), ("by=gradient,drop=1", ["below 1"]), ("by=random,until=0", ["above 0"]),
            ("by=random,every=0.5", ["whole number"]), ("by=magnitude", ["random or gradient"]),
            ("by=random,score=size", ["magnitude"]),
        ] { expectInvalid(words) { _ = try Exploration(parsing: text) } }
        for (text, words) in [
            ("over=3", ["density=SHARE"]), ("density=0.5,score=size", ["magnitude"]), ("densty=0.5", ["density"]),
        ] { expectInvalid(words) { _ = try Pruning(parsing: text) } }
        let exploration = Exploration(by: .random, drop: 0.2, every: 7, until: 0.5, score: .saliency, block: 4)
        #expect(exploration.description == "by=random,drop=0.2,every=7,until=0.5,score=saliency,block=4")
        #expect(try Exploration(parsing: exploration.description) == exploration)
        let pruning = try Pruning(parsing: "density=0.1,score=saliency,scope=global,over=2.5,except=conv1+fc")
        #expect(pruning == Pruning(
            density: 0.1, score: .saliency, scope: .global, epochs: 2.5, exceptPrefixes: ["conv1", "fc"]))
        var both = try exercise(growth: Growth(from: 0.1, .every(steps: 5)))
        both.settings.pruning = Pruning(density: 0.5)
        expectInvalid(["pruning"]) { _ = try both.trainer() }
        var drawn = try exercise()
        drawn.settings.growth = Growth(from: 0.1, .every(steps: 5))
        expectInvalid(["connections already"]) { _ = try drawn.trainer() }
    }
}
