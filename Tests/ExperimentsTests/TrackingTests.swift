import Foundation
import GossamerExperiments
import GossamerTestSupport
import GossamerTraining
import Testing

@Suite struct TrackingTests {
    private static func metrics(_ epoch: Int, validation: Double? = nil) throws -> EpochMetrics {
        let heldBack = validation.map { ", \"validationLoss\": \($0), \"validationAccuracy\": \($0)" } ?? ""
        return try JSONDecoder().decode(
            EpochMetrics.self,
            from: Data(
                """
                {"epoch": \(epoch), "learningRate": 0.1, "trainingLoss": 1, "trainingAccuracy": 0.5, "seconds": 2
                \(heldBack)}
                """.utf8))
    }

    @Test func checksumsAreThoseOfTheStandard() {
        // RFC 3720, appendix B.4, and the usual check value.
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xe306_9283)
    }

    /// The messages of an event file; nil where a checksum or a length is wrong.
    private func messages(_ bytes: [UInt8]) -> [[UInt8]]? {
        func number<Value: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, _ type: Value.Type) -> Value {
            bytes.reversed().reduce(0) { $0 << 8 | Value($1) }
        }
        var rest = bytes[...]
        var messages: [[UInt8]] = []
        while !rest.isEmpty {
            let length = Array(rest.prefix(8))
            let count = Int(number(length[...], UInt64.self))
            guard rest.count >= 16 + count else { return nil }
            let message = Array(rest.dropFirst(12).prefix(count))
            guard number(rest.dropFirst(8).prefix(4), UInt32.self) == CRC32C.masked(length),
                number(rest.dropFirst(12 + count).prefix(4), UInt32.self) == CRC32C.masked(message)
            else { return nil }
            messages.append(message)
            rest = rest.dropFirst(16 + count)
        }
        return messages
    }

    @Test func anEventFileHoldsARecordForEachEpoch() throws {
        let temporary = TemporaryFolder()
        let folder = RunFolder(path: temporary.path)
        try folder.replaceEvents(with: [try Self.metrics(1)])
        try folder.appendEvents(try Self.metrics(2, validation: 0.25))
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.eventsPath)))
        let messages = try #require(self.messages(bytes))
        #expect(messages.count == 3)
        let texts = messages.map { String(decoding: $0, as: UTF8.self) }
        #expect(texts[0].hasSuffix("brain.Event:2"))
        #expect(texts[1].contains("loss/training") && !texts[1].contains("validation"))
        #expect(texts[2].contains("accuracy/validation") && texts[2].contains("learning rate"))
        // The step, field 2, and an accuracy of 0.25, field 2 of a value, as their bytes.
        #expect(Array(messages[2][9 ... 10]) == [0x10, 2])
        #expect(messages[2].contains([0x15, 0, 0, 0x80, 0x3e]))
        // A run that resumes takes the lost epoch again.
        try folder.replaceEvents(with: [try Self.metrics(1)])
        #expect(self.messages(Array(try Data(contentsOf: URL(fileURLWithPath: folder.eventsPath))))?.count == 2)
    }
}
