import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// The small networks whose layers are timed to calibrate a cost model: the shapes that networks are made of.
enum CalibrationLayers {
    private struct ConvolutionShape {
        let inputs, outputs, side: Int
        let kernel: Size
        var stride = 1
    }

    /// - Returns: each convolution on its own, dense and with the patterns that have connections to lose, and depthwise
    ///   ones.
    static func convolutions(lanes: Int) -> [Network] {
        depthwise(lanes: lanes) + (lanes == 1 ? singleImage : sixteenImages).flatMap { shape in
            var net = NetworkBuilder(
                name: "calibration",
                input: Shape(channels: shape.inputs, height: shape.side, width: shape.side))
            let isFull = shape.kernel.height == shape.side
            _ = net.add(
                .convolution(
                    Convolution(
                        filters: shape.outputs, kernel: shape.kernel, stride: Size(shape.stride),
                        padding: isFull ? .valid : .same, bias: false)),
                [net.input])
            let dense = try! net.build()
            // Of few inputs one is left.
            let patterns = shape.inputs > 4 ? patterns(lanes: lanes) : shape.inputs > 1 ? [sparse] : []
            return [dense] + patterns.map { pattern in
                let table = pattern.table(inputs: shape.inputs, outputs: shape.outputs)
                return try! Network(name: dense.name, nodes: dense.nodes, connections: [dense.nodes[1].name: table])
            }
        }
    }

    private static func depthwise(lanes: Int) -> [Network] {
        [(3, 1, 112), (3, 2, 112), (3, 1, 28), (3, 2, 28), (3, 1, 7), (5, 1, 28), (5, 2, 56), (5, 1, 7)].map {
            kernel, stride, side in
            // As many values as layers of this size have.
            let channels = side > 100 ? 64 : side > 20 ? 192 : 960
            let shape = Shape(channels: channels, height: lanes == 1 ? side : (side + 3) / 4, width: side)
            var net = NetworkBuilder(name: "calibration", input: shape)
            _ = net.convolution(
                net.input, filters: channels, kernel: kernel, stride: stride, bias: false, pattern: .depthwise)
            return try! net.build()
        }
    }

    /// Random inputs, the same for each `block` outputs.
    private struct Drawn {
        let density: Double
        let block: Int

        func table(inputs: Int, outputs: Int) -> ConnectionTable {
            var generator = SeededGenerator(seed: 1)
            let fanIn = max(1, Int((density * Double(inputs)).rounded()))
            var rows: [[Int]] = []
            for output in 0 ..< outputs {
                rows.append(output % block == 0 ? generator.sample(fanIn, below: inputs) : rows[output - 1])
            }
            return ConnectionTable(inputCount: inputs, rows: rows)
        }
    }

    private static let sparse = Drawn(density: 0.1, block: 1)

    private static func patterns(lanes: Int) -> [Drawn] {
        let all = [Drawn(density: 0.25, block: 1), sparse, Drawn(density: 0.1, block: 4)]
        return lanes == 1 ? all + [Drawn(density: 0.25, block: 4)] : all
    }

