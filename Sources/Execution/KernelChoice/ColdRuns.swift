import GossamerTensors

/// Times work as it runs in a network: its input was written a moment ago, its weights were last used an image ago and
/// have left the core's own cache.
struct ColdRuns: ~Copyable {
    private let pool: ThreadPool
    /// More than a core's own cache, for each thread.
    private let filler: AlignedBuffer<Float>
    private static let fillerCount = 1 << 20

    init(pool: ThreadPool) {
        self.pool = pool
        filler = AlignedBuffer(count: Self.fillerCount * pool.threadCount)
    }

    /// Of the fastest of a few runs: other programs only ever make one slower.
    ///
    /// - Parameter input: is in the cache when a run begins, as far as it fits.
    func bestMilliseconds(
        within patience: Duration, reading input: UnsafePointer<Float>? = nil, count: Int = 0, _ body: () -> Void
    ) -> Double {
        body()
        var best = Duration.seconds(1_000_000), spent = Duration.zero
        for run in 0 ..< 20 where run < 3 || spent < patience {
            empty()
            if let input { _ = UnsafeBufferPointer(start: input, count: count).reduce(0, +) }
            let begin = ContinuousClock.now
            body()
            let duration = ContinuousClock.now - begin
            best = min(best, duration)
            spent += duration
        }
        return best / .milliseconds(1)
    }

    private func empty() {
        let filler = filler.pointer
        pool.run(pool.threadCount) { unit, _ in
            (filler + unit * Self.fillerCount).update(repeating: Float(unit), count: Self.fillerCount)
        }
    }
}
