import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

/// Loss, optimizer and three steps of a whole network against PyTorch's values.
@Suite struct PyTorchTests {
    @Test(arguments: Fixture.names(in: "softmax-cross-entropy")) func crossEntropy(name: String) throws {
        let fixture = try Fixture(name)
        let logits = try fixture.floats("logits")
        let labels = try fixture.integers("labels")
        let loss = SoftmaxCrossEntropy(labelSmoothing: fixture.number("label_smoothing"))
        let (result, gradient) = evaluate(loss, logits, labels)
        let expected = Double(try fixture.floats("loss")[0])
        #expect(abs(result.lossSum / Double(labels.count) - expected) < 1e-6 * expected)
        #expect(relativeError(gradient, try fixture.floats("logits_gradient")) < 1e-6)
        let classes = logits.count / labels.count
        // Without smoothing the gradient is (probability - target) / images.
        var probabilities = evaluate(SoftmaxCrossEntropy(), logits, labels).gradient.map { $0 * Float(labels.count) }
        for (image, label) in labels.enumerated() { probabilities[image * classes + Int(label)] += 1 }
        #expect(largestError(probabilities, try fixture.floats("probabilities")) < 1e-6)
        let right = labels.enumerated().count { image, label in
            let row = logits[image * classes ..< (image + 1) * classes]
            return row[image * classes + Int(label)] == row.max()
        }
        #expect(result.correctCount == right)
    }

    @Test(arguments: [Float.nan, .infinity]) func aLogitThatIsNotFiniteShows(value: Float) {
        for index in 0 ..< 6 {
            var logits: [Float] = [1, -2, 0.5, 3, 0, -1]
            logits[index] = value
            for smoothing in [0, 0.1] {
                let result = evaluate(SoftmaxCrossEntropy(labelSmoothing: smoothing), logits, [2, 0]).result
                #expect(!result.lossSum.isFinite, "logit \(index)")
            }
        }
    }

    /// The fixture `momentum` is left out: momentum without Nesterov's step does not exist here.
    @Test(arguments: ["sgd/nesterov-decay", "sgd/plain-decay"] + Fixture.names(in: "optimizer"))
    func optimizer(name: String) throws {
        let fixture = try Fixture(name)
        let layout = ParameterLayout(try optimizedNetwork())
        let parameters = Parameters(zerosFor: layout)
        let gradients = AlignedBuffer<Float>(count: layout.trainedCount)
        let optimizer = OptimizerState(
            optimizer(of: fixture, name: name), layout: layout, weightDecay: fixture.number("weight_decay"))
        let pool = ThreadPool(threads: 2)
        for tensor in ["weight", "bias"] { parameters.set("layer.\(tensor)", to: try fixture.floats(tensor)) }
        for step in 1 ... fixture.integer("steps") {
            for tensor in ["weight", "bias"] {
                let entry = parameters.entry("layer.\(tensor)")
                for (index, value) in try fixture.floats("\(tensor)_gradient\(step)").enumerated() {
                    gradients[entry.offset + index] = value
                }
            }
            var scale = 1.0
            if name.contains("clipped") {
                scale = min(1, fixture.number("clip_norm") / optimizer.norm(of: gradients, pool: pool))
            }
            optimizer.step(
                parameters, gradients: gradients, learningRate: fixture.number("learning_rate"), step: step - 1,
                gradientScale: scale, pool: pool)
            for tensor in ["weight", "bias"] {
                let values = parameters.values(parameters.entry("layer.\(tensor)"))
                #expect(relativeError(values, try fixture.floats("\(tensor)_after\(step)")) < 1e-6)
            }
        }
    }

    private func optimizer(of fixture: Fixture, name: String) -> Optimizer {
        if name.contains("adam") {
            var adam = Optimizer.Adam()
            adam.beta1 = fixture.number("beta1")
            adam.beta2 = fixture.number("beta2")
            adam.epsilon = fixture.number("epsilon")
            adam.decouplesWeightDecay = name.hasSuffix("adamw")
            return .adam(adam)
        }
        guard name.contains("rmsprop") else { return .sgd(momentum: fixture.number("momentum")) }
        var rmsprop = Optimizer.RMSProp()
        rmsprop.decay = fixture.number("decay")
        rmsprop.epsilon = fixture.number("epsilon")
        rmsprop.momentum = fixture.number("momentum")
        return .rmsprop(rmsprop)
    }

