import CGossamerKernels
import GossamerNetworks
import GossamerTensors

/// Local response normalisation (Krizhevsky et al. 2012). The backward pass computes its divisors again.
struct ResponseNormalizationOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout
    let response: gsm_response

    init(
        name: String, inputs: [Int], output: Int, inputLayout: ActivationLayout, outputLayout: ActivationLayout,
        layer: LocalResponseNormalization
    ) {
        self.name = name
        self.inputs = inputs
        self.output = output
        self.inputLayout = inputLayout
        self.outputLayout = outputLayout
        response = gsm_response(
            size: Int32(layer.size), factor: Float(layer.alpha / Double(layer.size)), beta: Float(layer.beta),
            bias: Float(layer.bias))
    }

    var needs: OperationNeeds {
        OperationNeeds(
            keepsInputs: true,
            workspace: elements.response_workspace(Int32(outputLayout.shape.channels), response.size))
    }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachRowRange(outputLayout) { part, workspace in
            withUnsafePointer(to: response) {
                elements.response_normalize(
                    part.extent, $0, part.view(memory.inputs[0], inputLayout), part.view(memory.output, outputLayout),
                    workspace)
            }
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachRowRange(outputLayout) { part, workspace in
            withUnsafePointer(to: response) {
                elements.response_gradient(
                    part.extent, $0, part.view(memory.inputs[0], inputLayout),
                    part.view(outputGradient, outputLayout), part.view(target.pointer, inputLayout),
                    target.accumulates, workspace)
            }
        }
    }
}

/// Softmax over the channels of every pixel.
struct SoftmaxOperation: DifferentiableOperation {
    let name: String
    let inputs: [Int]
    let output: Int
    let inputLayout: ActivationLayout
    let outputLayout: ActivationLayout

    var needs: OperationNeeds { OperationNeeds(keepsOutput: true) }

    func forward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        pass.forEachRowRange(outputLayout) { part, _ in
            elements.softmax(
                part.extent, part.view(memory.inputs[0], inputLayout), part.view(memory.output, outputLayout))
        }
    }

    func backward(_ pass: borrowing Pass, _ memory: OperationMemory) {
        guard let outputGradient = memory.outputGradient, let target = memory.inputGradients[0] else { return }
        pass.forEachRowRange(outputLayout) { part, _ in
            elements.softmax_gradient(
                part.extent, part.view(memory.output, outputLayout), part.view(outputGradient, outputLayout),
                part.view(target.pointer, inputLayout), target.accumulates)
        }
    }
}

/// Some rows of all channels of one block.
struct RowRange {
    let block: Int
    let rows: Range<Int>
    /// Of all channels, and as high as there are rows.
    let extent: gsm_extent

    func view(_ data: UnsafeMutablePointer<Float>, _ layout: ActivationLayout) -> gsm_view {
        layout.view(data + rows.lowerBound * layout.rowPitch, block: block)
    }
}

extension Pass {
    /// Runs `body(part, workspace)` over the rows of all blocks in pieces worth a thread's attention, each with all
    /// channels; the workspace is the thread's.
    func forEachRowRange(
        _ layout: ActivationLayout, _ body: (_ part: RowRange, _ workspace: UnsafeMutablePointer<Float>) -> Void
    ) {
        let rows = layout.shape.height
        let perUnit = max(1, min(rows, 16384 / max(1, layout.rowPitch * layout.shape.channels)))
        let units = (rows + perUnit - 1) / perUnit
        let workspace = workspace, pitch = workspacePitch
        pool.run(blockCount * units) { unit, worker in
            let first = unit % units * perUnit
            let range = first ..< min(rows, first + perUnit)
            var extent = layout.extent(channels: layout.shape.channels)
            extent.height = Int32(range.count)
            body(RowRange(block: unit / units, rows: range, extent: extent), workspace + worker * pitch)
        }
    }
}
