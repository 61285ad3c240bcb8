import GossamerTensors

extension Network {
    /// ResNet-50 (He et al. 2015) in the form that strides in the 3 x 3 convolutions. 25,557,032 parameters and 4.09 G
    /// multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func resnet50(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: "resnet50")
        var net = NetworkBuilder(name: "resnet50", input: Shape(channels: channels, height: side, width: side))
        var x = net.normalizedConvolution(
            net.input, filters: 64, kernel: Size(7), stride: 2, padding: .around(3))
        x = net.maxPooling(x, kernel: 3, stride: 2, padding: .around(1))
        for (stage, blocks) in [3, 4, 6, 3].enumerated() {
            for block in 0 ..< blocks {
                x = net.bottleneck(
                    x, filters: 64 << stage, stride: stage > 0 && block == 0 ? 2 : 1, projects: block == 0)
            }
        }
        _ = net.fullyConnected(net.globalAveragePooling(x), units: classes)
        return try net.build()
    }
}

extension NetworkBuilder {
    /// 1 x 1, 3 x 3, 1 x 1 with four times the filters, and a shortcut around them.
    fileprivate mutating func bottleneck(_ x: Value, filters: Int, stride: Int, projects: Bool) -> Value {
        let wide = 4 * filters
        var shortcut = x
        if projects {
            shortcut = batchNormalization(convolution(x, filters: wide, kernel: 1, stride: stride, bias: false))
        }
        var y = normalizedConvolution(x, filters: filters, kernel: Size(1))
        y = normalizedConvolution(y, filters: filters, kernel: Size(3), stride: stride, padding: .around(1))
        y = batchNormalization(convolution(y, filters: wide, kernel: 1, bias: false))
        return relu(addition(y, shortcut))
    }
}
