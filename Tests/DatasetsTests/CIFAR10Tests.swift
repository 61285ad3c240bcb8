import Foundation
import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct CIFAR10Tests {
    private static func record(_ label: UInt8, seed: UInt64) -> [UInt8] {
        [label] + Samples.randomBytes(3072, seed: seed)
    }

    @Test func recordsAreLabelsAndPlanes() throws {
        let bytes = Self.record(3, seed: 1) + Self.record(9, seed: 2)
        for file in [bytes, Samples.gzip(bytes)] {
            let images = try CIFAR10.images(bytes: file, name: "a.bin")
            #expect(images.labels == [3, 9] && images.shape == Shape(channels: 3, height: 32, width: 32))
            #expect(images.pixels == Samples.randomBytes(3072, seed: 1) + Samples.randomBytes(3072, seed: 2))
            #expect(images.classNames[3] == "cat")
        }
    }

    @Test func aFolderIsADataSet() throws {
        try Samples.withFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder + "/cifar-10-batches-bin", withIntermediateDirectories: false)
            for number in 1 ... 5 {
                let bytes = Self.record(UInt8(number), seed: UInt64(number))
                let file = "cifar-10-batches-bin/data_batch_\(number).bin"
                try Samples.write(number == 2 ? Samples.gzip(bytes) : bytes, folder, number == 2 ? file + ".gz" : file)
            }
            try Samples.write(Self.record(0, seed: 9), folder, "cifar-10-batches-bin/test_batch.bin")
            for directory in [folder, folder + "/cifar-10-batches-bin/"] {
                let set = try Dataset.open(.parse("cifar10:\(directory)"))
                #expect(set.train.labels == [1, 2, 3, 4, 5] && set.test.labels == [0])
            }
        }
    }

    @Test func damageIsNamed() {
        let record = Self.record(1, seed: 1)
        for (bytes, text) in [
            ([], "record 0"), (Array(record.dropLast()), "record 0"), (record + [2], "record 1"),
            (record + Self.record(10, seed: 1), "label of image 1 is 10"), (Self.record(0x1f, seed: 1), "label"),
            (Samples.gzip(record + [1, 2]), "record 1"), (Array(Samples.gzip(record).dropLast(4)), "gzip"),
        ] as [([UInt8], String)] {
            let error = #expect(throws: DatasetError.self) { try CIFAR10.images(bytes: bytes, name: "a.bin") }
            #expect(
                error?.description.hasPrefix("a.bin: ") == true && error?.description.contains(text) == true,
                "\(String(describing: error))")
        }
    }
}
