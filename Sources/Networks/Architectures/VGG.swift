import GossamerTensors

extension Network {
    /// VGG-16 (Simonyan and Zisserman 2014, configuration D): 13 convolutions of 3 x 3 and three fully connected
    /// layers. 138,357,544 parameters and 15.47 G multiply-adds for 1000 classes at 224 x 224.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image, at least 32.
    public static func vgg16(classes: Int = 1000, side: Int = 224, channels: Int = 3) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: "vgg16")
        var net = NetworkBuilder(name: "vgg16", input: Shape(channels: channels, height: side, width: side))
        var x = net.vggFeatures(normalized: false)
        for _ in 0 ..< 2 {
            x = net.relu(net.fullyConnected(x, units: 4096))
            x = net.dropout(x, rate: 0.5)
        }
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }

    /// VGG-16's convolutions with batch normalisation, the mean of each channel, and one fully connected layer: the
    /// usual form for small images.
    public static func vgg16BN(classes: Int = 10, side: Int = 32, channels: Int = 3) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 32, of: "vgg16-bn")
        var net = NetworkBuilder(name: "vgg16-bn", input: Shape(channels: channels, height: side, width: side))
        let x = net.globalAveragePooling(net.vggFeatures(normalized: true))
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }

    /// VGG-16n of the paper: a 2 x 2 max pooling and a 3 x 3 convolution of depth 1024 take the place of the two
    /// 4096-wide layers. Batch normalisation everywhere, as the paper trained it; before the classifier each channel is
    /// averaged, of which the paper says nothing.
    ///
    /// - Parameter side: height and width of the image, at least 64.
    public static func vgg16n(classes: Int = 1000, side: Int = 224, channels: Int = 3) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 64, of: "vgg16n")
        var net = NetworkBuilder(name: "vgg16n", input: Shape(channels: channels, height: side, width: side))
        var x = net.maxPooling(net.vggFeatures(normalized: true), kernel: 2)
        x = net.globalAveragePooling(net.normalizedConvolution(x, filters: 1024, kernel: Size(3)))
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }
}

extension NetworkBuilder {
    fileprivate mutating func vggFeatures(normalized: Bool) -> Value {
        var x = input
        for (filters, count) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
            for _ in 0 ..< count {
                x = normalized
                    ? normalizedConvolution(x, filters: filters, kernel: Size(3))
                    : relu(convolution(x, filters: filters, kernel: 3))
            }
            x = maxPooling(x, kernel: 2)
        }
        return x
    }
}
