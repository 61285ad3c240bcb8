import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// The element kernels of this machine.
struct ElementKernels: @unchecked Sendable {
    static let best = ElementKernels(table: gsm_elements())
    let table: UnsafePointer<gsm_element_kernels>
}

/// Shorthand for the kernel table's entries.
var elements: gsm_element_kernels { ElementKernels.best.table.pointee }

extension ActivationLayout {
    /// Part of a buffer with this layout, as the element kernels take it.
    func view(_ data: UnsafeMutablePointer<Float>, block: Int = 0, channel: Int = 0) -> gsm_view {
        gsm_view(
            data: data + block * blockPitch + channel * channelPitch, row_pitch: Int64(rowPitch),
            channel_pitch: Int64(channelPitch), block_pitch: Int64(blockPitch))
    }

    func extent(blocks: Int = 1, channels: Int) -> gsm_extent {
        gsm_extent(
            lanes: Int32(lanes), blocks: Int32(blocks), channels: Int32(channels), height: Int32(shape.height),
            width: Int32(shape.width))
    }
}

extension gsm_bounds {
    static var none: gsm_bounds { gsm_bounds(low: -.infinity, high: .infinity) }

    /// Whether they change anything.
    var apply: Bool { low > -.infinity || high < .infinity }
}

extension gsm_activation {
    /// - Returns: nil for activations that are bounds.
    init?(_ activation: Activation) {
        switch activation {
        case .sigmoid: self.init(kind: GSM_SIGMOID, slope: 0)
        case .hardSigmoid: self.init(kind: GSM_HARD_SIGMOID, slope: 0)
        case .swish: self.init(kind: GSM_SWISH, slope: 0)
        case .hardSwish: self.init(kind: GSM_HARD_SWISH, slope: 0)
        case .leakyReLU(let slope): self.init(kind: GSM_LEAKY_RELU, slope: Float(slope))
        case .relu, .relu6, .clip: return nil
        }
    }
}

extension gsm_pooling {
    init(_ geometry: WindowGeometry, countsPadding: Bool) {
        self.init(
            kernel_height: Int32(geometry.kernel.height), kernel_width: Int32(geometry.kernel.width),
            stride_height: Int32(geometry.stride.height), stride_width: Int32(geometry.stride.width),
            padding_top: Int32(geometry.paddingTop), padding_left: Int32(geometry.paddingLeft),
            input_height: Int32(geometry.input.height), input_width: Int32(geometry.input.width),
            output_height: Int32(geometry.output.height), output_width: Int32(geometry.output.width),
            count_padding: countsPadding)
    }
}
