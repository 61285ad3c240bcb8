import Foundation
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Plain loops in double precision over [image][channel][row][column]: what a network computes in training, so that
/// differences of it are accurate to many digits.
package struct ReferenceNetwork {
    private let network: Network
    private let imageCount: Int
    /// The factors of each dropout layer, by node.
    private var masks: [String: [Double]] = [:]
    /// By parameter name.
    package var parameters: [String: [Double]] = [:]
    package var input: [Double]
    /// Whether batch normalisation uses the batch's statistics, or the running ones.
    package var isTraining = true
    /// Nodes whose batch normalisation uses the running statistics in training too.
    package var frozen: Set<String> = []

    /// How near the last evaluation came to a place where ReLU or a maximum has no derivative.
    package private(set) var smallestDistanceToKink = Double.infinity
    /// Mean and variance of each batch normalisation's input in the last evaluation.
    package private(set) var statistics: [String: [(mean: Double, variance: Double)]] = [:]

    package init(_ network: Network, parameters: borrowing Parameters, images: [Float]) {
        self.network = network
        imageCount = images.count / network.inputShape.count
        input = images.map(Double.init)
        for entry in parameters.layout.trained + parameters.layout.statistics {
            self.parameters[entry.name] = parameters.values(entry).map(Double.init)
        }
    }

    /// Gives every dropout layer the mask that it has in a step with this key.
    package mutating func drawMasks(randomKey: UInt64) throws {
        for node in network.nodes {
            guard case .dropout(let rate) = node.layer else { continue }
            masks[node.name] = try dropoutMask(
                name: node.name, rate: rate, shape: network.shape(of: node.name), images: imageCount,
                randomKey: randomKey)
        }
    }

    /// The outputs, and after them those of auxiliary heads.
    package mutating func evaluate() -> [Double] {
        smallestDistanceToKink = .infinity
        var values: [String: [Double]] = [:]
        for node in network.nodes {
            let inputs = node.inputs.map { values[$0]! }
            values[node.name] = evaluate(node, inputs)
        }
        return network.auxiliaryOutputs.reduce(values[network.nodes.last!.name]!) { $0 + values[$1.node]! }
    }

    private mutating func evaluate(_ node: Node, _ inputs: [[Double]]) -> [Double] {
        switch node.layer {
        case .input: return input
        case .convolution, .fullyConnected: return convolution(node, inputs[0])
        case .batchNormalization(let layer): return normalization(node, layer, inputs[0])
        case .activation(let activation): return activate(inputs[0], activation)
        case .localResponseNormalization(let layer): return responseNormalization(node, layer, inputs[0])
        case .maxPooling: return maxPooling(node, inputs[0])
        case .averagePooling(_, let counts): return averagePooling(node, inputs[0], countsPadding: counts)
        case .globalAveragePooling: return averagePooling(node, inputs[0], countsPadding: false)
        case .dropout: return isTraining ? zip(inputs[0], masks[node.name]!).map(*) : inputs[0]
        case .concatenation:
            return (0 ..< imageCount).flatMap { image in
                inputs.flatMap { $0[image * $0.count / imageCount ..< (image + 1) * $0.count / imageCount] }
            }
        case .addition: return inputs.dropFirst().reduce(inputs[0]) { zip($0, $1).map(+) }
        case .multiplication:
            let area = inputs[0].count / inputs[1].count
            return inputs[0].indices.map { inputs[0][$0] * inputs[1][$0 / area] }
        case .padding(let top, let left, _, _):
            let shape = network.inputShape(of: node), padded = network.shape(of: node.name)
            var y = [Double](repeating: 0, count: imageCount * padded.count)
            for row in 0 ..< imageCount * shape.channels * shape.height {
                let (plane, line) = row.quotientAndRemainder(dividingBy: shape.height)
                let start = (plane * padded.height + line + top) * padded.width + left
                for column in 0 ..< shape.width { y[start + column] = inputs[0][row * shape.width + column] }
            }
            return y
        case .softmax: return softmax(node, inputs[0])
        case .channelSelection(let channels):
            let shape = network.inputShape(of: node)
            let area = shape.height * shape.width
            return (0 ..< imageCount).flatMap { image in
                channels.flatMap { channel -> ArraySlice<Double> in
                    let start = (image * shape.channels + channel) * area
                    return inputs[0][start ..< start + area]
                }
            }
        }
    }

    private mutating func activate(_ x: [Double], _ activation: Activation) -> [Double] {
        for kink in activation.kinks {
            for value in x { smallestDistanceToKink = min(smallestDistanceToKink, abs(value - kink)) }
        }
        return x.map { activation.value($0) }
    }

    private func responseNormalization(
        _ node: Node, _ layer: LocalResponseNormalization, _ x: [Double]
    ) -> [Double] {
        let shape = network.shape(of: node.name)
        let area = shape.height * shape.width
        return x.indices.map { index in
            let channel = index / area % shape.channels
            let window = max(0, channel - layer.size / 2) ... min(shape.channels - 1, channel + layer.size / 2)
            let squares = window.reduce(0) { sum, other in
                let value = x[index + (other - channel) * area]
                return sum + value * value
            }
            return x[index] / pow(layer.bias + layer.alpha / Double(layer.size) * squares, layer.beta)
        }
    }

    private func softmax(_ node: Node, _ x: [Double]) -> [Double] {
        let shape = network.shape(of: node.name)
        let area = shape.height * shape.width
        var y = x
        for image in 0 ..< imageCount {
            for pixel in 0 ..< area {
                let places = (0 ..< shape.channels).map { (image * shape.channels + $0) * area + pixel }
                let largest = places.map { x[$0] }.max()!
                let sum = places.reduce(0) { $0 + exp(x[$1] - largest) }
                for place in places { y[place] = exp(x[place] - largest) / sum }
            }
        }
        return y
    }

    private func convolution(_ node: Node, _ x: [Double]) -> [Double] {
        let table = network.connectionTable(of: node)
        let geometry = network.geometry(of: node)!
        let taps = geometry.kernel.height * geometry.kernel.width
        let inputArea = geometry.input.height * geometry.input.width
        let outputArea = geometry.output.height * geometry.output.width
        let weights = parameters["\(node.name).weight"]!
        let bias = parameters["\(node.name).bias"]
        var y = [Double](repeating: 0, count: imageCount * table.outputCount * outputArea)
        for image in 0 ..< imageCount {
            for filter in 0 ..< table.outputCount {
                let target = (image * table.outputCount + filter) * outputArea
                for pixel in 0 ..< outputArea { y[target + pixel] = bias?[filter] ?? 0 }
                for connection in Int(table.rowStarts[filter]) ..< Int(table.rowStarts[filter + 1]) {
                    let source = (image * table.inputCount + Int(table.inputs[connection])) * inputArea
                    geometry.forEachTap { pixel, tap, origin in
                        y[target + pixel] += weights[connection * taps + tap] * x[source + origin]
                    }
                }
            }
        }
        return y
    }

    private mutating func normalization(_ node: Node, _ layer: BatchNormalization, _ x: [Double]) -> [Double] {
        let shape = network.shape(of: node.name)
        let area = shape.height * shape.width
        var y = x
        var batch: [(mean: Double, variance: Double)] = []
        for channel in 0 ..< shape.channels {
            let places = (0 ..< imageCount).flatMap { image in
                let start = (image * shape.channels + channel) * area
                return start ..< start + area
            }
            var mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
            var variance = places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(places.count)
            batch.append((mean, variance))
            if !isTraining || frozen.contains(node.name) {
                mean = parameters["\(node.name).running_mean"]![channel]
                variance = parameters["\(node.name).running_var"]![channel]
            }
            let scale = parameters["\(node.name).weight"]![channel] / (variance + layer.epsilon).squareRoot()
            for place in places { y[place] = (x[place] - mean) * scale + parameters["\(node.name).bias"]![channel] }
        }
        statistics[node.name] = batch
        return y
    }

    private mutating func maxPooling(_ node: Node, _ x: [Double]) -> [Double] {
        let geometry = network.geometry(of: node)!
        let outputArea = geometry.output.height * geometry.output.width
        let planes = imageCount * network.shape(of: node.name).channels
        var y = [Double](repeating: -.infinity, count: planes * outputArea)
        var second = y
        for plane in 0 ..< planes {
            geometry.forEachTap { pixel, _, origin in
                let value = x[plane * geometry.input.height * geometry.input.width + origin]
                let place = plane * outputArea + pixel
                if value > y[place] { (y[place], second[place]) = (value, y[place]) } else {
                    second[place] = max(second[place], value)
                }
            }
        }
        // Equal values are those of a ReLU that cut both; which of them wins then changes nothing.
        for (first, next) in zip(y, second) where first != next {
            smallestDistanceToKink = min(smallestDistanceToKink, first - next)
        }
        return y
    }

    private func averagePooling(_ node: Node, _ x: [Double], countsPadding: Bool) -> [Double] {
        let geometry = network.geometry(of: node)!
        let outputArea = geometry.output.height * geometry.output.width
        let planes = imageCount * network.shape(of: node.name).channels
        var y = [Double](repeating: 0, count: planes * outputArea)
        var counts = [Double](repeating: 0, count: outputArea)
        geometry.forEachTap { pixel, _, _ in counts[pixel] += 1 }
        if countsPadding {
            counts = counts.map { _ in Double(geometry.kernel.height * geometry.kernel.width) }
        }
        for plane in 0 ..< planes {
            geometry.forEachTap { pixel, _, origin in
                y[plane * outputArea + pixel] += x[plane * geometry.input.height * geometry.input.width + origin]
            }
            for pixel in 0 ..< outputArea { y[plane * outputArea + pixel] /= counts[pixel] }
        }
        return y
    }
}

