import CGossamerKernels
import GossamerTensors

let operations = [GSM_CONVOLUTION_FORWARD, GSM_CONVOLUTION_INPUT_GRADIENT, GSM_CONVOLUTION_WEIGHT_GRADIENT]

/// Ways to spread a call's units; all must give the same bits.
enum Order: CaseIterable {
    case together, oneByOne, reversed
}

func allKernels() -> [UnsafePointer<gsm_convolution_kernel>] {
    var count = 0
    let kernels = gsm_convolution_kernels(&count)!
    return (0 ..< count).map { kernels[$0]! }
}

/// The rows that this machine runs and that take the problem.
func forEachKernel(
    _ operation: gsm_operation, _ problem: ConvolutionProblem,
    _ body: (UnsafePointer<gsm_convolution_kernel>, String) -> Void
) {
    for kernel in allKernels() where kernel.pointee.operation == operation {
        let lanes = kernel.pointee.lanes
        guard lanes == 0 || lanes == problem.shape.lanes, gsm_isa_supported(kernel.pointee.isa),
            kernel.pointee.declines(&problem.shape) == nil
        else { continue }
        body(kernel, String(cString: kernel.pointee.name))
    }
}

/// One call of `kernel`; `target` names where the result goes.
func run(
    _ kernel: UnsafePointer<gsm_convolution_kernel>, _ problem: ConvolutionProblem, _ order: Order,
    target: (inout gsm_convolution_call) -> Void
) {
    let row = kernel.pointee, drawn = problem.drawn
    let packed = AlignedBuffer<Float>(count: row.packed_count(&problem.shape))
    row.pack(&problem.shape, problem.weights.pointer, packed.pointer)
    let workspace = AlignedBuffer<Float>(count: row.workspace_count(&problem.shape))
    for index in 0 ..< workspace.count { workspace[index] = .nan }
    withUnsafePointer(to: &problem.shape) { shape in
        var call = gsm_convolution_call()
        call.shape = shape
        call.block_count = Int32(drawn.blocks)
        call.accumulate = drawn.accumulates
        call.bounds = drawn.bounds
        call.input = UnsafePointer(problem.input.values.pointer)
        call.output_gradient = UnsafePointer(problem.output.values.pointer)
        call.bias = drawn.hasBias ? UnsafePointer(problem.bias.pointer) : nil
        call.addend = drawn.hasAddend ? UnsafePointer(problem.addend.values.pointer) : nil
        call.weights = UnsafePointer(problem.weights.pointer)
        call.packed = packed.count > 0 ? UnsafePointer(packed.pointer) : nil
        target(&call)
        let units = row.unit_count(&call)
        switch order {
        case .together: row.run(&call, 0, units, workspace.pointer)
        case .oneByOne: for unit in 0 ..< units { row.run(&call, unit, unit + 1, workspace.pointer) }
        case .reversed: for unit in (0 ..< units).reversed() { row.run(&call, unit, unit + 1, workspace.pointer) }
        }
    }
}