    /// A sparse layer with 21 weights and 5 biases.
    private func optimizedNetwork() throws -> Network {
        let layer = Convolution(filters: 5, kernel: Size(height: 1, width: 7))
        let table = ConnectionTable(inputCount: 2, rows: [[0], [], [1], [], [0]])
        let nodes = [
            Node(name: "image", layer: .input(Shape(channels: 2, height: 1, width: 7)), inputs: []),
            Node(name: "layer", layer: .convolution(layer), inputs: ["image"]),
        ]
        return try Network(name: "optimized", nodes: nodes, connections: ["layer": table])
    }

    @Test(arguments: [1, 2, 3]) func threeSteps(threads: Int) throws {
        let fixture = try Fixture("network/three-steps")
        let network = try fixtureNetwork(fixture)
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        let entries = parameters.layout.trained + parameters.layout.statistics
        for entry in entries { parameters.set(entry, to: try fixture.floats("before.\(entry.name)")) }
        let optimizer = OptimizerState(
            .sgd(momentum: fixture.number("momentum")), layout: parameters.layout,
            weightDecay: fixture.number("weight_decay"))
        let gradients = AlignedBuffer<Float>(count: parameters.layout.trainedCount)
        let pool = ThreadPool(threads: threads)
        var plan = try TestPlan(network, parameters: parameters, capacity: 5, threads: threads)
        let loss = SoftmaxCrossEntropy(labelSmoothing: fixture.number("label_smoothing"))
        let (images, labels) = (try fixture.floats("input"), try fixture.integers("labels"))
        var losses: [Double] = []
        for step in 0 ..< fixture.integer("steps") {
            let logits = plan.forward(images)
            let (result, logitGradient) = evaluate(loss, logits, labels)
            losses.append(result.lossSum / Double(labels.count))
            let pass = plan.run(images, outputGradient: logitGradient)
            for entry in plan.parameters.layout.trained {
                let gradient = pass.gradients[entry.name]!
                for (index, value) in gradient.enumerated() { gradients[entry.offset + index] = value }
                guard step == 0 else { continue }
                #expect(relativeError(gradient, try fixture.floats("gradient.\(entry.name)")) < 1e-5, "\(entry.name)")
            }
            if step == 0 { #expect(relativeError(logits, try fixture.floats("logits")) < 1e-5) }
            optimizer.step(
                plan.parameters, gradients: gradients, learningRate: fixture.number("learning_rate"), step: step, pool: pool)
        }
        #expect(relativeError(losses, try fixture.floats("losses")) < 1e-5)
        for entry in entries {
            let expected = try fixture.floats("after.\(entry.name)")
            #expect(relativeError(plan.values(entry.name), expected) < 1e-5, "\(entry.name)")
        }
        for capacity in [5, 16] {
            var inference = try InferencePlan(network, parameters: plan.parameters, capacity: capacity, pool: pool)
            #expect(relativeError(inference(images), try fixture.floats("evaluation.logits")) < 1e-5)
        }
    }

    private func fixtureNetwork(_ fixture: Fixture) throws -> Network {
        var net = NetworkBuilder(name: "fixture", input: Shape(channels: 1, height: 12, width: 10))
        var x = net.relu(net.convolution(net.input, filters: 4, kernel: 5, name: "conv1"))
        x = net.convolution(net.maxPooling(x, kernel: 2), filters: 8, kernel: 3, bias: false, name: "conv2")
        let momentum = fixture.number("batch_norm_momentum")
        x = net.batchNormalization(x, epsilon: fixture.number("epsilon"), momentum: momentum, name: "norm")
        _ = net.fullyConnected(net.globalAveragePooling(net.relu(x)), units: 10, name: "fc")
        let table = try ConnectionTable(
            inputCount: 4, rowStarts: try fixture.integers("conv2.row_starts"),
            inputs: try fixture.integers("conv2.inputs"))
        return try Network(name: "fixture", nodes: net.build().nodes, connections: ["conv2": table])
    }
}

private func evaluate(
    _ loss: SoftmaxCrossEntropy, _ logits: [Float], _ labels: [Int32]
) -> (result: SoftmaxCrossEntropy.Result, gradient: [Float]) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let result = logits.withUnsafeBufferPointer { logits in
        labels.withUnsafeBufferPointer { labels in
            gradient.withUnsafeMutableBufferPointer { loss.evaluate(logits: logits, labels: labels, gradient: $0) }
        }
    }
    return (result, gradient)
}
