import GossamerTensors

extension Network {
    /// MobileNet V1 (Howard et al. 2017) with ReLU6 as in its authors' code. 4,231,976 parameters and 569 M
    /// multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func mobilenetV1(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: "mobilenet-v1")
        var net = NetworkBuilder(name: "mobilenet-v1", input: Shape(channels: channels, height: side, width: side))
        var x = net.normalizedConvolution(
            net.input, filters: 32, kernel: Size(3), stride: 2, padding: .around(1), activation: .relu6)
        var width = 32
        let stages = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
            + Array(repeating: (512, 1), count: 5) + [(1024, 2), (1024, 1)]
        for (filters, stride) in stages {
            x = net.depthwise(x, channels: width, kernel: 3, stride: stride, padding: .around(1))
            x = net.normalizedConvolution(x, filters: filters, kernel: Size(1), activation: .relu6)
            width = filters
        }
        _ = net.fullyConnected(net.globalAveragePooling(x), units: classes)
        return try net.build()
    }

    /// MobileNet V2 (Sandler et al. 2018). 3,504,872 parameters and 301 M multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func mobilenetV2(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try invertedResiduals(
            "mobilenet-v2",
            stages: [
                InvertedResiduals(expansion: 1, kernel: 3, filters: 16, blocks: 1, stride: 1),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 24, blocks: 2, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 32, blocks: 3, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 64, blocks: 4, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 96, blocks: 3, stride: 1),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 160, blocks: 3, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 320, blocks: 1, stride: 1),
            ], classes, side, channels, epsilon: 1e-5, padsEvenly: true)
    }

    /// EfficientNet-Lite0 (Tan and Le 2019, in the authors' form for mobile processors: ReLU6, no squeeze and
    /// excitation). 4,652,008 parameters and 0.4 G multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func efficientnetLite0(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try invertedResiduals(
            "efficientnet-lite0",
            stages: [
                InvertedResiduals(expansion: 1, kernel: 3, filters: 16, blocks: 1, stride: 1),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 24, blocks: 2, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 5, filters: 40, blocks: 2, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 80, blocks: 3, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 5, filters: 112, blocks: 3, stride: 1),
                InvertedResiduals(expansion: 6, kernel: 5, filters: 192, blocks: 4, stride: 2),
                InvertedResiduals(expansion: 6, kernel: 3, filters: 320, blocks: 1, stride: 1),
            ], classes, side, channels, epsilon: 1e-3, padsEvenly: false)
    }

    /// - Parameter padsEvenly: on both sides, as PyTorch's networks do; otherwise as TensorFlow's.
    private static func invertedResiduals(
        _ name: String, stages: [InvertedResiduals], _ classes: Int, _ side: Int, _ channels: Int, epsilon: Double,
        padsEvenly: Bool
    ) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: name)
        func padding(_ kernel: Int) -> Padding { padsEvenly ? .around(kernel / 2) : .same }
        var net = NetworkBuilder(name: name, input: Shape(channels: channels, height: side, width: side))
        var width = 32
        var x = net.normalizedConvolution(
            net.input, filters: width, kernel: Size(3), stride: 2, padding: padding(3), epsilon: epsilon,
            activation: .relu6)
        for stage in stages {
            for block in 0 ..< stage.blocks {
                x = net.invertedResidual(
                    x, channels: width, stage, stride: block == 0 ? stage.stride : 1, padding: padding(stage.kernel),
                    epsilon: epsilon)
                width = stage.filters
            }
        }
        x = net.normalizedConvolution(x, filters: 1280, kernel: Size(1), epsilon: epsilon, activation: .relu6)
        x = net.dropout(net.globalAveragePooling(x), rate: 0.2)
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }
}

/// Blocks of one stage: its first one has the stride.
private struct InvertedResiduals {
    let expansion, kernel, filters, blocks, stride: Int
}

extension NetworkBuilder {
    /// A depthwise convolution with one filter a channel, batch normalisation and ReLU6.
    fileprivate mutating func depthwise(
        _ x: Value, channels: Int, kernel: Int, stride: Int, padding: Padding, epsilon: Double = 1e-5
    ) -> Value {
        normalizedConvolution(
            x, filters: channels, kernel: Size(kernel), stride: stride, padding: padding, pattern: .depthwise,
            epsilon: epsilon, activation: .relu6)
    }

    /// 1 x 1 to more channels, depthwise, 1 x 1 to few, and a shortcut where sizes agree.
    fileprivate mutating func invertedResidual(
        _ x: Value, channels: Int, _ stage: InvertedResiduals, stride: Int, padding: Padding, epsilon: Double
    ) -> Value {
        let wide = stage.expansion * channels
        var y = x
        if stage.expansion > 1 {
            y = normalizedConvolution(y, filters: wide, kernel: Size(1), epsilon: epsilon, activation: .relu6)
        }
        y = depthwise(y, channels: wide, kernel: stage.kernel, stride: stride, padding: padding, epsilon: epsilon)
        y = normalizedConvolution(y, filters: stage.filters, kernel: Size(1), epsilon: epsilon, activation: nil)
        return stride == 1 && channels == stage.filters ? addition(x, y) : y
    }
}
