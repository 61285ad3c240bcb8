import GossamerTensors

/// Which images an epoch's batches hold, in which order: it follows from the seed and the epoch alone.
struct EpochOrder {
    let batchSize: Int
    let dropLast: Bool
    private let images: LabelledImages
    private let seed: UInt64
    private let shuffle: Bool
    private(set) var indices: [Int32]
    private var augmentationKey: UInt64 = 0

    init(images: LabelledImages, batchSize: Int, dropLast: Bool, seed: UInt64, shuffle: Bool) {
        self.images = images
        self.batchSize = batchSize
        self.dropLast = dropLast
        self.seed = seed
        self.shuffle = shuffle
        indices = (0 ..< Int32(images.count)).map { $0 }
    }

    var stepCount: Int { dropLast ? indices.count / batchSize : (indices.count + batchSize - 1) / batchSize }

    func range(ofStep step: Int) -> Range<Int> {
        step * batchSize ..< min((step + 1) * batchSize, indices.count)
    }

    mutating func start(epoch: Int) {
        var augmentation = SeededGenerator(seed: seed, keys: SeededGenerator.key("augmentation"), UInt64(epoch))
        augmentationKey = augmentation.next()
        guard shuffle else { return }
        var generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("shuffle"), UInt64(epoch))
        indices = images.shuffledIndices(using: &generator)
    }

    /// The generator of one image's augmentation in this epoch.
    func generator(image: Int32) -> SeededGenerator {
        // Mixed here rather than passed as a key, since a list of keys would be allocated for each image.
        SeededGenerator(seed: augmentationKey ^ (UInt64(image) &* 0x9fb2_1c65_1e98_df25))
    }
}
