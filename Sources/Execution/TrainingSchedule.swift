/// The order in which a training step runs a plan's operations.
///
/// Time runs through the forward pass 0 ..< n, the loss at n, and then the entries of `backward`. Without recomputation
/// these are the operations backwards. With it the operations are cut into segments: of each but the last only the
/// values that other segments read are kept, and the others are computed again, from the same bits to the same bits,
/// just before the segment's backward pass (Chen et al. 2016).
struct TrainingSchedule {
    enum Entry: Hashable {
        case forwardAgain(Int)
        case backward(Int)
    }

    let backward: [Entry]
    /// For each value's root, whether it lies in memory from the forward to the backward pass, or is computed again.
    let isComputedAgain: [Bool]
    /// For each operation.
    let runsAgain: [Bool]

    /// - Parameter cuts: the first operation of every segment but the first, ascending.
    init(_ lowered: TrainingLowering, cuts: [Int]) {
        let operations = lowered.operations
        let bounds = [0] + cuts + [operations.count]
        let segments = zip(bounds, bounds.dropFirst()).map { $0 ..< $1 }
        var isComputedAgain = Self.innerRoots(lowered, segments: segments)
        var runsAgain = [Bool](repeating: false, count: operations.count)
        let placements = lowered.lowering.placements
        // A value is wanted again by a backward pass that reads it, or to compute another one.
        var isWanted = [Bool](repeating: false, count: placements.count)
        for segment in segments.dropLast() {
            for index in segment where lowered.needsGradient[operations[index].output] {
                let operation = operations[index]
                if operation.needs.keepsOutput { isWanted[placements[operation.output].root] = true }
                if operation.needs.keepsInputs {
                    for input in operation.inputs { isWanted[placements[input].root] = true }
                }
                if operation.needs.saved > 0 { runsAgain[index] = true }
            }
            for index in segment.reversed() {
                let root = placements[operations[index].output].root
                if isWanted[root] && isComputedAgain[root] { runsAgain[index] = true }
                guard runsAgain[index] else { continue }
                for input in operations[index].inputs { isWanted[placements[input].root] = true }
            }
        }
        for root in placements.indices where !isWanted[root] { isComputedAgain[root] = false }
        backward = segments.reversed().flatMap { segment in
            segment.filter { runsAgain[$0] }.map(Entry.forwardAgain) + segment.reversed().map(Entry.backward)
        }
        self.isComputedAgain = isComputedAgain
        self.runsAgain = runsAgain
    }

    /// The roots that one segment, which is not the last, writes and reads alone.
    private static func innerRoots(_ lowered: TrainingLowering, segments: [Range<Int>]) -> [Bool] {
        let placements = lowered.lowering.placements
        let kept = segments.count - 1
        var owner = [Int?](repeating: nil, count: placements.count)
        func use(_ value: Int, in segment: Int) {
            let root = placements[value].root
            owner[root] = owner[root].map { $0 == segment ? $0 : kept } ?? segment
        }
        use(0, in: kept)
        for (number, segment) in segments.enumerated() {
            for index in segment {
                for value in lowered.operations[index].inputs + [lowered.operations[index].output] {
                    use(value, in: number)
                }
            }
        }
        for output in lowered.lowering.list.outputValues { use(output, in: kept) }
        return owner.map { $0 != nil && $0 != kept }
    }
}

extension TrainingMemory {
    /// The smallest of some ways to cut the operations into segments that are computed again.
    static func recomputing(_ lowered: TrainingLowering, capacity: Int) -> TrainingMemory {
        let positions = CutPositions(lowered, capacity: capacity)
        var best = TrainingMemory(lowered, capacity: capacity)
        for count in [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32] where count <= lowered.operations.count / 2 {
            let memory = TrainingMemory(lowered, capacity: capacity, cuts: positions.cuts(segments: count))
            if memory.count < best.count { best = memory }
        }
        return best
    }
}

/// Where a cut keeps little.
private struct CutPositions {
    /// Floats that the operations before each one write.
    private var before: [Int] = [0]
    /// Floats written before an operation and read by it or later ones.
    private var crossing: [Int]

    init(_ lowered: TrainingLowering, capacity: Int) {
        let operations = lowered.operations
        let placements = lowered.lowering.placements
        crossing = [Int](repeating: 0, count: operations.count + 1)
        var uses = [ClosedRange<Int>?](repeating: nil, count: placements.count)
        for (index, operation) in operations.enumerated() {
            before.append(before[index] + placements[operation.output].layout.count(images: capacity))
            for value in operation.inputs + [operation.output] where value != 0 {
                let root = placements[value].root
                uses[root] = uses[root].map { $0.lowerBound ... index } ?? index ... index
            }
        }
        for (root, range) in uses.enumerated() {
            guard let range else { continue }
            let count = placements[root].layout.count(images: capacity)
            for index in range.dropFirst() { crossing[index] += count }
        }
    }

    /// Cuts near equal shares of all values, each where least crosses.
    func cuts(segments: Int) -> [Int] {
        let total = before.last!
        var cuts: [Int] = []
        for number in 1 ..< segments {
            let near = (3 * number - 1) * total / (3 * segments) ... (3 * number + 1) * total / (3 * segments)
            let candidates = (1 ..< before.count - 1).filter { near.contains(before[$0]) && $0 > cuts.last ?? 0 }
            guard let cut = candidates.min(by: { crossing[$0] < crossing[$1] }) else { continue }
            cuts.append(cut)
        }
        return cuts
    }
}
