import GossamerNetworks

/// Puts the taps of dilated kernels as far apart as they lie on the image, with zeros between, so that every
/// convolution kernel runs them. That costs multiply-adds with zeros: 25 for 9 where 3 x 3 taps are 2 apart.
struct KernelDilation: Sendable {
    private let kernel: Size
    private let extent: Size
    private let dilation: Size
    private let connections: Int

    init(_ geometry: WindowGeometry, connections: Int) {
        kernel = geometry.kernel
        extent = geometry.extent
        dilation = geometry.dilation
        self.connections = connections
    }

    func widen(_ weights: UnsafePointer<Float>, to wide: UnsafeMutablePointer<Float>) {
        wide.update(repeating: 0, count: connections * extent.height * extent.width)
        forEachTap { tap, place in wide[place] = weights[tap] }
    }

    /// Keeps the taps: the gradient of the weights from that of the wide ones.
    func narrow(_ wide: UnsafePointer<Float>, to weights: UnsafeMutablePointer<Float>) {
        forEachTap { tap, place in weights[tap] = wide[place] }
    }

    private func forEachTap(_ body: (_ tap: Int, _ place: Int) -> Void) {
        var tap = 0
        for connection in 0 ..< connections {
            for row in 0 ..< kernel.height {
                let start = (connection * extent.height + row * dilation.height) * extent.width
                for column in 0 ..< kernel.width {
                    body(tap, start + column * dilation.width)
                    tap += 1
                }
            }
        }
    }
}
