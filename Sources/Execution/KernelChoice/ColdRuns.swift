import GossamerTensors

/// Times work as it runs in a network: its input was written a moment ago, small outputs and workspaces lie where other
/// layers' lay, its weights were last used an image ago and have left the core's own cache.
struct ColdRuns: ~Copyable {
    private let pool: ThreadPool
    private let filler: AlignedBuffer<Float>
    private let largestByteCount: Int
    /// More than a core's own cache, for each thread.
    private static let smallestByteCount = 1 << 22

    /// - Parameter largestByteCount: the most that other work touches between two runs, for each thread; this much is
    ///   held.
    init(pool: ThreadPool, largestByteCount: Int = smallestByteCount) {
        self.pool = pool
        self.largestByteCount = largestByteCount
        filler = AlignedBuffer(count: largestByteCount / 4 * pool.threadCount)
        // What was never written is a single page of zeros.
        filler.pointer.update(repeating: 1, count: filler.count)
    }

    /// - Parameters:
    ///   - byteCount: what other work touches in between, 4 MB for each thread at least.
    ///   - values: are in the cache when the run begins, as far as they fit.
    func duration(
        after byteCount: Int = 0, warming values: [UnsafeBufferPointer<Float>] = [], _ body: () -> Void
    ) -> Duration {
        empty(max(Self.smallestByteCount, min(byteCount, largestByteCount)) / 4)
        for values in values where values.count > 0 {
            _ = elements.sum_of_squares(Int64(values.count), values.baseAddress!)
        }
        let begin = ContinuousClock.now
        body()
        return ContinuousClock.now - begin
    }

    /// Of the fastest of a few runs: other programs only ever make one slower.
    func bestMilliseconds(within patience: Duration, after byteCount: Int = 0, _ body: () -> Void) -> Double {
        body()
        let rounds = TrialRounds.timingAll(patience: patience)
        return rounds.shortest(of: 1) { _ in duration(after: byteCount, body) }[0] / .milliseconds(1)
    }

    /// Fills the caches with other values. They are read: what was written would have to leave the cache for what the
    /// run reads, which takes twice as long, and most of what a network touches are weights.
    private func empty(_ count: Int) {
        let filler = filler.pointer
        pool.run(pool.threadCount) { unit, _ in
            _ = elements.sum_of_squares(Int64(count), filler + unit * count)
        }
    }
}
