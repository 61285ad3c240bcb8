import GossamerTensors

/// Ten classes that are easy to tell apart: a bright bar at one of ten places, on noise.
struct SampleImages {
    var side = 12
    var trainingCount = 400
    var testCount = 200

    /// Writes the four files of MNIST into a folder.
    func write(to folder: String, of gossamer: Gossamer) throws {
        for (part, count, seed) in [("train", trainingCount, 1), ("t10k", testCount, 2)] {
            try gossamer.write(labels(count), to: "\(folder)/\(part)-labels-idx1-ubyte")
            try gossamer.write(images(count, seed: UInt64(seed)), to: "\(folder)/\(part)-images-idx3-ubyte")
        }
    }

    func labels(_ count: Int) -> [UInt8] { Self.header(0x801, [count]) + (0 ..< count).map { UInt8($0 % 10) } }

    func images(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var bytes = Self.header(0x803, [count, side, side])
        for image in 0 ..< count {
            let (half, fifth) = (image % 10 / 5, image % 5)
            for row in 0 ..< side {
                for column in 0 ..< side {
                    let isBright = row * 2 / side == half && column * 5 / side == fifth
                    bytes.append(UInt8(generator.index(below: 60) + (isBright ? 190 : 0)))
                }
            }
        }
        return bytes
    }

    static func header(_ magic: Int, _ sizes: [Int]) -> [UInt8] {
        ([magic] + sizes).flatMap { value in (0 ..< 4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    }
}

extension Gossamer {
    /// A folder with sample images in `images`.
    static func withImages(_ images: SampleImages = SampleImages()) throws -> Gossamer {
        let gossamer = try Gossamer()
        try images.write(to: "images", of: gossamer)
        return gossamer
    }

    /// A short training of a small network on the sample images.
    func training(_ more: String..., output: String = "run", epochs: Int = 2) -> [String] {
        ["train", "--data", "mnist:images", "--pattern", "random:0.1", "--batch-size", "16", "--learning-rate", "0.02",
         "--epochs", "\(epochs)", "--threads", "1", "--output", output] + more
    }
}
