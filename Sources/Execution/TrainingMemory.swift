import GossamerTensors

/// Places the activations, gradients and scratch of a training step into one arena, by the times of its schedule.
struct TrainingMemory {
    let count: Int
    let workspacePitch: Int
    let schedule: TrainingSchedule
    private let offsets: [Int]
    /// In the forward pass, and from where the backward pass finds them; two buffers only for values that are
    /// computed again. By value; only roots have buffers.
    private let firstBuffers: [Int?]
    private let valueBuffers: [Int?]
    private let gradientBuffers: [Int?]
    private let scratchBuffers: [Scratch]
    private let lowered: TrainingLowering

    private struct Scratch {
        let first: Int
        let firstSaved: Int
        var again: Int
        var saved: Int
        var backward = 0
    }

    /// - Parameter cuts: see ``TrainingSchedule``.
    init(_ lowered: TrainingLowering, capacity: Int, cuts: [Int] = []) {
        self.lowered = lowered
        let operations = lowered.operations
        let end = operations.count
        let schedule = TrainingSchedule(lowered, cuts: cuts)
        var planner = MemoryPlanner()
        let placements = lowered.lowering.placements
        // A buffer is alive from the first step that writes a part of it to the last that reads one.
        var first = [Int?](repeating: nil, count: placements.count), values = first, gradients = first
        func extend(_ buffers: inout [Int?], _ value: Int, to step: Int) {
            let root = placements[value].root
            if buffers[root] == nil {
                buffers[root] = planner.add(count: placements[root].layout.count(images: capacity), at: step)
            }
            planner.extend(buffers[root]!, to: step)
        }
        func extendFirst(_ value: Int, to step: Int) {
            if schedule.isComputedAgain[placements[value].root] {
                extend(&first, value, to: step)
            } else {
                extend(&values, value, to: step)
            }
        }
        extendFirst(0, to: 0)
        var scratch: [Scratch] = []
        for (index, operation) in operations.enumerated() {
            for value in [operation.output] + operation.inputs { extendFirst(value, to: index) }
            let buffer = planner.add(count: operation.needs.forwardScratch, at: index)
            let saved = planner.add(count: operation.needs.saved, at: index)
            scratch.append(Scratch(first: buffer, firstSaved: saved, again: buffer, saved: saved))
        }
        // The loss reads the outputs and writes their gradients.
        for output in lowered.lowering.list.outputValues {
            extendFirst(output, to: end)
            if lowered.needsGradient[output] { extend(&gradients, output, to: end) }
        }
        for (position, entry) in schedule.backward.enumerated() {
            let time = end + 1 + position
            switch entry {
            case .forwardAgain(let index):
                let operation = operations[index]
                for value in [operation.output] + operation.inputs { extend(&values, value, to: time) }
                scratch[index].again = planner.add(count: operation.needs.forwardScratch, at: time)
                scratch[index].saved = planner.add(count: operation.needs.saved, at: time)
            case .backward(let index):
                let operation = operations[index], needs = operation.needs
                scratch[index].backward = planner.add(count: needs.backwardScratch, at: time)
                guard lowered.needsGradient[operation.output] else { continue }
                planner.extend(scratch[index].saved, to: time)
                extend(&gradients, operation.output, to: time)
                if needs.keepsOutput { extend(&values, operation.output, to: time) }
                for input in operation.inputs {
                    if needs.keepsInputs { extend(&values, input, to: time) }
                    if lowered.needsGradient[input] { extend(&gradients, input, to: time) }
                }
            }
        }
        (offsets, count) = planner.place()
        self.schedule = schedule
        firstBuffers = first
        valueBuffers = values
        gradientBuffers = gradients
        scratchBuffers = scratch
        workspacePitch = (operations.map(\.needs.workspace).max()! + 15) / 16 * 16
    }
}

extension TrainingMemory {
    /// Where the backward pass, and the forward pass of a value that is computed once, find it.
    func value(_ value: Int, base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        let placement = lowered.lowering.placements[value]
        return base + offsets[valueBuffers[placement.root]!] + placement.offset
    }

    private func firstValue(_ value: Int, base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        let placement = lowered.lowering.placements[value]
        guard let buffer = firstBuffers[placement.root] else { return self.value(value, base: base) }
        return base + offsets[buffer] + placement.offset
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
                    forwardScratch: base + offsets[scratch.again],
                    backwardScratch: base + offsets[scratch.backward], saved: base + offsets[scratch.saved]))
        }
        return memories.reversed()
    }

    /// The buffers of every operation in the first forward pass.
    func resolveFirst(base: UnsafeMutablePointer<Float>, _ memories: [OperationMemory]) -> [OperationMemory] {
        zip(memories, zip(lowered.operations, scratchBuffers)).map { memory, rest in
            let (operation, scratch) = rest
            var memory = memory
            memory.inputs = operation.inputs.map { firstValue($0, base: base) }
            memory.output = firstValue(operation.output, base: base)
            memory.forwardScratch = base + offsets[scratch.first]
            memory.saved = base + offsets[scratch.firstSaved]
            return memory
        }
    }
}
