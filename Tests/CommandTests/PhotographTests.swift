import Foundation
import GossamerTestSupport
import Testing

/// Real weights and real photographs: an imported EfficientNet-Lite0 says what ONNX Runtime says.
///
/// GOSSAMER_PHOTOGRAPHS names a folder with `lite0.onnx`, as PyTorch exports it, and `imagenet_*.jpg`; the last number
/// of a photograph's name is its class.
@Suite(
    .enabled(if: photographs != nil, "needs real weights and photographs, see GOSSAMER_PHOTOGRAPHS"),
    .enabled(if: Python.has("numpy", "onnxruntime", "PIL"), "needs ONNX Runtime and Pillow, see GOSSAMER_PYTHON"))
struct PhotographTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Benchmarks/peers/photographs.py").path

    @Test func classesAreThoseOfONNXRuntime() async throws {
        let folder = try #require(photographs)
        let images = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix("imagenet_") && $0.hasSuffix(".jpg") }.sorted().map { "\(folder)/\($0)" }
        #expect(images.count >= 20)
        let gossamer = try Gossamer()
        try await gossamer.succeed([
            "import", "\(folder)/lite0.onnx", "--output", "lite0.safetensors", "--mean", "0.498,0.498,0.498",
            "--standard-deviation", "0.502,0.502,0.502", "--resizing", "shorter-side=256", "--interpolation", "bicubic",
        ])
        let result = try Python.run(
            [Self.script, "--gossamer", Gossamer.executable(), "\(folder)/lite0.onnx", gossamer.path("lite0.safetensors")]
                + images)
        #expect(result.status == 0, "\(result.output)")
        let summary = try #require(result.output.split(separator: "\n").last, "\(result.output)")
        let match = try #require(summary.firstMatch(of: /^(\d+) of (\d+) as ONNX Runtime, (\d+) right/))
        #expect(match.1 == match.2 && Int(match.2) == images.count, "\(result.output)")
        #expect(try #require(Int(match.3)) * 5 >= images.count * 4, "\(result.output)")
    }
}

private let photographs = ProcessInfo.processInfo.environment["GOSSAMER_PHOTOGRAPHS"]
