import GossamerTensors

/// Places the activations, gradients and scratch of a training step into one arena.
///
/// Time runs through the forward steps 0 ..< n, the loss at n, and back: operation i's backward pass is at 2n - i.
struct TrainingMemory {
    let count: Int
    let workspacePitch: Int
    private let offsets: [Int]
    /// By value; only roots have buffers.
    private let valueBuffers: [Int?]
    private let gradientBuffers: [Int?]
    private let scratchBuffers: [(forward: Int, backward: Int, saved: Int)]
    private let lowered: TrainingLowering

    init(_ lowered: TrainingLowering, capacity: Int) {
        self.lowered = lowered
        let operations = lowered.operations
        let end = operations.count
        var planner = MemoryPlanner()
        let placements = lowered.lowering.placements
        // A buffer is alive from the first step that writes a part of it to the last that reads one.
        var values = [Int?](repeating: nil, count: placements.count), gradients = values
        func extend(_ buffers: inout [Int?], _ value: Int, to step: Int) {
            let root = placements[value].root
            if buffers[root] == nil {
                buffers[root] = planner.add(count: placements[root].layout.count(images: capacity), at: step)
            }
            planner.extend(buffers[root]!, to: step)
        }
        extend(&values, 0, to: 0)
        var scratch: [(forward: Int, backward: Int, saved: Int)] = []
        for (index, operation) in operations.enumerated() {
            let needs = operation.needs
            let back = 2 * end - index
            for step in needs.keepsOutput ? [index, back] : [index] { extend(&values, operation.output, to: step) }
            if lowered.needsGradient[operation.output] { extend(&gradients, operation.output, to: back) }
            for input in operation.inputs {
                extend(&values, input, to: needs.keepsInputs ? back : index)
                if lowered.needsGradient[input] { extend(&gradients, input, to: back) }
            }
            let saved = planner.add(count: needs.saved, at: index)
            planner.extend(saved, to: back)
            scratch.append((planner.add(count: needs.forwardScratch, at: index),
                            planner.add(count: needs.backwardScratch, at: back), saved))
        }
        // The loss reads the outputs and writes their gradients.
        for output in lowered.lowering.list.outputValues {
            extend(&values, output, to: end)
            if lowered.needsGradient[output] { extend(&gradients, output, to: end) }
        }
        (offsets, count) = planner.place()
        valueBuffers = values
        gradientBuffers = gradients
        scratchBuffers = scratch
        workspacePitch = (operations.map(\.needs.workspace).max()! + 15) / 16 * 16
    }
}

extension TrainingMemory {
    func value(_ value: Int, base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        let placement = lowered.lowering.placements[value]
        return base + offsets[valueBuffers[placement.root]!] + placement.offset
    }

    func gradient(_ value: Int, base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float>? {
        guard lowered.needsGradient[value] else { return nil }
        let placement = lowered.lowering.placements[value]
        return base + offsets[gradientBuffers[placement.root]!] + placement.offset
    }

    /// The buffers of every operation as pointers into the arena.
    func resolve(base: UnsafeMutablePointer<Float>) -> [OperationMemory] {
        // In a backward pass the first reader to write a value's gradient overwrites, the others add.
        var isWritten = [Bool](repeating: false, count: valueBuffers.count)
        var memories: [OperationMemory] = []
        for (operation, scratch) in zip(lowered.operations, scratchBuffers).reversed() {
            var inputGradients: [OperationMemory.InputGradient?] = []
            for input in operation.inputs {
                let target = gradient(input, base: base)
                inputGradients.append(target.map { .init(pointer: $0, accumulates: isWritten[input]) })
                isWritten[input] = true
            }
            memories.append(
                OperationMemory(
                    inputs: operation.inputs.map { value($0, base: base) },
                    output: value(operation.output, base: base),
                    outputGradient: gradient(operation.output, base: base), inputGradients: inputGradients,
                    forwardScratch: base + offsets[scratch.forward],
                    backwardScratch: base + offsets[scratch.backward], saved: base + offsets[scratch.saved]))
        }
        return memories.reversed()
    }
}
