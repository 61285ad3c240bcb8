import Foundation
import GossamerDatasets

/// The contents of `run.json`: what was run, where, and what came of it.
public struct RunRecord: Codable, Hashable, Sendable {
    public static let currentFormatVersion = 1

    public enum Status: String, Codable, Hashable, Sendable, CaseIterable {
        case running, completed, failed, interrupted
    }

    public var formatVersion: Int
    public var configuration: RunConfiguration
    /// The words of the command that started the run.
    public var commandLine: [String]
    public var programVersion: String
    public var machine: Machine
    /// Where the data come from and under which terms, for the report.
    public var dataNote: String?
    public var started: Date
    public var finished: Date?
    public var status: Status
    /// Why the run failed.
    public var message: String?
    public var cost: RunCost?
    public var results: RunResults?

    public init(
        configuration: RunConfiguration, commandLine: [String], programVersion: String, machine: Machine,
        dataNote: String? = nil, started: Date, status: Status = .running
    ) {
        formatVersion = Self.currentFormatVersion
        self.configuration = configuration
        self.commandLine = commandLine
        self.programVersion = programVersion
        self.machine = machine
        self.dataNote = dataNote
        self.started = started
        self.status = status
    }

    /// A run about to begin.
    init(configuration: RunConfiguration, _ context: ComparisonRunner.Context, started: Date) {
        self.init(
            configuration: configuration, commandLine: context.commandLine, programVersion: context.programVersion,
            machine: context.machine, dataNote: (try? DataSource.parse(configuration.data))?.note, started: started)
    }

    package var problem: FieldProblem? {
        if formatVersion != Self.currentFormatVersion {
            return FieldProblem(field: "formatVersion", expected: "\(Self.currentFormatVersion)")
        }
        if let problem = configuration.problem {
            return FieldProblem(field: "configuration." + problem.field, expected: problem.expected)
        }
        if status == .completed && (cost == nil || results == nil) {
            return FieldProblem(field: cost == nil ? "cost" : "results", expected: "a value, as the run is completed")
        }
        return cost?.problem ?? results?.problem
    }
}

/// The machine that ran it.
public struct Machine: Codable, Hashable, Sendable {
    public var hostName: String
    public var processor: String
    public var cores: Int
    public var memoryBytes: UInt64
    public var operatingSystem: String
    /// The instruction set of the kernels, such as `avx512`.
    public var instructionSet: String

    public init(
        hostName: String, processor: String, cores: Int, memoryBytes: UInt64, operatingSystem: String,
        instructionSet: String
    ) {
        self.hostName = hostName
        self.processor = processor
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.operatingSystem = operatingSystem
        self.instructionSet = instructionSet
    }
}

/// What a network costs, counted exactly before training.
public struct RunCost: Codable, Hashable, Sendable {
    public var parameters: Int
    public var parametersWithoutClassifier: Int
    /// Weights of convolutions only: what sparsity and depth multiplier act on.
    public var convolutionParameters: Int
    /// Of one image.
    public var multiplyAdds: Int
    /// Of convolutions.
    public var connections: Int
    /// Channels that the pattern had to remove because too few connections were left to use them.
    public var removedChannels: Int

    public init(
        parameters: Int, parametersWithoutClassifier: Int, convolutionParameters: Int, multiplyAdds: Int,
        connections: Int, removedChannels: Int = 0
    ) {
        self.parameters = parameters
        self.parametersWithoutClassifier = parametersWithoutClassifier
        self.convolutionParameters = convolutionParameters
        self.multiplyAdds = multiplyAdds
        self.connections = connections
        self.removedChannels = removedChannels
    }

    package var problem: FieldProblem? {
        let counts = [
            ("parameters", parameters), ("parametersWithoutClassifier", parametersWithoutClassifier),
            ("convolutionParameters", convolutionParameters), ("multiplyAdds", multiplyAdds),
            ("connections", connections), ("removedChannels", removedChannels),
        ]
        return counts.first { $0.1 < 0 }.map { FieldProblem(field: "cost." + $0.0, expected: "0 or more") }
    }
}

/// What a completed run measured.
public struct RunResults: Codable, Hashable, Sendable {
    /// A fraction.
    public var testAccuracy: Double
    /// How many images the test accuracy was measured on.
    public var testImages: Int?
    /// A fraction; nil where no images were kept apart.
    public var validationAccuracy: Double?
    public var trainingSeconds: Double
    /// Median of one image at a time on one thread.
    public var singleImageLatencyMilliseconds: Double?
    /// Median of a whole training step; of an interrupted run, over the steps since it last went on.
    public var trainingStepMilliseconds: Double?
    /// Exact bytes of parameters, gradients, optimizer state, activations and workspaces in training.
    public var trainingMemoryBytes: Int?
    public var modelFileBytes: Int?

    public init(
        testAccuracy: Double, testImages: Int? = nil, validationAccuracy: Double? = nil, trainingSeconds: Double,
        singleImageLatencyMilliseconds: Double? = nil, trainingStepMilliseconds: Double? = nil,
        trainingMemoryBytes: Int? = nil, modelFileBytes: Int? = nil
    ) {
        self.testAccuracy = testAccuracy
        self.testImages = testImages
        self.validationAccuracy = validationAccuracy
        self.trainingSeconds = trainingSeconds
        self.singleImageLatencyMilliseconds = singleImageLatencyMilliseconds
        self.trainingStepMilliseconds = trainingStepMilliseconds
        self.trainingMemoryBytes = trainingMemoryBytes
        self.modelFileBytes = modelFileBytes
    }

    package var problem: FieldProblem? {
        func isMeasure(_ value: Double?) -> Bool { value.map { $0.isFinite && $0 >= 0 } ?? true }
        let checks: [(String, Bool, String)] = [
            ("testAccuracy", (0 ... 1).contains(testAccuracy), "a fraction in [0, 1]"),
            ("testImages", (testImages ?? 1) >= 1, "1 or more"),
            ("validationAccuracy", (0 ... 1).contains(validationAccuracy ?? 0), "a fraction in [0, 1]"),
            ("trainingSeconds", isMeasure(trainingSeconds), "0 or more"),
            ("singleImageLatencyMilliseconds", isMeasure(singleImageLatencyMilliseconds), "0 or more"),
            ("trainingStepMilliseconds", isMeasure(trainingStepMilliseconds), "0 or more"),
            ("trainingMemoryBytes", (trainingMemoryBytes ?? 0) >= 0, "0 or more"),
            ("modelFileBytes", (modelFileBytes ?? 0) >= 0, "0 or more"),
        ]
        return checks.first { !$0.1 }.map { FieldProblem(field: "results." + $0.0, expected: $0.2) }
    }
}