    private static let singleImage = [
        ConvolutionShape(inputs: 3, outputs: 32, side: 224, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 3, outputs: 64, side: 112, kernel: Size(3)),
        ConvolutionShape(inputs: 3, outputs: 64, side: 224, kernel: Size(3)),
        ConvolutionShape(inputs: 3, outputs: 64, side: 224, kernel: Size(7), stride: 2),
        ConvolutionShape(inputs: 1, outputs: 32, side: 28, kernel: Size(5)),
        ConvolutionShape(inputs: 16, outputs: 64, side: 224, kernel: Size(3)),
        ConvolutionShape(inputs: 64, outputs: 64, side: 112, kernel: Size(3)),
        ConvolutionShape(inputs: 32, outputs: 64, side: 147, kernel: Size(3)),
        ConvolutionShape(inputs: 64, outputs: 96, side: 35, kernel: Size(3)),
        ConvolutionShape(inputs: 128, outputs: 128, side: 56, kernel: Size(3)),
        ConvolutionShape(inputs: 256, outputs: 256, side: 28, kernel: Size(3)),
        ConvolutionShape(inputs: 256, outputs: 256, side: 14, kernel: Size(3)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 14, kernel: Size(3)),
        ConvolutionShape(inputs: 448, outputs: 384, side: 8, kernel: Size(3)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 7, kernel: Size(3)),
        ConvolutionShape(inputs: 64, outputs: 64, side: 32, kernel: Size(3)),
        ConvolutionShape(inputs: 128, outputs: 128, side: 16, kernel: Size(3)),
        ConvolutionShape(inputs: 256, outputs: 256, side: 8, kernel: Size(3)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 4, kernel: Size(3)),
        ConvolutionShape(inputs: 16, outputs: 96, side: 112, kernel: Size(1)),
        ConvolutionShape(inputs: 96, outputs: 24, side: 56, kernel: Size(1)),
        ConvolutionShape(inputs: 32, outputs: 192, side: 28, kernel: Size(1)),
        ConvolutionShape(inputs: 192, outputs: 32, side: 28, kernel: Size(1)),
        ConvolutionShape(inputs: 64, outputs: 384, side: 14, kernel: Size(1)),
        ConvolutionShape(inputs: 384, outputs: 64, side: 14, kernel: Size(1)),
        ConvolutionShape(inputs: 160, outputs: 960, side: 7, kernel: Size(1)),
        ConvolutionShape(inputs: 960, outputs: 160, side: 7, kernel: Size(1)),
        ConvolutionShape(inputs: 64, outputs: 80, side: 73, kernel: Size(1)),
        ConvolutionShape(inputs: 64, outputs: 256, side: 56, kernel: Size(1)),
        ConvolutionShape(inputs: 256, outputs: 64, side: 56, kernel: Size(1)),
        ConvolutionShape(inputs: 288, outputs: 64, side: 35, kernel: Size(1)),
        ConvolutionShape(inputs: 512, outputs: 128, side: 28, kernel: Size(1)),
        ConvolutionShape(inputs: 256, outputs: 1024, side: 14, kernel: Size(1)),
        ConvolutionShape(inputs: 1024, outputs: 256, side: 14, kernel: Size(1)),
        ConvolutionShape(inputs: 768, outputs: 192, side: 17, kernel: Size(1)),
        ConvolutionShape(inputs: 512, outputs: 2048, side: 7, kernel: Size(1)),
        ConvolutionShape(inputs: 2048, outputs: 448, side: 8, kernel: Size(1)),
        ConvolutionShape(inputs: 256, outputs: 512, side: 56, kernel: Size(1), stride: 2),
        ConvolutionShape(inputs: 1024, outputs: 2048, side: 14, kernel: Size(1), stride: 2),
        ConvolutionShape(inputs: 128, outputs: 128, side: 56, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 288, outputs: 384, side: 35, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 512, outputs: 512, side: 14, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 128, outputs: 128, side: 17, kernel: Size(height: 1, width: 7)),
        ConvolutionShape(inputs: 192, outputs: 192, side: 17, kernel: Size(height: 7, width: 1)),
        ConvolutionShape(inputs: 384, outputs: 384, side: 8, kernel: Size(height: 1, width: 3)),
        ConvolutionShape(inputs: 384, outputs: 384, side: 8, kernel: Size(height: 3, width: 1)),
        ConvolutionShape(inputs: 48, outputs: 64, side: 35, kernel: Size(5)),
        ConvolutionShape(inputs: 32, outputs: 64, side: 14, kernel: Size(5)),
        ConvolutionShape(inputs: 64, outputs: 512, side: 7, kernel: Size(7)),
        ConvolutionShape(inputs: 2048, outputs: 1000, side: 1, kernel: Size(1)),
        ConvolutionShape(inputs: 4096, outputs: 2048, side: 1, kernel: Size(1)),
        ConvolutionShape(inputs: 512, outputs: 10, side: 1, kernel: Size(1)),
    ]

