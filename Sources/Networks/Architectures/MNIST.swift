import GossamerTensors

extension Network {
    /// TensorFlow's MNIST tutorial network, used by the paper, with its hidden layer of 512 units written as a 7 x 7
    /// valid convolution so that its connections can be sparse too.
    ///
    /// - Parameters:
    ///   - classes: outputs of the classifier.
    ///   - side: height and width of the image; the third kernel covers what two poolings leave of it.
    ///   - channels: 1 for grey images.
    public static func mnist(classes: Int = 10, side: Int = 28, channels: Int = 1) throws(NetworkError) -> Network {
        try requireSide(side, atLeast: 4, of: "mnist")
        var net = NetworkBuilder(name: "mnist", input: Shape(channels: channels, height: side, width: side))
        var x = net.relu(net.convolution(net.input, filters: 32, kernel: 5))
        x = net.maxPooling(x, kernel: 2)
        x = net.relu(net.convolution(x, filters: 64, kernel: 5))
        x = net.maxPooling(x, kernel: 2)
        x = net.relu(net.convolution(x, filters: 512, kernel: side / 2 / 2, padding: .valid))
        x = net.dropout(x, rate: 0.5)
        _ = net.fullyConnected(x, units: classes)
        return try net.build()
    }
}
