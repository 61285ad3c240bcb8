import Foundation
import GossamerImages
import GossamerTensors
import Testing

/// Images that Pillow draws, decodes and resizes at random.
///
/// GOSSAMER_PYTHON names an interpreter that has `PIL` and `numpy`; without the packages the tests are skipped.
@Suite(.enabled(if: pythonHasPillow, "needs the Python packages PIL and numpy, see GOSSAMER_PYTHON"))
struct PillowTests {
    @Test(arguments: [1, 2]) func pixelsAreThoseOfPillow(seed: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gossamer-pillow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "pillow-cases.py")
        #expect(try runPython([script.path, folder.path, "\(seed)"]) == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }
        #expect(names.count == 40)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            let image = try PixelImage(decoding: bytes, name: name)
            let decoded = try ImageFixture.pixels(at: folder.appending(path: name + ".pixels"))
            let difference = try #require(image.largestDifference(from: decoded), "\(name)")
            #expect(difference <= (name.hasSuffix(".jpg") ? 1 : 0), "seed \(seed), \(name)")
            for interpolation in Preprocessing.Interpolation.allCases {
                let expected = try ImageFixture.pixels(at: folder.appending(path: "\(name).\(interpolation).pixels"))
                // From the same pixels, as another version of libjpeg may differ in some.
                let resized = decoded.resized(to: PixelSize(expected.shape), interpolation: interpolation)
                let difference = try #require(resized.largestDifference(from: expected))
                #expect(difference <= 1, "seed \(seed), \(name) to \(expected.shape), \(interpolation)")
            }
        }
    }
}

private let pythonHasPillow = (try? runPython(["-c", "import PIL, numpy"])) == 0

/// The exit status of GOSSAMER_PYTHON, or of python3, which may print nothing.
private func runPython(_ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [ProcessInfo.processInfo.environment["GOSSAMER_PYTHON"] ?? "python3"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
}