extension Activation {
    /// The function in double precision.
    package func value(_ x: Double) -> Double {
        switch self {
        case .relu: max(x, 0)
        case .relu6: min(max(x, 0), 6)
        case .sigmoid: 1 / (1 + exp(-x))
        case .hardSigmoid: min(max(x / 6 + 0.5, 0), 1)
        case .hardSwish: x * min(max(x / 6 + 0.5, 0), 1)
        case .swish: x / (1 + exp(-x))
        case .leakyReLU(let slope): x > 0 ? x : slope * x
        case .clip(let low, let high): min(max(x, low), high)
        }
    }

    /// Where it has no derivative.
    fileprivate var kinks: [Double] {
        switch self {
        case .relu, .leakyReLU: [0]
        case .relu6: [0, 6]
        case .hardSigmoid, .hardSwish: [-3, 3]
        case .clip(let low, let high): [low, high]
        case .sigmoid, .swish: []
        }
    }
}

extension WindowGeometry {
    /// Calls `body` for every tap that lies inside the image, with the places of output and input in their planes.
    fileprivate func forEachTap(_ body: (_ pixel: Int, _ tap: Int, _ origin: Int) -> Void) {
        for row in 0 ..< output.height {
            for column in 0 ..< output.width {
                for tapRow in 0 ..< kernel.height {
                    let y = row * stride.height + tapRow * dilation.height - paddingTop
                    guard y >= 0, y < input.height else { continue }
                    for tapColumn in 0 ..< kernel.width {
                        let x = column * stride.width + tapColumn * dilation.width - paddingLeft
                        guard x >= 0, x < input.width else { continue }
                        body(row * output.width + column, tapRow * kernel.width + tapColumn, y * input.width + x)
                    }
                }
            }
        }
    }
}
