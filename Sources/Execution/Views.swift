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
