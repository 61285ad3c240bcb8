import GossamerTensors

extension Network {
    /// Inception V3 (Szegedy et al. 2015): 94 convolutions of 21,751,136 weights and 5,711,168,096 multiply-adds at
    /// 299 x 299, the auxiliary head not counted.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 75.
    ///   - auxiliaryHead: whether training gets a second classifier on the last 17 x 17 images, weighted 0.4 as in
    ///     TensorFlow's.
    public static func inceptionV3(
        classes: Int = 1000, side: Int = 299, channels: Int = 3, auxiliaryHead: Bool = false
    ) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 75, of: "inception-v3")
        var net = NetworkBuilder(name: "inception-v3", input: Shape(channels: channels, height: side, width: side))
        var x = net.inceptionStem()
        for pooled in [32, 64, 64] { x = net.inceptionA(x, pooled: pooled) }
        x = net.inceptionB(x)
        for narrow in [128, 160, 160, 192] { x = net.inceptionC(x, narrow: narrow) }
        if auxiliaryHead {
            net.auxiliaryHead(weight: 0.4) { $0.inceptionHead(x, classes: classes, side: inceptionGrid(side)) }
        }
        x = net.inceptionD(x)
        for _ in 0 ..< 2 { x = net.inceptionE(x) }
        x = net.dropout(net.globalAveragePooling(x), rate: 0.5)
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }
}

extension NetworkBuilder {
    /// Convolution, batch normalisation and ReLU with the paper's epsilon.
    private mutating func unit(
        _ x: Value, _ filters: Int, _ height: Int, _ width: Int, stride: Int = 1, padding: Padding = .same
    ) -> Value {
        normalizedConvolution(
            x, filters: filters, kernel: Size(height: height, width: width), stride: stride, padding: padding,
            epsilon: 1e-3)
    }

    private mutating func pooledUnit(_ x: Value, _ filters: Int) -> Value {
        let pooled = averagePooling(x, kernel: 3, stride: 1, padding: .around(1))
        return unit(pooled, filters, 1, 1)
    }

    fileprivate mutating func inceptionStem() -> Value {
        var x = unit(input, 32, 3, 3, stride: 2, padding: .valid)
        x = unit(x, 32, 3, 3, padding: .valid)
        x = unit(x, 64, 3, 3)
        x = maxPooling(x, kernel: 3, stride: 2)
        x = unit(x, 80, 1, 1)
        x = unit(x, 192, 3, 3, padding: .valid)
        return maxPooling(x, kernel: 3, stride: 2)
    }

    /// 35 x 35 of a 299 x 299 image.
    fileprivate mutating func inceptionA(_ x: Value, pooled: Int) -> Value {
        let one = unit(x, 64, 1, 1)
        let five = unit(unit(x, 48, 1, 1), 64, 5, 5)
        let double = unit(unit(unit(x, 64, 1, 1), 96, 3, 3), 96, 3, 3)
        return concatenation([one, five, double, pooledUnit(x, pooled)])
    }

    /// To 17 x 17.
    fileprivate mutating func inceptionB(_ x: Value) -> Value {
        let three = unit(x, 384, 3, 3, stride: 2, padding: .valid)
        let double = unit(unit(unit(x, 64, 1, 1), 96, 3, 3), 96, 3, 3, stride: 2, padding: .valid)
        return concatenation([three, double, maxPooling(x, kernel: 3, stride: 2)])
    }

    fileprivate mutating func inceptionC(_ x: Value, narrow: Int) -> Value {
        let one = unit(x, 192, 1, 1)
        let seven = unit(unit(unit(x, narrow, 1, 1), narrow, 1, 7), 192, 7, 1)
        var double = unit(unit(x, narrow, 1, 1), narrow, 7, 1)
        double = unit(unit(unit(double, narrow, 1, 7), narrow, 7, 1), 192, 1, 7)
        return concatenation([one, seven, double, pooledUnit(x, 192)])
    }

    /// Pooled to 5 x 5, by a 5 x 5 window with stride 3 from 17 x 17. Images too small for that are not pooled, and
    /// its 5 x 5 kernels reach over their borders.
    fileprivate mutating func inceptionHead(_ x: Value, classes: Int, side: Int) -> Value {
        let goal = 5
        var y = x
        if side > goal {
            let stride = side / goal
            y = averagePooling(y, kernel: side - (goal - 1) * stride, stride: stride)
        }
        y = unit(y, 128, 1, 1)
        y = unit(y, 768, goal, goal, padding: side < goal ? .same : .valid)
        return fullyConnected(globalAveragePooling(y), units: classes)
    }

    /// To 8 x 8.
    fileprivate mutating func inceptionD(_ x: Value) -> Value {
        let three = unit(unit(x, 192, 1, 1), 320, 3, 3, stride: 2, padding: .valid)
        let seven = unit(unit(unit(x, 192, 1, 1), 192, 1, 7), 192, 7, 1)
        let strided = unit(seven, 192, 3, 3, stride: 2, padding: .valid)
        return concatenation([three, strided, maxPooling(x, kernel: 3, stride: 2)])
    }

    fileprivate mutating func inceptionE(_ x: Value) -> Value {
        let one = unit(x, 320, 1, 1)
        let three = unit(x, 384, 1, 1)
        let threes = [unit(three, 384, 1, 3), unit(three, 384, 3, 1)]
        let double = unit(unit(x, 448, 1, 1), 384, 3, 3)
        let doubles = [unit(double, 384, 1, 3), unit(double, 384, 3, 1)]
        return concatenation([one] + threes + doubles + [pooledUnit(x, 192)])
    }
}

/// Height and width of the images that `inceptionC` works on, 17 of 299.
private func inceptionGrid(_ side: Int) -> Int {
    func halved(_ size: Int) -> Int { (size - 3) / 2 + 1 }
    return halved(halved(halved(halved(side) - 2) - 2))
}
