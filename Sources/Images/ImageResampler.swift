import GossamerTensors

/// Cuts windows out of resized images, into buffers of its own.
///
/// Rows are resized first, then columns, with bytes in between, as Pillow does.
struct ImageResampler: ~Copyable {
    let interpolation: Preprocessing.Interpolation
    private var narrowed = ScratchBuffer<UInt8>()
    private var sums = ScratchBuffer<Int32>()
    private var columns = RememberedWeights()
    private var rows = RememberedWeights()

    init(interpolation: Preprocessing.Interpolation) { self.interpolation = interpolation }

    /// Writes the window of one channel as [row][column].
    ///
    /// - Parameters:
    ///   - plane: the channel of the whole image, with rows of `width` pixels.
    ///   - size: of the window.
    mutating func resample(
        _ plane: UnsafePointer<UInt8>, width: Int, window: ImageWindow, size: PixelSize,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        let part = plane + window.top * width + window.left
        if window.part == window.resized {
            for row in 0 ..< size.height {
                (target + row * size.width).update(
                    from: part + (window.windowTop + row) * width + window.windowLeft, count: size.width)
            }
            return
        }
        let columns = self.columns.weights(
            window.part.width, window.resized.width, window.windowLeft ..< window.windowLeft + size.width,
            interpolation)
        let rows = self.rows.weights(
            window.part.height, window.resized.height, window.windowTop ..< window.windowTop + size.height,
            interpolation)
        // Only rows that the window needs.
        let first = Int(rows.starts.min()!)
        let end = Int(rows.starts.max()!) + rows.weightsPerResult
        let between = narrowed.pointer(count: (end - first) * size.width)
        for row in first ..< end {
            Self.narrow(part + row * width, columns, into: between + (row - first) * size.width)
        }
        let sums = self.sums.pointer(count: size.width)
        for row in 0 ..< size.height {
            Self.combine(
                between + (Int(rows.starts[row]) - first) * size.width, width: size.width, rows, row: row, sums,
                into: target + row * size.width)
        }
    }

    /// One row: each result is a weighted sum of neighbours.
    private static func narrow(
        _ source: UnsafePointer<UInt8>, _ columns: borrowing ResamplingWeights,
        into target: UnsafeMutablePointer<UInt8>
    ) {
        let count = columns.weightsPerResult
        columns.starts.withUnsafeBufferPointer { starts in
            columns.weights.withUnsafeBufferPointer { weights in
                for column in 0 ..< starts.count {
                    let pixels = source + Int(starts[column])
                    let run = weights.baseAddress! + column * count
                    var sum = Int32(1) << (ResamplingWeights.precisionBits - 1)
                    for place in 0 ..< count { sum &+= Int32(pixels[place]) &* run[place] }
                    target[column] = byte(sum)
                }
            }
        }
    }

    /// One row of results from rows below each other.
    private static func combine(
        _ source: UnsafePointer<UInt8>, width: Int, _ rows: borrowing ResamplingWeights, row: Int,
        _ sums: UnsafeMutablePointer<Int32>, into target: UnsafeMutablePointer<UInt8>
    ) {
        sums.update(repeating: 1 << (ResamplingWeights.precisionBits - 1), count: width)
        for place in 0 ..< rows.weightsPerResult {
            let weight = rows.weights[row * rows.weightsPerResult + place]
            if weight == 0 { continue }
            let pixels = source + place * width
            for column in 0 ..< width { sums[column] &+= Int32(pixels[column]) &* weight }
        }
        for column in 0 ..< width { target[column] = byte(sums[column]) }
    }

    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(255, max(0, sum >> ResamplingWeights.precisionBits)))
    }
}

/// The weights of the last image, which the next one often needs again.
private struct RememberedWeights {
    private var key: [Int] = []
    private var weights: ResamplingWeights?

    mutating func weights(
        _ source: Int, _ target: Int, _ range: Range<Int>, _ interpolation: Preprocessing.Interpolation
    ) -> ResamplingWeights {
        let key = [source, target, range.lowerBound, range.upperBound]
        if let weights, self.key == key { return weights }
        let weights = ResamplingWeights(source: source, target: target, range: range, interpolation: interpolation)
        (self.key, self.weights) = (key, weights)
        return weights
    }
}

/// Memory that grows with what is asked of it.
struct ScratchBuffer<Element: BitwiseCopyable>: ~Copyable {
    private var buffer = AlignedBuffer<Element>(count: 0)

    /// At least `count` elements of any content; earlier pointers are not valid any more.
    mutating func pointer(count: Int) -> UnsafeMutablePointer<Element> {
        if buffer.count < count { buffer = AlignedBuffer(count: count) }
        return buffer.pointer
    }
}
