import CGossamerKernels
import GossamerConnectivity
import GossamerTensors

/// Shows the gradients that connections would have which a network lacks, layer by layer during a backward pass: some
/// filters at a time, so that the weights of a dense network never lie in memory.
public final class CandidateProbe {
    /// A convolution whose missing connections are wanted.
    public struct Layer {
        /// Connections that are left out of the candidates, of the network's channels.
        let known: ConnectionTable
        /// Filters that are shown together, in order.
        let blocks: [Range<Int>]

        /// - Parameter blocks: all filters of the layer, in order.
        public init(known: ConnectionTable, blocks: [Range<Int>]) {
            self.known = known
            self.blocks = blocks
        }
    }

    /// Candidates of some of a layer's filters.
    public struct Candidates {
        public let node: String
        /// The layer's blocks that they are of.
        public let blocks: Range<Int>
        public let firstFilter: Int
        /// Row 0 is that of the first filter.
        public let table: ConnectionTable
        /// [connection][kernel height][kernel width]; valid during the visit alone.
        public let gradients: UnsafePointer<Float>
        /// Weights of a connection.
        public let area: Int
    }

    let layers: [String: Layer]
    private let visit: (Candidates) -> Void
    /// Weights of the candidates that are shown at once, unless a block has more.
    private let limit: Int

    /// - Parameters:
    ///   - layers: by the convolutions' names; frozen ones are not visited.
    ///   - limit: weights shown at once, where a block has no more.
    ///   - visit: called on the thread of the backward pass.
    public init(layers: [String: Layer], limit: Int = 1 << 20, visit: @escaping (Candidates) -> Void) {
        self.layers = layers
        self.limit = limit
        self.visit = visit
    }

    func visitCandidates(
        of operation: ConvolutionOperation, _ layer: Layer, _ pass: borrowing Pass, _ memory: OperationMemory,
        _ outputGradient: UnsafePointer<Float>
    ) {
        let extent = operation.descriptor.geometry.extent
        let rows = layer.blocks.map { $0.reduce(0) { $0 + layer.known.inputCount - layer.known.fanIn(of: $1) } }
        var first = 0
        while first < layer.blocks.count {
            var (end, count) = (first + 1, rows[first])
            while end < layer.blocks.count, (count + rows[end]) * extent.height * extent.width <= limit {
                count += rows[end]
                end += 1
            }
            if count > 0 { visitCandidates(of: operation, layer, first ..< end, pass, memory, outputGradient) }
            first = end
        }
    }

    private func visitCandidates(
        of operation: ConvolutionOperation, _ layer: Layer, _ blocks: Range<Int>, _ pass: borrowing Pass,
        _ memory: OperationMemory, _ outputGradient: UnsafePointer<Float>
    ) {
        let filters = layer.blocks[blocks.lowerBound].lowerBound ..< layer.blocks[blocks.upperBound - 1].upperBound
        let table = layer.known.complement(of: filters)
        let descriptor = ConvolutionDescriptor(
            geometry: operation.descriptor.geometry, table: table, input: operation.descriptor.inputLayout,
            output: operation.outputLayout.channels(filters.count), transposes: false)
        let kernel = descriptor.kernel(GSM_CONVOLUTION_WEIGHT_GRADIENT)
        let pitch = (kernel.workspaceCount(descriptor) + 15) / 16 * 16
        let workspace = AlignedBuffer<Float>(count: pitch * pass.pool.threadCount)
        let wide = AlignedBuffer<Float>(count: descriptor.weightCount)
        var call = gsm_convolution_call()
        call.shape = descriptor.pointer
        call.block_count = Int32(pass.blockCount)
        call.input = UnsafePointer(memory.inputs[0])
        call.output_gradient = outputGradient + filters.lowerBound * operation.outputLayout.channelPitch
        call.weight_gradient = wide.pointer
        kernel.run(
            call,
            Pass(
                imageCount: pass.imageCount, lanes: pass.lanes, pool: pass.pool, parameters: pass.parameters,
                statistics: pass.statistics, gradients: nil, randomKey: pass.randomKey,
                workspace: workspace.pointer, workspacePitch: pitch))
        let area = operation.kernelEntry.shape[1] * operation.kernelEntry.shape[2]
        func show(_ gradients: UnsafePointer<Float>) {
            visit(
                Candidates(
                    node: operation.name, blocks: blocks, firstFilter: filters.lowerBound, table: table,
                    gradients: gradients, area: area))
        }
        guard let dilation = descriptor.dilation else { return show(wide.pointer) }
        let narrow = AlignedBuffer<Float>(count: table.count * area)
        dilation.narrow(wide.pointer, to: narrow.pointer)
        show(narrow.pointer)
    }
}
