import CGossamerKernels
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// A convolution as the kernels see it: sizes, pitches and connection tables at fixed addresses. A dilated convolution
/// is to them one of wider kernels with zeros between the taps.
final class ConvolutionDescriptor: @unchecked Sendable {
    let pointer: UnsafePointer<gsm_convolution>
    /// Of the kernels as they are run.
    let weightCount: Int
    /// How the layer's own weights become those; nil where they are the same.
    let dilation: KernelDilation?
    let geometry: WindowGeometry
    let inputLayout: ActivationLayout
    private let shape: UnsafeMutablePointer<gsm_convolution>
    private let positions: AlignedBuffer<Int32>
    private let channels: AlignedBuffer<UInt16>

    /// - Parameter transposes: whether the gradient of the input will be asked for.
    init(
        geometry: WindowGeometry, table: ConnectionTable, input: ActivationLayout, output: ActivationLayout,
        transposes: Bool
    ) {
        self.geometry = geometry
        inputLayout = input
        let connections = table.count
        let rows = table.rowStarts.count
        let columns = table.inputCount + 1
        positions = AlignedBuffer(count: rows + (transposes ? columns + connections : 0))
        channels = AlignedBuffer(count: connections * (transposes ? 2 : 1))
        var nextPosition = positions.pointer
        func store(_ values: [Int32]) -> UnsafePointer<Int32> {
            defer { nextPosition += values.count }
            nextPosition.update(from: values, count: values.count)
            return UnsafePointer(nextPosition)
        }
        var nextChannel = channels.pointer
        func storeChannels(_ values: [Int32]) -> UnsafePointer<UInt16> {
            defer { nextChannel += values.count }
            for (index, value) in values.enumerated() { nextChannel[index] = UInt16(value) }
            return UnsafePointer(nextChannel)
        }
        weightCount = connections * geometry.extent.height * geometry.extent.width
        dilation = geometry.dilation == Size(1) ? nil : KernelDilation(geometry, connections: connections)
        shape = .allocate(capacity: 1)
        var value = gsm_convolution()
        value.set(geometry: geometry, input: input, output: output)
        value.row_starts = store(table.rowStarts)
        value.inputs = storeChannels(table.inputs)
        if transposes {
            let transposed = table.transposed()
            value.column_starts = store(transposed.columnStarts)
            value.column_outputs = storeChannels(transposed.outputs)
            value.column_connections = store(transposed.connections)
        }
        gsm_find_shared(&value)
        shape.initialize(to: value)
        pointer = UnsafePointer(shape)
    }

    deinit { shape.deallocate() }

    /// What the connection tables take.
    var indexByteCount: Int { positions.byteCount + channels.byteCount }

    /// The kernel that the fixed rule chooses: the first row of the table that fits.
    func kernel(_ operation: gsm_operation) -> ConvolutionKernel {
        guard let row = gsm_select_convolution_kernel(operation, pointer) else {
            preconditionFailure("the reference row declined")
        }
        return ConvolutionKernel(row: row)
    }
}

extension ConvolutionDescriptor {
    /// A layer's weights as the kernels are run.
    func widened(_ weights: consuming AlignedBuffer<Float>) -> AlignedBuffer<Float> {
        guard let dilation else { return weights }
        let wide = AlignedBuffer<Float>(count: weightCount)
        dilation.widen(weights.pointer, to: wide.pointer)
        return wide
    }

    /// The forward rows of this machine's best instruction set, in order of preference, with the reason of those that
    /// do not take the shape; the plain reference only where no other does.
    func forwardCandidates() -> [(kernel: ConvolutionKernel, declines: String?)] {
        var count = 0
        let table = gsm_convolution_kernels(&count)!
        let rows = (0 ..< count).map { table[$0]! }.filter {
            $0.pointee.operation == GSM_CONVOLUTION_FORWARD && gsm_isa_supported($0.pointee.isa)
                && $0.pointee.lanes == pointer.pointee.lanes
        }
        let best = rows.map(\.pointee.isa.rawValue).max()
        let candidates = rows.filter { $0.pointee.isa.rawValue == best }.map { row in
            (kernel: ConvolutionKernel(row: row), declines: row.pointee.declines(pointer).map { String(cString: $0) })
        }
        if candidates.contains(where: { $0.declines == nil }) { return candidates }
        return candidates + [(kernel(GSM_CONVOLUTION_FORWARD), nil)]
    }
}

