import CGossamerKernels
import GossamerTensors

/// A tensor in the blocked layout with arbitrary pitches. Gaps between rows and channels hold a sentinel that no kernel
/// may touch; what idle lanes hold depends on the tensor's role.
final class Blocks {
    enum Role {
        case activation  // idle lanes hold finite garbage
        case gradient  // idle lanes hold zeros
    }

    static let sentinel: Float = -12_345.5

    let shape: Shape
    let lanes: Int
    let images: Int
    let blockCount: Int
    let rowPitch: Int
    let channelPitch: Int
    let blockPitch: Int
    let buffer: AlignedBuffer<Float>

    init(shape: Shape, lanes: Int, images: Int, role: Role, generator: inout SeededGenerator) {
        self.shape = shape
        self.lanes = lanes
        self.images = images
        blockCount = (images + lanes - 1) / lanes
        rowPitch = (shape.width + generator.index(below: 3)) * lanes
        channelPitch = shape.height * rowPitch + generator.index(below: 2) * lanes
        blockPitch = (shape.channels * channelPitch + 15) / 16 * 16
        buffer = AlignedBuffer(count: blockCount * blockPitch)
        for i in 0 ..< buffer.count { buffer[i] = Self.sentinel }
        for image in 0 ..< blockCount * lanes {
            for offset in offsets(image: image) {
                let value = generator.uniform() * 4 - 2
                buffer[offset] = image >= images && role == .gradient ? 0 : value
            }
        }
    }

    func offset(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Int {
        image / lanes * blockPitch + channel * channelPitch + row * rowPitch + column * lanes + image % lanes
    }

    /// Of one image's values, in [channel][row][column] order; idle lanes count as images too.
    func offsets(image: Int) -> [Int] {
        (0 ..< shape.channels).flatMap { channel in
            (0 ..< shape.height).flatMap { row in
                (0 ..< shape.width).map { offset(image, channel, row, $0) }
            }
        }
    }

    func values(image: Int) -> [Double] { offsets(image: image).map { Double(buffer[$0]) } }

    /// Live images, in [image][channel][row][column] order.
    var values: [Double] { (0 ..< images).flatMap { values(image: $0) } }
    private var idleValues: [Double] { (images ..< blockCount * lanes).flatMap { values(image: $0) } }
    var idleLanesAreFinite: Bool { idleValues.allSatisfy(\.isFinite) }
    var idleLanesAreZero: Bool { idleValues.allSatisfy { $0 == 0 } }

    subscript(image: Int, channel: Int, row: Int, column: Int) -> Double {
        get { Double(buffer[offset(image, channel, row, column)]) }
        set { buffer[offset(image, channel, row, column)] = Float(newValue) }
    }

    var gapsAreUntouched: Bool {
        var isGap = [Bool](repeating: true, count: buffer.count)
        for image in 0 ..< blockCount * lanes { for offset in offsets(image: image) { isGap[offset] = false } }
        return isGap.indices.allSatisfy { !isGap[$0] || buffer[$0] == Self.sentinel }
    }

    var bits: [UInt32] { (0 ..< buffer.count).map { buffer[$0].bitPattern } }

    func view(channel: Int = 0, block: Int = 0, row: Int = 0) -> gsm_view {
        gsm_view(
            data: buffer.pointer + block * blockPitch + channel * channelPitch + row * rowPitch,
            row_pitch: Int64(rowPitch), channel_pitch: Int64(channelPitch), block_pitch: Int64(blockPitch))
    }

    func extent(channels: Int? = nil, blocks: Int? = nil) -> gsm_extent {
        gsm_extent(
            lanes: Int32(lanes), blocks: Int32(blocks ?? blockCount), channels: Int32(channels ?? shape.channels),
            height: Int32(shape.height), width: Int32(shape.width))
    }

    /// Calls `body` for ranges of rows that together make up the tensor, as threads would.
    func forRowRanges(_ generator: inout SeededGenerator, _ body: (Int, gsm_extent) -> Void) {
        var first = 0
        while first < shape.height {
            let count = 1 + generator.index(below: shape.height - first)
            var part = extent()
            part.height = Int32(count)
            body(first, part)
            first += count
        }
    }

    /// Calls `body` for ranges of channels that together make up the tensor, as threads would.
    func forChannelRanges(_ generator: inout SeededGenerator, _ body: (Int, gsm_extent) -> Void) {
        var first = 0
        while first < shape.channels {
            let count = 1 + generator.index(below: shape.channels - first)
            body(first, extent(channels: count))
            first += count
        }
    }
}
