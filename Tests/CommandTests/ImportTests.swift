import Foundation
import Testing

@Suite struct ImportTests {
    private struct Imported: Decodable {
        let network: String
        let layers: Int
        let connections: Int
        let fileBytes: Int
    }

    private struct Ran: Decodable {
        let output: String
        let images: Int
    }

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/onnx").path

    /// A safetensors file of one tensor of zeros.
    private func writeZeros(_ name: String, shape: [Int], to path: String) throws {
        let count = 4 * shape.reduce(1, *)
        let text = #"{"\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,\#(count)]}}"#
        let header = Data(text.replacing(" ", with: "").utf8)
        let length = (0 ..< 8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
        try (Data(length) + header + Data(count: count)).write(to: URL(fileURLWithPath: path))
    }

    @Test func importsAndRuns() async throws {
        let gossamer = try Gossamer()
        let imported = try await gossamer.succeed(
            ["import", "\(Self.fixtures)/conv-zero-kernels.onnx", "--output", "model.safetensors", "--json"])
        let answer = try imported.json(Imported.self)
        #expect(answer.network == "conv-zero-kernels" && answer.layers == 1 && answer.connections == 9)
        try writeZeros("x", shape: [3, 3, 6, 5], to: gossamer.path("in.safetensors"))
        let ran = try await gossamer.succeed([
            "run", "--model", "model.safetensors", "--inputs", "in.safetensors", "--outputs", "out.safetensors",
            "--json",
        ])
        #expect(try ran.json(Ran.self).images == 3)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: gossamer.path("out.safetensors")))
        #expect(String(decoding: bytes.prefix(200), as: UTF8.self).contains(#""shape":[3,5,6,5]"#))
        #expect(bytes.count > 4 * 3 * 5 * 6 * 5)
    }

    @Test func failsInOneLine() async throws {
        let gossamer = try Gossamer()
        let missing = try await gossamer.run(["import", "missing.onnx", "--output", "model.safetensors"])
        #expect(missing.status == 1 && missing.errors.contains("missing.onnx: cannot be read"))
        try await gossamer.succeed(["import", "\(Self.fixtures)/gemm.onnx", "--output", "model.safetensors"])
        try writeZeros("x", shape: [1, 3, 5, 6], to: gossamer.path("in.safetensors"))
        let shape = try await gossamer.run([
            "run", "--model", "model.safetensors", "--inputs", "in.safetensors", "--outputs", "out.safetensors",
        ])
        #expect(shape.status == 1 && shape.errors.contains("tensor x: expected [image, 3, 6, 5]"))
        let option = try await gossamer.run(
            ["import", "\(Self.fixtures)/gemm.onnx", "--output", "model.safetensors", "--mean", "1,2"])
        #expect(option.errors.contains("--mean 1,2: expected 3 numbers"))
    }

    /// Out for torchvision and in again; the connections are those that were there.
    @Test func parametersOfTorchvision() async throws {
        let gossamer = try Gossamer()
        let network = ["--network", "mobilenet-v2", "--depth-multiplier", "0.1"]
        try await gossamer.succeed(
            ["export", "--format", "safetensors", "--pattern", "random:0.2", "--output", "theirs.safetensors"]
                + network)
        let imported = try await gossamer.succeed(
            ["import", "theirs.safetensors", "--output", "ours.safetensors", "--json"] + network)
        let inspected = try await gossamer.succeed(["inspect", "--pattern", "random:0.2", "--json"] + network)
        #expect(try imported.json(Imported.self).connections == inspected.json(CostAnswer.self).connections)
        try await gossamer.succeed([
            "export", "--model", "ours.safetensors", "--output", "ours.onnx", "--fold-batch-normalization",
        ])
        // The depth multiplier travels with the model: what is written is what was read.
        try await gossamer.succeed([
            "export", "--model", "ours.safetensors", "--format", "safetensors", "-o", "again.safetensors",
        ])
        #expect(try gossamer.bytes("again.safetensors") == gossamer.bytes("theirs.safetensors"))
        let beside = try await gossamer.run(["bench", "--model", "ours.safetensors", "--pattern", "random:0.1"])
        #expect(beside.status == 64 && beside.errors.contains("--pattern"))
        let unknown = try await gossamer.run(["import", "theirs.safetensors", "--output", "ours.safetensors"])
        #expect(unknown.status == 64 && unknown.errors.contains("--network: expected the network"))
        let wrong = try await gossamer.run(
            ["import", "theirs.safetensors", "--network", "resnet18", "--output", "ours.safetensors"])
        #expect(wrong.status == 1 && wrong.errors.contains("theirs.safetensors: tensor conv1.weight: expected"))
    }
}
