/// Which kernels of weights that were made elsewhere are connections that do not exist.
package enum ZeroKernels {
    /// A layer loses connections where at least one kernel of so many is zero.
    private static let smallestSparseShare = 20

    /// For each kernel whether all of it is zero; nil where so few are that the layer is faster, and its file smaller,
    /// with all its connections.
    ///
    /// - Parameter area: values in a kernel.
    package static func find(in values: [Float], area: Int) -> [Bool]? {
        let isZero = values.withUnsafeBufferPointer { buffer in
            (0 ..< buffer.count / area).map { kernel in
                for tap in kernel * area ..< (kernel + 1) * area where buffer[tap] != 0 { return false }
                return true
            }
        }
        return isZero.count { $0 } * smallestSparseShare >= isZero.count ? isZero : nil
    }
}
