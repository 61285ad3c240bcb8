import GossamerNetworks
import GossamerTensors

/// The window of a Conv or a pooling as the node's attributes describe it.
struct Window {
    let kernel: Size
    let stride: Size
    let dilation: Size
    /// Rows and columns added around the image.
    private(set) var edges: Draft.Edges
    /// Rows and columns that rounding the output's size up adds beyond that.
    private(set) var excess = Size(0)

    /// - Parameter kernel: height and width; nil where an attribute says so.
    init(_ node: Onnx_NodeProto, kernel known: [Int]? = nil, input: Shape) throws(ImportError) {
        let kernel = node.integers("kernel_shape") ?? known ?? []
        let strides = node.integers("strides") ?? [1, 1]
        let dilations = node.integers("dilations") ?? [1, 1]
        guard kernel.count == 2, strides.count == 2, dilations.count == 2, known == nil || known == kernel else {
            throw ImportError("a window of two axes, of the size of its weights")
        }
        for size in kernel + strides + dilations where !(1 ... Draft.largestSize).contains(size) {
            throw ImportError("windows, strides and dilations from 1 to \(Draft.largestSize), found \(size)")
        }
        self.kernel = Size(height: kernel[0], width: kernel[1])
        stride = Size(height: strides[0], width: strides[1])
        dilation = Size(height: dilations[0], width: dilations[1])
        edges = Draft.Edges()
        let inputs = [input.height, input.width]
        var pads = [0, 0, 0, 0]
        switch node.text("auto_pad", default: "NOTSET") {
        case "NOTSET", "": pads = node.integers("pads") ?? pads
        case "VALID": break
        case "SAME_UPPER", "SAME_LOWER":
            for axis in 0 ..< 2 {
                let outputs = (inputs[axis] + strides[axis] - 1) / strides[axis]
                let reach = (kernel[axis] - 1) * dilations[axis] + 1
                let total = max(0, (outputs - 1) * strides[axis] + reach - inputs[axis])
                let small = total / 2
                let isUpper = node.text("auto_pad", default: "") == "SAME_UPPER"
                pads[axis] = isUpper ? small : total - small
                pads[axis + 2] = isUpper ? total - small : small
            }
        default: throw ImportError("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER")
        }
        guard pads.count == 4, pads.allSatisfy({ (0 ... Draft.largestSize).contains($0) }) else {
            throw ImportError("four pads of at least 0, found \(pads)")
        }
        edges = Draft.Edges(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
        guard node.integer("ceil_mode", default: 0) != 0 else { return }
        excess.height = Self.excess(
            input: input.height, before: edges.top, after: edges.bottom, kernel: kernel[0], stride: strides[0])
        excess.width = Self.excess(
            input: input.width, before: edges.left, after: edges.right, kernel: kernel[1], stride: strides[1])
    }

    /// The image's edges with what rounding up adds.
    var extendedEdges: Draft.Edges {
        var result = edges
        result.bottom += excess.height
        result.right += excess.width
        return result
    }

    /// What rounding the output's size up adds at the end; a window that would begin behind the image does not count.
    private static func excess(input: Int, before: Int, after: Int, kernel: Int, stride: Int) -> Int {
        let room = input + before + after - kernel
        guard room >= 0, room % stride != 0 else { return 0 }
        let outputs = room / stride + 2
        guard (outputs - 1) * stride < input + before else { return 0 }
        return stride - room % stride
    }
}
