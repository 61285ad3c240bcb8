import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// A piece of work as counts; its time is taken to be a sum of them, each at a rate of its own.
///
/// A sum of counts that grow with the connections keeps predictions monotone in density.
struct WorkTerms: Hashable {
    /// What the rates depend on: kernels of one name behave alike on windows and images of one class.
    let kernel: String
    let window: String
    let size: Int
    let counts: [Double]

    /// Which rates apply: a name that the file of rates uses.
    var label: String { "\(kernel) / \(window) / \(size)" }

    /// A convolution's forward pass, or its backward pass, whose `kernel` names both rows.
    init(kernel: String, _ s: gsm_convolution, blocks: Int) {
        self.kernel = kernel
        window = s.windowClass
        size = Self.size(height: Int(s.output_height), width: Int(s.output_width), lanes: Int(s.lanes))
        let connections = Double(s.row_starts[Int(s.output_channels)])
        let images = Double(s.lanes) * Double(blocks)
        let multiplyAdds = connections * Double(s.liveTaps) * images
        let input = Double(s.input_channels) * Double(s.input_height * s.input_width) * images
        let output = Double(s.output_channels) * Double(s.output_height * s.output_width) * images
        let weights = connections * Double(s.kernel_height * s.kernel_width)
        let isDense = s.row_starts[Int(s.output_channels)] == s.output_channels * s.input_channels
        let sharing = isDense ? 0 : s.shared_outputs >= 4 ? 1 : 2
        counts = [1] + (0 ..< 3).map { $0 == sharing ? multiplyAdds : 0 } + [
            input, output, weights, max(0, input + output - Double(Self.cachedValues)),
        ]
    }

    /// A layer whose time is memory traffic.
    ///
    /// - Parameters:
    ///   - window, size: of a pooling.
    ///   - values: that are read and written.
    ///   - operations: such as the taps of a window, where they are more than that.
    init(kernel: String, window: String = "values", size: Int = 0, values: Int, operations: Int = 0) {
        self.kernel = kernel
        self.window = window
        self.size = size
        let values = Double(values)
        counts = [1, values, max(0, values - Double(Self.cachedValues)), Double(operations)]
    }

    /// Outputs of one size fill vectors alike.
    static func size(height: Int, width: Int, lanes: Int) -> Int {
        let sides = lanes == 1 ? [1, 8, 20, 64] : [1, 3, 8]
        return sides.firstIndex { max(height, width) <= $0 } ?? sides.count
    }

    /// What a core's own cache does not hold takes longer.
    private static let cachedValues = 1 << 18
}

extension gsm_convolution {
    /// Kernels of one class are run alike.
    fileprivate var windowClass: String {
        let area = kernel_height * kernel_width
        let coversImage = kernel_height == input_height && kernel_width == input_width
        if coversImage && output_height * output_width == 1 { return "full" }
        if input_channels <= 4 { return "few inputs" }
        if stride_height * stride_width > 1 { return area == 1 ? "1x1 strided" : "strided" }
        if area == 1 { return "1x1" }
        if min(kernel_height, kernel_width) == 1 { return "line" }
        return area == 9 ? "3x3" : "wide"
    }

    /// Pixels that the taps of one connection read inside the image, over all outputs.
    fileprivate var liveTaps: Int {
        func along(_ kernel: Int32, _ stride: Int32, _ padding: Int32, _ input: Int32, _ output: Int32) -> Int {
            (0 ..< kernel).reduce(0) { sum, tap in
                sum + (0 ..< output).count { (0 ..< input).contains($0 * stride + tap - padding) }
            }
        }
        return along(kernel_height, stride_height, padding_top, input_height, output_height)
            * along(kernel_width, stride_width, padding_left, input_width, output_width)
    }
}