    private static let sixteenImages = [
        ConvolutionShape(inputs: 3, outputs: 32, side: 69, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 3, outputs: 64, side: 32, kernel: Size(3)),
        ConvolutionShape(inputs: 1, outputs: 32, side: 28, kernel: Size(5)),
        ConvolutionShape(inputs: 3, outputs: 64, side: 64, kernel: Size(7), stride: 2),
        ConvolutionShape(inputs: 64, outputs: 64, side: 32, kernel: Size(3)),
        ConvolutionShape(inputs: 96, outputs: 96, side: 15, kernel: Size(3)),
        ConvolutionShape(inputs: 256, outputs: 256, side: 8, kernel: Size(3)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 4, kernel: Size(3)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 2, kernel: Size(3)),
        ConvolutionShape(inputs: 448, outputs: 384, side: 3, kernel: Size(3)),
        ConvolutionShape(inputs: 64, outputs: 80, side: 33, kernel: Size(1)),
        ConvolutionShape(inputs: 288, outputs: 64, side: 15, kernel: Size(1)),
        ConvolutionShape(inputs: 768, outputs: 192, side: 7, kernel: Size(1)),
        ConvolutionShape(inputs: 256, outputs: 256, side: 8, kernel: Size(1)),
        ConvolutionShape(inputs: 2048, outputs: 320, side: 3, kernel: Size(1)),
        ConvolutionShape(inputs: 256, outputs: 512, side: 16, kernel: Size(1), stride: 2),
        ConvolutionShape(inputs: 512, outputs: 1024, side: 8, kernel: Size(1), stride: 2),
        ConvolutionShape(inputs: 1024, outputs: 2048, side: 4, kernel: Size(1), stride: 2),
        ConvolutionShape(inputs: 128, outputs: 128, side: 28, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 256, outputs: 256, side: 15, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 192, outputs: 320, side: 7, kernel: Size(3), stride: 2),
        ConvolutionShape(inputs: 160, outputs: 160, side: 7, kernel: Size(height: 1, width: 7)),
        ConvolutionShape(inputs: 160, outputs: 192, side: 7, kernel: Size(height: 7, width: 1)),
        ConvolutionShape(inputs: 384, outputs: 384, side: 3, kernel: Size(height: 1, width: 3)),
        ConvolutionShape(inputs: 384, outputs: 384, side: 3, kernel: Size(height: 3, width: 1)),
        ConvolutionShape(inputs: 48, outputs: 64, side: 15, kernel: Size(5)),
        ConvolutionShape(inputs: 32, outputs: 64, side: 14, kernel: Size(5)),
        ConvolutionShape(inputs: 64, outputs: 512, side: 7, kernel: Size(7)),
        ConvolutionShape(inputs: 512, outputs: 512, side: 1, kernel: Size(1)),
        ConvolutionShape(inputs: 2048, outputs: 1000, side: 1, kernel: Size(1)),
        ConvolutionShape(inputs: 512, outputs: 10, side: 1, kernel: Size(1)),
    ]

    /// Every other layer, on values that a core's cache holds and on values that it does not.
    static func elements() -> [Network] {
        [(16, 32), (64, 32), (64, 112), (256, 17), (256, 8)].flatMap { channels, side in
            elementLayers.map { layer in
                var net = NetworkBuilder(
                    name: "calibration", input: Shape(channels: channels, height: side, width: side))
                let joins = layer == .addition || layer == .concatenation || layer == .multiplication
                _ = net.add(layer, joins ? [net.input, net.input] : [net.input])
                return try! net.build()
            }
        }
    }

    private static let elementLayers: [Layer] = [
        .activation(.relu), .localResponseNormalization(LocalResponseNormalization(size: 9)), .softmax,
        .activation(.relu6), .activation(.sigmoid), .activation(.hardSigmoid), .activation(.swish),
        .activation(.hardSwish), .activation(.leakyReLU(slope: 0.1)), .activation(.clip(low: -1, high: 1)),
        .batchNormalization(BatchNormalization()), .dropout(rate: 0.5), .addition, .concatenation, .multiplication,
        .padding(top: 1, left: 1, bottom: 1, right: 1),
        .channelSelection(Array(stride(from: 0, to: 16, by: 2))), .globalAveragePooling,
        .maxPooling(Pooling(kernel: Size(2))), .maxPooling(Pooling(kernel: Size(3), stride: Size(2))),
        .averagePooling(Pooling(kernel: Size(2)), countsPadding: true),
        .averagePooling(Pooling(kernel: Size(3), stride: Size(1), padding: .same), countsPadding: true),
    ]
}
