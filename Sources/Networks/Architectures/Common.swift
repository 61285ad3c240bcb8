import GossamerConnectivity

// What several architectures share.

extension Network {
    static func requireSide(_ side: Int, atLeast smallest: Int, of name: String) throws(NetworkError) {
        guard side >= smallest else {
            throw NetworkError(
                "network \(name) takes images of \(smallest) x \(smallest) and up, not \(side) x \(side)")
        }
    }
}

extension NetworkBuilder {
    /// A convolution without bias, batch normalisation and an activation, or none.
    mutating func normalizedConvolution(
        _ x: Value, filters: Int, kernel: Size, stride: Int = 1, padding: Padding = .same, pattern: Pattern? = nil,
        epsilon: Double = 1e-5, activation: Activation? = .relu
    ) -> Value {
        let y = convolution(
            x, filters: filters, kernel: kernel, stride: Size(stride), padding: padding, bias: false, pattern: pattern)
        let normalized = batchNormalization(y, epsilon: epsilon)
        return activation.map { self.activation(normalized, $0) } ?? normalized
    }
}

extension Padding {
    /// The same on all four sides.
    static func around(_ pixels: Int) -> Padding {
        .explicit(top: pixels, left: pixels, bottom: pixels, right: pixels)
    }
}
