import CGossamerKernels
import GossamerTensors

/// Random sparse convolutions of single images, of any geometry.
enum ConvolutionCase: CaseIterable {
    case general, usual, depthwise, pointwise, wholeImage
    /// 1 x 1, with groups of many outputs that read the same inputs.
    case pointwiseInGroups

    func draw(_ g: inout SeededGenerator) -> SingleImageProblem {
        var shape = gsm_convolution()
        let many = g.index(below: 6) == 0
        let inputChannels = 1 + g.index(below: many ? 200 : 40)
        let outputChannels = self == .pointwiseInGroups
            ? 32 * (1 + g.index(below: 3)) - g.index(below: 6) : 1 + g.index(below: 24)
        drawGeometry(small: many, &shape, &g)
        shape.input_channels = Int32(inputChannels)
        shape.output_channels = Int32(outputChannels)
        let density = [1, 0.5, 0.2, 0.05][g.index(below: 4)]
        var rows = (0 ..< outputChannels).map { _ in
            self == .depthwise
                ? [g.index(below: inputChannels)]
                : (0 ..< inputChannels).filter { _ in Double(g.uniform()) < density }
        }
        if self == .pointwiseInGroups {
            let size = [32, 64, outputChannels][g.index(below: 3)]
            for output in rows.indices { rows[output] = rows[output / size * size] }
        }
        return SingleImageProblem(shape, rows: rows, images: 1 + g.index(below: 3), &g)
    }

    private func drawGeometry(small: Bool, _ shape: inout gsm_convolution, _ g: inout SeededGenerator) {
        shape.lanes = 1
        let largest = self == .wholeImage || small ? 9 : self == .pointwiseInGroups ? 40 : 36
        shape.input_height = Int32(1 + g.index(below: largest))
        shape.input_width = Int32(1 + g.index(below: largest))
        let strided = g.index(below: 3) == 0 && self != .wholeImage
        shape.stride_height = Int32(1 + (strided ? g.index(below: 3) : 0))
        shape.stride_width = Int32(1 + (strided ? g.index(below: 3) : 0))
        switch self {
        case .pointwise, .pointwiseInGroups: (shape.kernel_height, shape.kernel_width) = (1, 1)
        case .wholeImage: (shape.kernel_height, shape.kernel_width) = (shape.input_height, shape.input_width)
        case .usual, .depthwise:
            let kernels: [(Int32, Int32)] = [(3, 3), (5, 5), (1, 7), (7, 1), (1, 3), (3, 1), (7, 7), (3, 3)]
            let kernel = kernels[g.index(below: self == .depthwise ? 2 : kernels.count)]
            (shape.kernel_height, shape.kernel_width) = kernel
            shape.stride_width = shape.stride_height
        case .general:
            let limit = g.index(below: 6) == 0 ? 16 : 7
            shape.kernel_height = Int32(1 + g.index(below: limit))
            shape.kernel_width = Int32(1 + g.index(below: limit))
        }
        let padded = self != .pointwise && self != .pointwiseInGroups && self != .wholeImage
        shape.padding_top = padded ? Int32(g.index(below: Int(shape.kernel_height))) : 0
        shape.padding_left = padded ? Int32(g.index(below: Int(shape.kernel_width))) : 0
        // Padding at the bottom and right is what makes the output as large as it is.
        let bottom = padded ? g.index(below: Int(shape.kernel_height)) : 0
        let right = padded ? g.index(below: Int(shape.kernel_width)) : 0
        let height = Int(shape.input_height + shape.padding_top - shape.kernel_height) + bottom
        let width = Int(shape.input_width + shape.padding_left - shape.kernel_width) + right
        shape.output_height = Int32(max(height, 0) / Int(shape.stride_height) + 1)
        shape.output_width = Int32(max(width, 0) / Int(shape.stride_width) + 1)
    }
}
