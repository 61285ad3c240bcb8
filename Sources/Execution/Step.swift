import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// What one operation of a plan computes: a node, with the nodes that it takes along.
struct Step {
    let node: Node
    /// The values of the node's inputs, by number.
    let inputs: [Int]
    let output: Int
    /// The value that a convolution of inference adds before the bounds.
    fileprivate(set) var addend: Int?
    /// The batch normalisation that inference folds into a convolution.
    fileprivate(set) var normalization: Node?
    /// What the output is kept between: the ReLU or another bound that the step takes along.
    fileprivate(set) var bounds = gsm_bounds.none

    /// Whether kernels of the table run it: a convolution or a fully connected layer.
    var isConvolution: Bool { node.layer.hasConnections }

    /// Every value that the step reads.
    var reads: [Int] { inputs + (addend.map { [$0] } ?? []) }
}

/// A network's nodes as the steps of a plan. A node whose work another's step takes along (a ReLU after a convolution)
/// has the same value as that node.
struct StepList {
    let network: Network
    /// In order; step i writes value i + 1. Value 0 is the network's input.
    private(set) var steps: [Step] = []
    /// The value of each node.
    private(set) var values: [String: Int] = [:]
    /// The shape of each value.
    private(set) var shapes: [Shape]
    let isTraining: Bool
    private let consumers: [[Int]]

    init(_ network: Network, isTraining: Bool) {
        self.network = network
        self.isTraining = isTraining
        consumers = network.consumers()
        shapes = [network.inputShape]
        values[network.nodes[0].name] = 0
        for node in network.nodes where values[node.name] == nil { add(node) }
    }

    /// The network's main output.
    var outputValue: Int { values[network.nodes.last!.name]! }

    /// The main output, then those of auxiliary heads.
    var outputValues: [Int] { [outputValue] + network.auxiliaryOutputs.map { values[$0.node]! } }

    private mutating func add(_ node: Node) {
        let inputs = node.inputs.map { values[$0]! }
        if case .dropout = node.layer, !isTraining {
            values[node.name] = inputs[0]
            return
        }
        shapes.append(network.shape(of: node.name))
        let output = shapes.count - 1
        values[node.name] = output
        var step = Step(node: node, inputs: inputs, output: output)
        var last = node
        switch node.layer {
        case .convolution, .fullyConnected:
            if !isTraining { takeLinear(into: &step, last: &last) }
            takeBounds(into: &step, after: last)
        case .batchNormalization, .addition: takeBounds(into: &step, after: last)
        default: break
        }
        steps.append(step)
    }

    /// Lets a convolution of inference take along batch normalisation and addition.
    private mutating func takeLinear(into step: inout Step, last: inout Node) {
        if let next = onlyConsumer(of: last, where: { $0.kind == "batch-normalization" }) {
            step.normalization = next
            values[next.name] = step.output
            last = next
        }
        // The other summand must be there already.
        if let sum = onlyConsumer(of: last, where: { $0 == .addition }), sum.inputs.count == 2,
            let other = sum.inputs.first(where: { $0 != last.name }), let addend = values[other] {
            step.addend = addend
            values[sum.name] = step.output
            last = sum
        }
    }

    private mutating func takeBounds(into step: inout Step, after last: Node) {
        guard let next = onlyConsumer(of: last, where: { $0.bounds != nil }) else { return }
        step.bounds = next.layer.bounds!
        values[next.name] = step.output
    }

    /// The only reader of a node, if it is of the wanted kind.
    private func onlyConsumer(of node: Node, where matches: (Layer) -> Bool) -> Node? {
        let readers = consumers[network.index(of: node.name)!]
        guard readers.count == 1 else { return nil }
        let reader = network.nodes[readers[0]]
        return matches(reader.layer) ? reader : nil
    }
}

extension Layer {
    /// Of an activation that is the identity between two bounds; nil for other layers.
    var bounds: gsm_bounds? {
        switch self {
        case .activation(.relu): gsm_bounds(low: 0, high: .infinity)
        case .activation(.relu6): gsm_bounds(low: 0, high: 6)
        case .activation(.clip(let low, let high)): gsm_bounds(low: Float(low), high: Float(high))
        default: nil
        }
    }

    /// Convolutions and fully connected layers.
    var hasConnections: Bool {
        switch self {
        case .convolution, .fullyConnected: true
        default: false
        }
    }
}
