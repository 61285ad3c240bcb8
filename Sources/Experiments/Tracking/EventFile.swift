import Foundation
import GossamerTraining
import SwiftProtobuf

/// A training's progress as TensorBoard reads it: records of an event each, with checksums, one after another.
enum EventFile {
    /// What a file begins with, so that readers know how to take what follows.
    static func header(at date: Date) -> [UInt8] {
        record(.with {
            $0.wallTime = date.timeIntervalSince1970
            $0.fileVersion = "brain.Event:2"
        })
    }

    /// The figures of one epoch; steps count epochs.
    static func record(_ metrics: EpochMetrics, at date: Date) -> [UInt8] {
        let values: [(String, Double?)] = [
            ("loss/training", metrics.trainingLoss), ("accuracy/training", metrics.trainingAccuracy),
            ("loss/validation", metrics.validationLoss), ("accuracy/validation", metrics.validationAccuracy),
            ("loss/test", metrics.testLoss), ("accuracy/test", metrics.testAccuracy),
            ("learning rate", metrics.learningRate), ("seconds", metrics.seconds),
        ]
        return record(.with {
            $0.wallTime = date.timeIntervalSince1970
            $0.step = Int64(metrics.epoch)
            $0.summary.value = values.compactMap { tag, value in
                value.map { value in
                    .with {
                        $0.tag = tag
                        $0.simpleValue = Float(value)
                    }
                }
            }
        })
    }

    /// Length, its checksum, the message, and its checksum.
    private static func record(_ event: TensorBoardEvent) -> [UInt8] {
        // A message of numbers and short texts always has a form.
        let message: [UInt8] = try! event.serializedBytes()
        let length = bytes(UInt64(message.count))
        return length + bytes(CRC32C.masked(length)) + message + bytes(CRC32C.masked(message))
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// The checksum of Castagnoli's polynomial (RFC 3720).
package enum CRC32C {
    package static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { checksum, byte in (checksum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] }
    }

    /// As records of events have it, so that a checksum over checksums stays sound.
    package static func masked(_ bytes: [UInt8]) -> UInt32 {
        let checksum = of(bytes)
        return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
    }

    private static let table: [UInt32] = (0 ..< 256).map { index in
        (0 ..< 8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1 }
    }
}

extension RunFolder {
    /// What TensorBoard finds when it looks into the folder, or one around it.
    public var eventsPath: String { path + "/events.out.tfevents.gossamer" }

    /// Appends the figures of an epoch.
    package func appendEvents(_ metrics: EpochMetrics) throws(ExperimentError) {
        try append(EventFile.record(metrics, at: Date()), to: eventsPath)
    }

    /// Starts the file anew with the epochs so far.
    package func replaceEvents(with history: [EpochMetrics]) throws(ExperimentError) {
        let now = Date()
        try makeFolder(path)
        try JSONFile.writeWhole(
            EventFile.header(at: now) + history.flatMap { EventFile.record($0, at: now) }, to: eventsPath)
    }
}
