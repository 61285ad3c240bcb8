/// What was expected of a part of an ONNX graph; whoever knows the file and the node adds them.
struct ImportError: Error {
    let expected: String

    init(_ expected: String) { self.expected = expected }
}
