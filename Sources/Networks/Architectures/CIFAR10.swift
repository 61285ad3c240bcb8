import GossamerTensors

extension Network {
    /// TensorFlow's CIFAR-10 tutorial network, which follows cuda-convnet: two 5 x 5 convolutions with local response
    /// normalisation, and three fully connected layers. It sees crops of 24 x 24 of images of 32 x 32.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image.
    ///   - channels: 3 for colour images.
    public static func cifar10(classes: Int = 10, side: Int = 24, channels: Int = 3) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 4, of: "cifar10")
        var net = NetworkBuilder(name: "cifar10", input: Shape(channels: channels, height: side, width: side))
        // TensorFlow's alpha of 0.001 / 9 for each of 9 channels.
        func normalized(_ x: NetworkBuilder.Value) -> NetworkBuilder.Value {
            net.localResponseNormalization(x, size: 9, alpha: 0.001, beta: 0.75, bias: 1)
        }
        var x = net.relu(net.convolution(net.input, filters: 64, kernel: 5))
        x = normalized(net.maxPooling(x, kernel: 3, stride: 2, padding: .same))
        x = net.relu(net.convolution(x, filters: 64, kernel: 5))
        x = net.maxPooling(normalized(x), kernel: 3, stride: 2, padding: .same)
        x = net.relu(net.fullyConnected(x, units: 384))
        x = net.relu(net.fullyConnected(x, units: 192))
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }
}
