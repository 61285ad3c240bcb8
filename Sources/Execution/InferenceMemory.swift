import GossamerTensors

/// Places the activations of inference into one arena.
struct InferenceMemory {
    let count: Int
    private let offsets: [Int]
    /// By value; only roots have buffers.
    private let buffers: [Int?]
    private let placements: [ValuePlacement]

    init(_ lowering: Lowering, capacity: Int) {
        let placements = lowering.placements
        var planner = MemoryPlanner()
        // A buffer is alive from the first step that writes a part of it to the last that reads one.
        var buffers = [Int?](repeating: nil, count: placements.count)
        func extend(_ value: Int, to step: Int) {
            let root = placements[value].root
            if buffers[root] == nil {
                buffers[root] = planner.add(count: placements[root].layout.count(images: capacity), at: step)
            }
            planner.extend(buffers[root]!, to: step)
        }
        extend(0, to: 0)
        for (index, step) in lowering.list.steps.enumerated() {
            for value in step.reads + [step.output] { extend(value, to: index) }
        }
        extend(lowering.list.outputValue, to: lowering.list.steps.count)
        (offsets, count) = planner.place()
        self.buffers = buffers
        self.placements = placements
    }

    /// Where a value starts, in floats.
    func offset(of value: Int) -> Int { offsets[buffers[placements[value].root]!] + placements[value].offset }
}
