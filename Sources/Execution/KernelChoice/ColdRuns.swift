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

    /// - Parameter input: is in the cache when the run begins, as far as it fits.
    func duration(
        reading input: UnsafePointer<Float>? = nil, count: Int = 0, _ body: () -> Void
    ) -> Duration {
        empty()
        if let input { _ = UnsafeBufferPointer(start: input, count: count).reduce(0, +) }
        let begin = ContinuousClock.now
        body()
        return ContinuousClock.now - begin
    }

    /// Of the fastest of a few runs: other programs only ever make one slower.
    func bestMilliseconds(within patience: Duration, _ body: () -> Void) -> Double {
        body()
        return TrialRounds.timingAll(patience: patience).shortest(of: 1) { _ in duration(body) }[0] / .milliseconds(1)
    }

    private func empty() {
        let filler = filler.pointer
        pool.run(pool.threadCount) { unit, _ in
            (filler + unit * Self.fillerCount).update(repeating: Float(unit), count: Self.fillerCount)
        }
    }
}
