import GossamerTensors

/// Prepares the batches of an epoch ahead of the training step, on threads of its own.
///
/// The order of the images and every bit of the batches follow from the seed and the epoch, whatever the number of
/// workers. All buffers are allocated at the beginning; the threads end with the loader.
///
///     let loader = BatchLoader(
///         images: train, input: network.inputShape, preprocessing: preprocessing, batchSize: 64, seed: 1)
///     loader.startEpoch(0)
///     while let batch = try loader.nextBatch() { step(batch.images, batch.labels) }
///
/// One thread at a time may use a loader.
public final class BatchLoader {
    public let layout: ActivationLayout
    public let batchSize: Int
    /// Batches in an epoch, the last partial one included unless it is dropped.
    public let stepsPerEpoch: Int
    private let ring: BatchRing
    private let threads: [WorkerThread]

    /// - Parameters:
    ///   - images: fewer than 2^31.
    ///   - input: the shape of a network's input, which the preprocessing makes of every image.
    ///   - batchSize: images in a batch, at least 1.
    ///   - lanes: of the layout, 16 or 1.
    ///   - seed: of the order and the augmentation.
    ///   - shuffle: whether an epoch visits the images in random order.
    ///   - workers: threads that prepare batches, at least 1.
    ///   - prefetch: batches prepared ahead of the one in use, at least 1.
    ///   - dropLast: whether to leave out a last batch that is smaller than the others.
    public init(
        images: LabelledImages, input: Shape, preprocessing: Preprocessing, batchSize: Int, lanes: Int = 16,
        seed: UInt64, shuffle: Bool = true, augmentation: Augmentation = .none, workers: Int = 1,
        prefetch: Int = 2, dropLast: Bool = false
    ) {
        precondition(batchSize > 0 && lanes > 0 && workers > 0 && prefetch > 0)
        layout = ActivationLayout(shape: input, lanes: lanes)
        self.batchSize = batchSize
        let order = EpochOrder(
            images: images, batchSize: batchSize, dropLast: dropLast, seed: seed, shuffle: shuffle)
        stepsPerEpoch = order.stepCount
        let ring = BatchRing(
            images: images, preprocessing: preprocessing, augmentation: augmentation, layout: layout, order: order,
            slotCount: prefetch + 1)
        self.ring = ring
        threads = (0 ..< workers).map { _ in WorkerThread { ring.work() } }
    }

    deinit {
        ring.stop()
        for thread in threads { thread.join() }
    }

    /// Begins an epoch, dropping what was left of another; batches in use stay valid.
    ///
    /// - Parameter fromStep: batches to skip, 0 ... stepsPerEpoch, where training resumes within the epoch.
    public func startEpoch(_ epoch: Int, fromStep step: Int = 0) {
        precondition(epoch >= 0 && step >= 0 && step <= stepsPerEpoch)
        ring.start(epoch: epoch, step: step)
    }

    /// Waits for the next batch of the epoch; nil after the last one, and before the first epoch.
    ///
    /// - Precondition: fewer than `prefetch + 1` batches are in use.
    /// - Throws: why one of the batch's images cannot be used, named.
    public func nextBatch() throws(DatasetError) -> Batch? {
        guard let slot = ring.borrow() else { return nil }
        let batch = Batch(slot: slot, ring: ring)
        if let failure = slot.failure { throw failure }
        return batch
    }
}

/// A prepared batch; its buffers return to the loader when it goes out of scope.
public struct Batch: ~Copyable {
    private let slot: BatchSlot
    private let ring: BatchRing

    fileprivate init(slot: BatchSlot, ring: BatchRing) {
        self.slot = slot
        self.ring = ring
    }

    deinit { ring.giveBack(slot) }

    /// The place of the batch in its epoch.
    public var step: Int { slot.step }

    /// Images in the batch: `batchSize`, or fewer in the last one.
    public var count: Int { slot.count }

    /// Where `images` holds what.
    public var layout: ActivationLayout { ring.layout }

    /// Normalised activations of a whole batch; lanes without an image are zero. Valid as long as the batch is.
    public var images: UnsafePointer<Float> { UnsafePointer(slot.images.pointer) }

    /// The class of each image. Valid as long as the batch is.
    public var labels: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: slot.labels.pointer, count: slot.count)
    }

    /// The place of each image in the data set. Valid as long as the batch is.
    public var indices: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: slot.indices.pointer, count: slot.count)
    }
}
