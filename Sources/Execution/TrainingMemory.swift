import GossamerTensors

/// Places the activations, gradients and scratch of a training step into one arena.
///
/// Time runs through the forward steps 0 ..< n, the loss at n, and back: operation i's backward pass is at 2n - i.
struct TrainingMemory {
    let count: Int
    let workspacePitch: Int
    private let offsets: [Int]
    private let valueBuffers: [Int]
    /// nil where no gradient is wanted.
    private let gradientBuffers: [Int?]
    private let scratchBuffers: [(forward: Int, backward: Int, saved: Int)]
    private let lowered: TrainingLowering

    /// - Parameter outputs: the values that the loss reads.
    init(_ lowered: TrainingLowering, outputs: [Int], capacity: Int) {
        self.lowered = lowered
        let operations = lowered.operations
        let end = operations.count
        var planner = MemoryPlanner()
        let counts = lowered.lowering.layouts.map { $0.count(images: capacity) }
        // Value v is written by operation v - 1, value 0 before the first.
        let values = counts.indices.map { planner.add(count: counts[$0], at: max(0, $0 - 1)) }
        let gradients = counts.indices.map { value in
            lowered.needsGradient[value] ? planner.add(count: counts[value], at: 2 * end - (value - 1)) : nil
        }
        var scratch: [(forward: Int, backward: Int, saved: Int)] = []
        for (index, operation) in operations.enumerated() {
            let needs = operation.needs
            let back = 2 * end - index
            planner.extend(values[operation.output], to: needs.keepsOutput ? back : index)
            for input in operation.inputs {
                planner.extend(values[input], to: needs.keepsInputs ? back : index)
                if let gradient = gradients[input] { planner.extend(gradient, to: back) }
            }
            let saved = planner.add(count: needs.saved, at: index)
            planner.extend(saved, to: back)
            scratch.append((planner.add(count: needs.forwardScratch, at: index),
                            planner.add(count: needs.backwardScratch, at: back), saved))
        }
        // The loss reads the outputs and writes their gradients.
        for output in outputs {
            planner.extend(values[output], to: end)
            if let gradient = gradients[output] { planner.extend(gradient, to: end) }
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
        base + offsets[valueBuffers[value]]
    }

    func gradient(_ value: Int, base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float>? {
        gradientBuffers[value].map { base + offsets[$0] }
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
