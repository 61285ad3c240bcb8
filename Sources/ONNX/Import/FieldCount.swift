import Foundation

/// Counts the fields of a file before it is decoded: two bytes of a file become a message of more than a hundred.
/// Numbers that lie in one field, as weights do, count once.
enum FieldCount {
    /// Many for each of the nodes that a graph may have.
    static let largest = 1 << 22
    /// As deep as the decoder goes.
    private static let deepest = 100

    private enum Kind { case model, function, graph, node, attribute, tensor, sparseTensor, value, plain, other }

    /// The fields of each kind of message that are messages too, by their numbers in the format's description.
    private static let messages: [Kind: [UInt64: Kind]] = [
        .model: [7: .graph, 8: .plain, 14: .plain, 20: .other, 25: .function, 26: .other],
        .function: [7: .node, 9: .plain, 11: .attribute, 12: .value, 14: .plain],
        .graph: [
            1: .node, 5: .tensor, 11: .value, 12: .value, 13: .value, 14: .other, 15: .sparseTensor, 16: .plain,
        ],
        .node: [5: .attribute, 9: .plain, 10: .other],
        .attribute: [
            5: .tensor, 6: .graph, 10: .tensor, 11: .graph, 14: .other, 15: .other, 22: .sparseTensor,
            23: .sparseTensor,
        ],
        .tensor: [3: .plain, 13: .plain, 16: .plain],
        .sparseTensor: [1: .tensor, 2: .tensor],
        .value: [2: .other, 4: .plain],
    ]

    /// Whether a model has more fields than any network needs. Bytes that are no model have as many as can be read.
    static func isTooLarge(_ model: Data) -> Bool {
        var count = 0
        model.withUnsafeBytes { add($0, .model, depth: 0, to: &count) }
        return count > largest
    }

    private static func add(_ bytes: UnsafeRawBufferPointer, _ kind: Kind, depth: Int, to count: inout Int) {
        let parts = messages[kind] ?? [:]
        var rest = Cursor(bytes: bytes)
        while count <= largest, let key = rest.varint() {
            count += 1
            switch key & 7 {
            case 0: guard rest.varint() != nil else { return }
            case 1: guard rest.take(8) != nil else { return }
            case 5: guard rest.take(4) != nil else { return }
            case 2:
                guard let length = rest.varint(), let content = rest.take(length) else { return }
                switch parts[key >> 3] {
                case nil: break
                // No field takes less than two bytes.
                case .other?: count += content.count / 2
                case let part?: if depth < deepest { add(content, part, depth: depth + 1, to: &count) }
                }
            // Where a group begins or ends; its fields come one by one.
            case 3, 4: break
            default: return
            }
        }
    }

    /// Walks over bytes of the wire format.
    private struct Cursor {
        let bytes: UnsafeRawBufferPointer
        private var position = 0

        init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 127) << shift
                if byte < 128 { return value }
            }
            return nil
        }

        mutating func take(_ count: UInt64) -> UnsafeRawBufferPointer? {
            guard count <= UInt64(bytes.count - position) else { return nil }
            let start = position
            position += Int(count)
            return UnsafeRawBufferPointer(rebasing: bytes[start ..< position])
        }
    }
}
