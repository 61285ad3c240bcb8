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
    /// A convolution without bias, batch normalisation and ReLU.
    mutating func normalizedConvolution(
        _ x: Value, filters: Int, kernel: Size, stride: Int = 1, padding: Padding = .same, epsilon: Double = 1e-5
    ) -> Value {
        let y = convolution(
            x, filters: filters, kernel: kernel, stride: Size(stride), padding: padding, bias: false)
        return relu(batchNormalization(y, epsilon: epsilon))
    }
}

extension Padding {
    /// The same on all four sides.
    static func around(_ pixels: Int) -> Padding {
        .explicit(top: pixels, left: pixels, bottom: pixels, right: pixels)
    }
}
