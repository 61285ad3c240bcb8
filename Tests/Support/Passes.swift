import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// What one forward and backward pass of training yields; all activations as [image][channel][row][column].
package struct PassResult {
    /// Those of auxiliary heads come after the main ones.
    package var outputs: [Float]
    package var inputGradient: [Float]
    /// By parameter name.
    package var gradients: [String: [Float]]
}

/// A network, its parameters and a plan, for tests that run single passes.
package struct TestPlan: ~Copyable {
    package let parameters: Parameters
    private var plan: TrainingPlan
    private let gradients: AlignedBuffer<Float>

    package init(
        _ network: Network, parameters: consuming Parameters, capacity: Int, threads: Int = 1,
        frozen: Set<String> = [], cuts: [Int]? = nil
    ) throws(ExecutionError) {
        plan = try TrainingPlan(
            network, capacity: capacity, pool: ThreadPool(threads: threads), frozen: frozen, cuts: cuts,
            differentiatesInput: true)
        gradients = AlignedBuffer(count: parameters.layout.trainedCount)
        self.parameters = parameters
    }

    /// Steps of the network in the plan.
    package var operationCount: Int { plan.operationCount }

    /// - Parameters:
    ///   - idleValue: what the lanes without an image hold.
    ///   - outputGradient: one for each output, those of auxiliary heads after the main ones; nil to run forward only.
    ///   - probe: gets the gradients of connections that do not exist.
    package mutating func run(
        _ images: [Float], idleValue: Float = 0, randomKey: UInt64 = 1, outputGradient: [Float]?,
        probe: CandidateProbe? = nil
    ) -> PassResult {
        let layout = plan.inputLayout
        let count = images.count / layout.shape.count
        let blocks = AlignedBuffer<Float>(count: layout.count(images: count))
        blocks.pointer.update(repeating: idleValue, count: blocks.count)
        forEachValue(layout, images: count) { blocks.pointer[$1] = images[$0] }
        plan.forward(blocks.pointer, count: count, parameters: parameters, randomKey: randomKey)
        let outputCount = count * plan.outputLayout.shape.count
        let heads = [nil] + plan.network.auxiliaryOutputs.indices.map(Int?.some)
        let outputs = heads.flatMap { head in
            [Float](unsafeUninitializedCapacity: outputCount) { values, initialized in
                plan.readOutputs(into: values, auxiliary: head)
                initialized = outputCount
            }
        }
        var result = PassResult(outputs: outputs, inputGradient: [], gradients: [:])
        guard let outputGradient else { return result }
        // Backward must write every gradient, whatever lay there.
        gradients.pointer.update(repeating: .nan, count: gradients.count)
        outputGradient.withUnsafeBufferPointer {
            let all = $0
            let parts = heads.indices.map {
                UnsafeBufferPointer(rebasing: all[$0 * outputCount ..< ($0 + 1) * outputCount])
            }
            plan.backward(
                parameters: parameters, gradients: gradients, outputGradient: parts[0],
                auxiliaryGradients: Array(parts.dropFirst()), probe: probe)
        }
        result.inputGradient = [Float](unsafeUninitializedCapacity: images.count) { values, initialized in
            plan.readInputGradient(into: values)
            initialized = images.count
        }
        for entry in parameters.layout.trained {
            result.gradients[entry.name] = Array(
                UnsafeBufferPointer(start: gradients.pointer + entry.offset, count: entry.count))
        }
        return result
    }

    /// Outputs alone. The running statistics stay as they are, so that a call of `run` may follow.
    package mutating func forward(_ images: [Float]) -> [Float] {
        let before = parameters.copy()
        let outputs = run(images, outputGradient: nil).outputs
        for entry in parameters.layout.statistics { parameters.set(entry, to: before.values(entry)) }
        return outputs
    }

    package func values(_ name: String) -> [Float] { parameters.values(parameters.entry(name)) }
}

extension Parameters {
    /// Values of sensible size for every parameter, biases and running statistics too.
    package init(drawing network: Network, using generator: inout SeededGenerator) {
        self.init(initializing: network, seed: generator.next())
        for entry in layout.trained + layout.statistics where entry.role != .kernel {
            let values = generator.bells(entry.count)
            switch entry.role {
            case .scale: set(entry, to: values.map { 1 + 0.3 * $0 })
            case .runningVariance: set(entry, to: values.map { 0.5 + $0 * $0 })
            default: set(entry, to: values.map { 0.3 * $0 })
            }
        }
    }

    package func entry(_ name: String) -> ParameterLayout.Entry {
        (layout.trained + layout.statistics).first { $0.name == name }!
    }

    package func set(_ name: String, to values: [Float]) { set(entry(name), to: values) }
}

/// What a dropout layer of this name multiplies each value with; masks follow from the name, not from the network.
package func dropoutMask(name: String, rate: Double, shape: Shape, images: Int, randomKey: UInt64) throws -> [Double] {
    let nodes = [
        Node(name: "image", layer: .input(shape), inputs: []),
        Node(name: name, layer: .dropout(rate: rate), inputs: ["image"]),
    ]
    let network = try Network(name: "dropout", nodes: nodes)
    var plan = try TestPlan(network, parameters: Parameters(zerosFor: ParameterLayout(network)), capacity: images)
    let ones = [Float](repeating: 1, count: images * shape.count)
    return plan.run(ones, randomKey: randomKey, outputGradient: nil).outputs.map(Double.init)
}

/// Calls `body` with the place of every value in [image][channel][row][column] and in the blocks.
private func forEachValue(_ layout: ActivationLayout, images: Int, _ body: (_ planar: Int, _ blocked: Int) -> Void) {
    let shape = layout.shape
    for planar in 0 ..< images * shape.count {
        let column = planar % shape.width
        let row = planar / shape.width % shape.height
        let channel = planar / (shape.width * shape.height) % shape.channels
        body(planar, layout.offset(image: planar / shape.count, channel: channel, row: row, column: column))
    }
}
