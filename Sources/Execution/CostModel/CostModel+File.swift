extension CostModel {
    /// The rates of this machine from a file, or measured now and kept there.
    ///
    /// - Parameters:
    ///   - path: of the file; nil measures and keeps nothing.
    ///   - warn: gets a line where the file cannot be read or written.
    ///   - willMeasure: called before up to a minute is spent on measuring.
    public static func ofThisMachine(
        for purpose: Purpose, pool: ThreadPool, path: String?, warn: (String) -> Void = { _ in },
        willMeasure: () -> Void = {}
    ) -> CostModel {
        kept(for: purpose, threads: pool.threadCount, path: path, warn: warn) {
            willMeasure()
            return calibrated(for: purpose, pool: pool)
        }
    }

    /// The rates of a file, or those that are measured where it has none, which it keeps from then on.
    package static func kept(
        for purpose: Purpose, threads: Int, path: String?, warn: (String) -> Void, measure: () -> CostModel
    ) -> CostModel {
        let group = "\(purpose.rawValue): \(MachineFiles.group(threads: threads))"
        let file = path.map { MachineFile<[Double]>(path: $0, format: "gossamer rates 1") }
        if let rates = file?.values(of: group, warn: warn), !rates.isEmpty,
            rates.values.allSatisfy({ $0.allSatisfy { $0 >= 0 && $0.isFinite } }) {
            return CostModel(rates: rates)
        }
        let model = measure()
        file?.add(model.rates, to: group, warn: warn)
        return model
    }
}
