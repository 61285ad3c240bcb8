import GossamerTensors

/// Where a sliding window lies on its input: the sizes that shape inference, cost and kernels share.
public struct WindowGeometry: Hashable, Sendable {
    public let kernel: Size
    public let stride: Size
    /// The distance of the kernel's taps.
    public let dilation: Size
    public let paddingTop: Int
    public let paddingLeft: Int
    public let input: Size
    public let output: Size

    /// - Returns: nil when the window does not fit on the padded input.
    public init?(kernel: Size, stride: Size, padding: Padding, dilation: Size = Size(1), input: Size) {
        guard dilation.height > 0, dilation.width > 0 else { return nil }
        let extent = Self.extent(kernel, dilation)
        guard
            let rows = Self.axis(
                input: input.height, kernel: extent.height, stride: stride.height, padding: padding.vertical),
            let columns = Self.axis(
                input: input.width, kernel: extent.width, stride: stride.width, padding: padding.horizontal)
        else { return nil }
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.input = input
        paddingTop = rows.before
        paddingLeft = columns.before
        output = Size(height: rows.output, width: columns.output)
    }

    /// What the window covers of the image: the kernel with the gaps between its taps.
    public var extent: Size { Self.extent(kernel, dilation) }

    private static func extent(_ kernel: Size, _ dilation: Size) -> Size {
        Size(height: (kernel.height - 1) * dilation.height + 1, width: (kernel.width - 1) * dilation.width + 1)
    }

    /// Whether every window covers at least one pixel; a pooling has no value for one that does not.
    var everyWindowMeetsTheImage: Bool {
        paddingTop < kernel.height && (output.height - 1) * stride.height - paddingTop < input.height
            && paddingLeft < kernel.width && (output.width - 1) * stride.width - paddingLeft < input.width
    }

    private static func axis(
        input: Int, kernel: Int, stride: Int, padding: Padding.Axis
    ) -> (output: Int, before: Int)? {
        guard kernel > 0, stride > 0, input > 0 else { return nil }
        switch padding {
        case .same:
            let output = (input + stride - 1) / stride
            return (output, max(0, (output - 1) * stride + kernel - input) / 2)
        case .fixed(let before, let after):
            let room = input + before + after - kernel
            guard before >= 0, after >= 0, room >= 0 else { return nil }
            return (room / stride + 1, before)
        }
    }
}

extension Padding {
    fileprivate enum Axis {
        case same
        case fixed(Int, Int)
    }

    fileprivate var vertical: Axis {
        switch self {
        case .same: .same
        case .valid: .fixed(0, 0)
        case .explicit(let top, _, let bottom, _): .fixed(top, bottom)
        }
    }

    fileprivate var horizontal: Axis {
        switch self {
        case .same: .same
        case .valid: .fixed(0, 0)
        case .explicit(_, let left, _, let right): .fixed(left, right)
        }
    }
}
