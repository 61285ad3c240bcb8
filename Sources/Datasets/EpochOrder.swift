import GossamerTensors

/// Which images an epoch's batches hold, in which order: it follows from the seed and the epoch alone.
struct EpochOrder {
    let batchSize: Int
    let dropLast: Bool
    private let seed: UInt64
    private let shuffle: Bool
    private(set) var indices: [Int32]
    private var augmentationKey: UInt64 = 0

    init(imageCount: Int, batchSize: Int, dropLast: Bool, seed: UInt64, shuffle: Bool) {
        self.batchSize = batchSize
        self.dropLast = dropLast
        self.seed = seed
        self.shuffle = shuffle
        indices = (0 ..< Int32(imageCount)).map { $0 }
    }

    var stepCount: Int { dropLast ? indices.count / batchSize : (indices.count + batchSize - 1) / batchSize }

    func range(ofStep step: Int) -> Range<Int> {
        step * batchSize ..< min((step + 1) * batchSize, indices.count)
    }

    mutating func start(epoch: Int) {
        var augmentation = SeededGenerator(seed: seed, keys: SeededGenerator.key("augmentation"), UInt64(epoch))
        augmentationKey = augmentation.next()
        guard shuffle else { return }
        // From the identity again, so that an epoch does not depend on the one before.
        for index in indices.indices { indices[index] = Int32(index) }
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("shuffle"), UInt64(epoch))
        for last in stride(from: indices.count - 1, to: 0, by: -1) {
            indices.swapAt(last, generator.index(below: last + 1))
        }
    }

    /// The generator of one image's augmentation in this epoch.
    func generator(image: Int32) -> SeededGenerator {
        // Mixed here rather than passed as a key, since a list of keys would be allocated for each image.
        SeededGenerator(seed: augmentationKey ^ (UInt64(image) &* 0x9fb2_1c65_1e98_df25))
    }
}
