import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTensors

/// Tells apart networks, data sets and the trainings that a checkpoint may belong to. A hash, not a signature: it
/// guards against mistakes.
package struct Fingerprint {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package var text: String { String(state, radix: 16) }

    mutating func add(_ value: UInt64) {
        state = (state ^ value) &* 0x100_0000_01b3
        state ^= state >> 29
    }

    package mutating func add(_ text: String) { add(SeededGenerator.key(text)) }

    mutating func add(_ values: [Int32]) { for value in values { add(UInt64(bitPattern: Int64(value))) } }

    mutating func add(_ network: Network) {
        for node in network.nodes {
            add("\(node.name) \(node.inputs) \(node.layer)")
            guard let table = network.connections[node.name] else { continue }
            add(table.rowStarts)
            add(table.inputs)
        }
        for output in network.auxiliaryOutputs { add("\(output.node) \(output.weight)") }
    }

    package mutating func add(_ parameters: borrowing Parameters) {
        for entry in parameters.layout.all {
            for value in parameters.values(entry) { add(UInt64(value.bitPattern)) }
        }
    }

    /// Pixels, or for image files their names and sizes: reading all of them would take as long as an epoch.
    package mutating func add(_ images: LabelledImages) {
        add("\(images.shape.map { "\($0)" } ?? "sizes differ") \(images.classNames)")
        add(images.labels)
        for index in 0 ..< images.count { images.withIdentity(of: index) { add($0) } }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count & ~7, by: 8) {
            add(bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        for byte in bytes[(bytes.count & ~7)...] { add(UInt64(byte)) }
    }
}
