/// Places buffers of known lifetimes into one arena, so that those never alive together share memory.
package struct MemoryPlanner {
    /// A buffer, alive from step `first` to step `last`, both included.
    private struct Request {
        let count: Int
        var first: Int
        var last: Int
    }

    private var requests: [Request] = []

    package init() {}

    /// - Parameters:
    ///   - count: floats; rounded up to a cache line.
    ///   - step: when the buffer is first written.
    /// - Returns: the buffer's number.
    package mutating func add(count: Int, at step: Int) -> Int {
        requests.append(Request(count: (count + 15) / 16 * 16, first: step, last: step))
        return requests.count - 1
    }

    /// Makes the buffer alive at `step` too.
    package mutating func extend(_ buffer: Int, to step: Int) {
        requests[buffer].first = min(requests[buffer].first, step)
        requests[buffer].last = max(requests[buffer].last, step)
    }

    /// Offsets in floats by buffer, and the arena's size: largest first, each at the lowest place that is free.
    package func place() -> (offsets: [Int], count: Int) {
        var offsets = [Int](repeating: 0, count: requests.count)
        var placed: [Int] = []
        var end = 0
        let order = requests.indices.sorted { (requests[$0].count, $1) > (requests[$1].count, $0) }
        for buffer in order {
            let request = requests[buffer]
            let neighbours = placed
                .filter { requests[$0].first <= request.last && requests[$0].last >= request.first }
                .sorted { offsets[$0] < offsets[$1] }
            var offset = 0
            for neighbour in neighbours {
                if offsets[neighbour] >= offset + request.count { break }
                offset = max(offset, offsets[neighbour] + requests[neighbour].count)
            }
            offsets[buffer] = offset
            end = max(end, offset + request.count)
            placed.append(buffer)
        }
        return (offsets, end)
    }
}
