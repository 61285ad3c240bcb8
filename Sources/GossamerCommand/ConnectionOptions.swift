import ArgumentParser
import Gossamer
import GossamerExperiments

/// How connections come and go during training.
struct ConnectionOptions: ParsableArguments {
    @Option(help: """
        Begin with few connections and double them: from=0.01,double-every=STEPS, or from=0.01,within=SHARE of the \
        training, optionally with ,to=DENSITY, ,initial=zero or scaled, ,by=random or gradient and \
        ,channels-from=SHARE of the filters. Growth ends with the density of --pattern.
        """)
    var grow: String?

    @Option(help: """
        Move connections: by=gradient (RigL) or by=random (SET), optionally with ,drop=0.3,every=100,until=0.75 and \
        ,score=magnitude, saliency or random for what goes.
        """)
    var explore: String?

    @Option(help: """
        Remove connections: density=0.1, optionally with ,over=EPOCHS and ,score=magnitude, saliency or random; see \
        gossamer prune.
        """)
    var prune: String?

    @Option(help: "Connections of a random pattern among the layers: uniform or erdos-renyi-kernel.")
    var distribution = ConnectionDistribution.uniform

    @Option(help: "Evaluate the test images too after every so many epochs; what they show decides nothing.")
    var evaluateEvery: Int?

    func validate() throws {
        if let evaluateEvery, !(1 ... 100_000).contains(evaluateEvery) {
            throw ValidationError("--evaluate-every \(evaluateEvery): expected 1 to 100000")
        }
    }

    func apply(to configuration: inout RunConfiguration) throws {
        configuration.growth = grow
        configuration.exploration = explore
        if let prune { configuration.pruning = try Pruning(parsing: prune) }
        if distribution != .uniform { configuration.distribution = distribution }
    }
}

extension ConnectionDistribution: ExpressibleByArgument {}