/// A row of the kernel table.
struct ConvolutionKernel: @unchecked Sendable {
    let row: UnsafePointer<gsm_convolution_kernel>

    var name: String { String(cString: row.pointee.name) }

    func packedCount(_ shape: ConvolutionDescriptor) -> Int { row.pointee.packed_count(shape.pointer) }
    func workspaceCount(_ shape: ConvolutionDescriptor) -> Int { row.pointee.workspace_count(shape.pointer) }

    /// The weights as the kernel wants them, nil for kernels that read them as they are.
    func packed(_ weights: UnsafePointer<Float>, _ shape: ConvolutionDescriptor) -> AlignedBuffer<Float>? {
        let count = packedCount(shape)
        guard count > 0 else { return nil }
        let packed = AlignedBuffer<Float>(count: count)
        row.pointee.pack(shape.pointer, weights, packed.pointer)
        return packed
    }

    /// Runs all units of a call on the pass's threads.
    ///
    /// - Parameter aside: work that does not depend on the call, for one of the threads.
    func run(_ call: gsm_convolution_call, _ pass: borrowing Pass, aside: (() -> Void)? = nil) {
        var call = call
        withUnsafePointer(to: &call) { call in
            let pieces = UnitPieces(
                units: row.pointee.unit_count(call), threads: pass.pool.threadCount, prepares: pass.lanes == 1)
            let workspace = pass.workspace
            let pitch = pass.workspacePitch
            let first = aside == nil ? 0 : 1
            pass.pool.run(first + pieces.count) { piece, worker in
                guard piece >= first else { return aside!() }
                row.pointee.run(
                    call, pieces.begin(of: piece - first), pieces.begin(of: piece - first + 1),
                    workspace + worker * pitch)
            }
        }
    }
}

/// How the units of a call are handed to threads.
///
/// Kernels of single images prepare something for neighbouring units, such as a packed tile of the input, and once more
/// for every piece: each thread gets one. Those of many images prepare nothing: each thread gets one long piece, three
/// quarters of its share, and what is left in short ones evens out their ends.
private struct UnitPieces {
    private let units: Int64
    private let threads: Int64
    let count: Int

    init(units: Int64, threads: Int, prepares: Bool) {
        self.units = units
        self.threads = Int64(threads)
        let isWhole = threads == 1 || prepares || units < Int64(4 * threads)
        count = isWhole ? min(Int(units), threads) : 2 * threads
    }

    func begin(of piece: Int) -> Int64 {
        let piece = Int64(piece)
        guard count == 2 * threads else { return units * piece / Int64(max(1, count)) }
        return units * (piece <= threads ? 3 * piece : 2 * threads + piece) / (4 * threads)
    }
}

extension gsm_convolution {
    fileprivate mutating func set(geometry: WindowGeometry, input: ActivationLayout, output: ActivationLayout) {
        lanes = Int32(input.lanes)
        kernel_height = Int32(geometry.extent.height)
        kernel_width = Int32(geometry.extent.width)
        stride_height = Int32(geometry.stride.height)
        stride_width = Int32(geometry.stride.width)
        padding_top = Int32(geometry.paddingTop)
        padding_left = Int32(geometry.paddingLeft)
        input_height = Int32(geometry.input.height)
        input_width = Int32(geometry.input.width)
        input_channels = Int32(input.shape.channels)
        output_height = Int32(geometry.output.height)
        output_width = Int32(geometry.output.width)
        output_channels = Int32(output.shape.channels)
        input_row_pitch = Int64(input.rowPitch)
        input_channel_pitch = Int64(input.channelPitch)
        input_block_pitch = Int64(input.blockPitch)
        output_row_pitch = Int64(output.rowPitch)
        output_channel_pitch = Int64(output.channelPitch)
        output_block_pitch = Int64(output.blockPitch)
    }
}
