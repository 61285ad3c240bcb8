import GossamerTensors

extension Network {
    /// ResNet-18 (He et al. 2015). 11,689,512 parameters and 1.81 G multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func resnet18(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try resnet("resnet18", blocks: [2, 2, 2, 2], classes, side, channels) { net, x, filters, stride, _ in
            // Sixty-four channels come in and go out of the first stage.
            net.basicBlock(x, filters: filters, stride: stride, projects: stride > 1)
        }
    }

    /// ResNet-50 (He et al. 2015) in the form that strides in the 3 x 3 convolutions. 25,557,032 parameters and 4.09 G
    /// multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func resnet50(
        classes: Int = 1000, side: Int = 224, channels: Int = 3
    ) throws(NetworkError) -> Network {
        try resnet("resnet50", blocks: [3, 4, 6, 3], classes, side, channels) { net, x, filters, stride, isFirst in
            net.bottleneck(x, filters: filters, stride: stride, projects: isFirst)
        }
    }

    private typealias Block = (
        _ net: inout NetworkBuilder, _ x: NetworkBuilder.Value, _ filters: Int, _ stride: Int, _ isFirst: Bool
    ) -> NetworkBuilder.Value

    /// - Parameters:
    ///   - blocks: how many in each stage; every stage has twice the filters of the one before.
    ///   - block: adds one; `isFirst` of its stage.
    private static func resnet(
        _ name: String, blocks: [Int], _ classes: Int, _ side: Int, _ channels: Int, block: Block
    ) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: name)
        var net = NetworkBuilder(name: name, input: Shape(channels: channels, height: side, width: side))
        var x = net.normalizedConvolution(
            net.input, filters: 64, kernel: Size(7), stride: 2, padding: .around(3))
        x = net.maxPooling(x, kernel: 3, stride: 2, padding: .around(1))
        for (stage, count) in blocks.enumerated() {
            for number in 0 ..< count {
                x = block(&net, x, 64 << stage, stage > 0 && number == 0 ? 2 : 1, number == 0)
            }
        }
        _ = net.fullyConnected(net.globalAveragePooling(x), units: classes)
        return try net.build()
    }
}

extension NetworkBuilder {
    /// Twice 3 x 3, and a shortcut around them.
    fileprivate mutating func basicBlock(_ x: Value, filters: Int, stride: Int, projects: Bool) -> Value {
        let shortcut = projects ? projection(x, filters: filters, stride: stride) : x
        var y = normalizedConvolution(x, filters: filters, kernel: Size(3), stride: stride, padding: .around(1))
        y = normalizedConvolution(y, filters: filters, kernel: Size(3), padding: .around(1), activation: nil)
        return relu(addition(y, shortcut))
    }

    private mutating func projection(_ x: Value, filters: Int, stride: Int) -> Value {
        normalizedConvolution(x, filters: filters, kernel: Size(1), stride: stride, activation: nil)
    }

    /// 1 x 1, 3 x 3, 1 x 1 with four times the filters, and a shortcut around them.
    fileprivate mutating func bottleneck(_ x: Value, filters: Int, stride: Int, projects: Bool) -> Value {
        let wide = 4 * filters
        let shortcut = projects ? projection(x, filters: wide, stride: stride) : x
        var y = normalizedConvolution(x, filters: filters, kernel: Size(1))
        y = normalizedConvolution(y, filters: filters, kernel: Size(3), stride: stride, padding: .around(1))
        y = normalizedConvolution(y, filters: wide, kernel: Size(1), activation: nil)
        return relu(addition(y, shortcut))
    }
}
