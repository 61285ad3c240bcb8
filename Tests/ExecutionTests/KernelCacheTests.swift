import Foundation
import GossamerConnectivity
import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Synchronization
import Testing

/// The file that remembers which kernel was fastest.
@Suite struct KernelCacheTests {
    private let pool = ThreadPool(threads: 1)

    private func network() throws -> Network {
        var net = NetworkBuilder(name: "two", input: Shape(channels: 8, height: 9, width: 9))
        let x = net.relu(net.convolution(net.input, filters: 16, kernel: 3))
        _ = net.convolution(x, filters: 16, kernel: 3)
        return try net.build().sparsified(with: Pattern.random(density: 0.5), seed: 1).network
    }

    private func sources(_ cache: KernelCache, capacity: Int = 1) throws -> [LayerImplementation.Source] {
        let plan = try InferencePlan(
            network(), capacity: capacity, pool: pool, choice: .remembered(cache),
            readParameter: { $1.update(repeating: 0) })
        return plan.implementations.map(\.source)
    }

    @Test func whatWasTriedIsRemembered() throws {
        let folder = TemporaryFolder()
        let path = folder.file("deep/er/kernels.json")
        #expect(try sources(KernelCache(path: path)) == [.tried, .tried])
        #expect(try sources(KernelCache(path: path)) == [.remembered, .remembered])
        // Another batch is another question.
        #expect(try sources(KernelCache(path: path), capacity: 2) == [.tried, .tried])
        #expect(try sources(KernelCache(path: path)) == [.remembered, .remembered])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("deep/er")) == ["kernels.json"])
    }

    @Test(arguments: ["", "{", "[]", #"{"format": "another", "groups": {}}"#, #"{"groups": 3}"#])
    func brokenFilesAreWrittenAgain(text: String) throws {
        let folder = TemporaryFolder()
        let path = folder.file("kernels.json")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        let warnings = Mutex<[String]>([])
        let cache = KernelCache(path: path) { line in warnings.withLock { $0.append(line) } }
        #expect(try sources(cache) == [.tried, .tried])
        #expect(warnings.withLock { $0.count } == 1)
        #expect(warnings.withLock { $0.first?.contains(path) } == true)
        #expect(try sources(KernelCache(path: path)) == [.remembered, .remembered])
    }

    /// Where nothing can be written, inference works all the same.
    @Test func aFolderThatCannotBeMade() throws {
        let folder = TemporaryFolder()
        try "".write(toFile: folder.file("file"), atomically: false, encoding: .utf8)
        let warnings = Mutex(0)
        let cache = KernelCache(path: folder.file("file/kernels.json")) { _ in warnings.withLock { $0 += 1 } }
        #expect(try sources(cache) == [.tried, .tried])
        #expect(warnings.withLock { $0 } == 1)
    }

    @Test func severalWritersAtOnce() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("kernels.json")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0 ..< 8 { group.addTask { _ = try sources(KernelCache(path: path)) } }
            try await group.waitForAll()
        }
        #expect(try sources(KernelCache(path: path)) == [.remembered, .remembered])
    }
}
