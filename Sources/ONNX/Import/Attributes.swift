import Foundation

extension Onnx_NodeProto {
    func attributeNamed(_ name: String) -> Onnx_AttributeProto? { attribute.first { $0.name == name } }

    func integer(_ name: String) -> Int? { attributeNamed(name).map { Int($0.i) } }

    func integer(_ name: String, default value: Int) -> Int { integer(name) ?? value }

    func integers(_ name: String) -> [Int]? { attributeNamed(name).map { $0.ints.map(Int.init) } }

    func float(_ name: String, default value: Float) -> Float { attributeNamed(name)?.f ?? value }

    func text(_ name: String, default value: String) -> String {
        attributeNamed(name).map { String(decoding: $0.s, as: UTF8.self) } ?? value
    }

    /// The name of an input; nil where it is left out.
    func inputName(_ index: Int) -> String? {
        index < input.count && !input[index].isEmpty ? input[index] : nil
    }
}

/// An axis as ONNX counts it, from the end where it is negative.
func axis(_ index: Int, rank: Int) throws(ImportError) -> Int {
    guard (-rank ..< rank).contains(index) else { throw ImportError("an axis of \(rank), it names axis \(index)") }
    return index < 0 ? index + rank : index
}
