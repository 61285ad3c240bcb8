import Foundation
import GossamerExperiments
import GossamerTestSupport
import Synchronization
import Testing

@Suite struct PointClaimTests {
    private static func claim(_ path: String, lease: PointClaim.Lease = .init()) throws -> PointClaim? {
        if case .claimed(let claim) = try PointClaim.attempt(at: path, lease: lease) { claim } else { nil }
    }

    /// Dates a claim's heartbeat back, as if its process had died then.
    private static func age(_ path: String, generation: Int, seconds: Double) throws {
        let heartbeat = "\(path)/\(generation)/heartbeat"
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: heartbeat)
    }

    private static let slow = PointClaim.Lease(seconds: 60, heartbeatSeconds: 30)

    @Test func oneOfManyThreadsWins() throws {
        let temporary = TemporaryFolder()
        for round in 0 ..< 20 {
            let path = "\(temporary.path)/\(round)"
            let won = Mutex<[PointClaim]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                if let claim = try? Self.claim(path) { won.withLock { $0.append(claim) } }
            }
            #expect(won.withLock { $0.count } == 1, "round \(round)")
        }
    }

    @Test func oneOfManyThreadsTakesOverAnExpiredClaim() throws {
        let temporary = TemporaryFolder()
        for round in 0 ..< 20 {
            let path = "\(temporary.path)/\(round)"
            let dead = try #require(try Self.claim(path, lease: Self.slow))
            try Self.age(path, generation: 1, seconds: 120)
            let won = Mutex<[PointClaim]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                if let claim = try? Self.claim(path, lease: Self.slow) { won.withLock { $0.append(claim) } }
            }
            #expect(won.withLock { $0.count } == 1, "round \(round)")
            dead.release()
            // The late release of the dead claim must not free the new one.
            #expect(try Self.claim(path, lease: Self.slow) == nil)
        }
    }

    @Test func processesAndThreadsRaceForTheSameGenerations() throws {
        let temporary = TemporaryFolder()
        let rounds = 30
        for round in 0 ..< rounds {
            try FileManager.default.createDirectory(
                atPath: "\(temporary.path)/\(round)", withIntermediateDirectories: true)
        }
        let script = "n=0; for i in $(seq 0 \(rounds - 1)); do if mkdir $i/1 2>/dev/null; then "
            + "echo $n > $i/1/heartbeat; echo $i; fi; done"
        let processes = try (0 ..< 3).map { _ in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", script]
            process.currentDirectoryURL = URL(fileURLWithPath: temporary.path)
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            return (process, output)
        }
        let claims = Mutex<[PointClaim]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            for round in 0 ..< rounds {
                if let claim = try? Self.claim("\(temporary.path)/\(round)") { claims.withLock { $0.append(claim) } }
            }
        }
        var winners = claims.withLock { $0.count }
        for (process, output) in processes {
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            winners += text.split(separator: "\n").count
        }
        #expect(winners == rounds)
    }

    @Test func aHeldClaimIsRespectedAndAReleasedOneIsNot() throws {
        let temporary = TemporaryFolder()
        let path = temporary.path + "/point"
        let first = try #require(try Self.claim(path))
        guard case .held(let owner) = try PointClaim.attempt(at: path) else {
            Issue.record("claimed twice")
            return
        }
        #expect(owner?.process == ProcessInfo.processInfo.processIdentifier)
        first.release()
        #expect(try Self.claim(path) != nil)
    }

    @Test func theHeartbeatKeepsAClaimAlive() throws {
        let temporary = TemporaryFolder()
        let path = temporary.path + "/point"
        let lease = PointClaim.Lease(seconds: 60, heartbeatSeconds: 0.02)
        let claim = try #require(try Self.claim(path, lease: lease))
        try Self.age(path, generation: 1, seconds: 120)
        let heartbeat = path + "/1/heartbeat"
        try waitUntil { try age(of: heartbeat) < 60 }
        #expect(try Self.claim(path, lease: lease) == nil)
        #expect(claim.isHeld)
    }

    @Test func anOwnerThatWasTakenOverLearnsIt() throws {
        let temporary = TemporaryFolder()
        let path = temporary.path + "/point"
        let claim = try #require(try Self.claim(path, lease: .init(seconds: 60, heartbeatSeconds: 0.02)))
        try FileManager.default.createDirectory(atPath: path + "/2", withIntermediateDirectories: false)
        try waitUntil { !claim.isHeld }
    }

    @Test func aClaimOfADeadProcessOfThisSystemIsFreeAtOnce() throws {
        guard FileManager.default.fileExists(atPath: "/proc/self/stat") else { return }
        let temporary = TemporaryFolder()
        let path = temporary.path + "/point"
        let claim = try #require(try Self.claim(path, lease: Self.slow))
        let ownerPath = path + "/1/owner.json"
        let text = try String(contentsOfFile: ownerPath, encoding: .utf8)
        let identity = try #require(text.firstMatch(of: /\/([0-9]+)"/))
        // The same process number, started at another time: the process that held the claim is gone.
        try text.replacing(identity.output.0, with: "/1\"").write(
            toFile: ownerPath, atomically: true, encoding: .utf8)
        #expect(try Self.claim(path, lease: Self.slow) != nil)
        withExtendedLifetime(claim) {}
    }

    @Test func anUnreadableOwnerAndStrangeNamesDoNoHarm() throws {
        let temporary = TemporaryFolder()
        let path = temporary.path + "/point"
        for name in ["9223372036854775807", "-3", "abc", "1"] {
            try FileManager.default.createDirectory(
                atPath: path + "/" + name, withIntermediateDirectories: true)
        }
        try "garbage".write(toFile: path + "/1/owner.json", atomically: true, encoding: .utf8)
        guard case .held(by: nil) = try PointClaim.attempt(at: path) else {
            Issue.record("a fresh claim was taken")
            return
        }
    }

    private func age(of file: String) throws -> Double {
        let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
        return -(try #require(date)).timeIntervalSinceNow
    }

    /// Waits for another thread, as long as the test run allows.
    private func waitUntil(_ condition: () throws -> Bool) throws {
        for _ in 0 ..< 3000 {
            if try condition() { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("the condition never came true")
    }
}
