import GossamerImages
import GossamerTensors

/// One buffer of the ring: the images of a batch, with their labels and places in the data set.
final class BatchSlot: @unchecked Sendable {
    enum State { case free, filling, ready, lent }

    var state = State.free
    var step = 0
    var count = 0
    /// Why the batch could not be prepared.
    var failure: DatasetError?
    let images: AlignedBuffer<Float>
    let labels: AlignedBuffer<Int32>
    let indices: AlignedBuffer<Int32>

    init(layout: ActivationLayout, batchSize: Int) {
        images = AlignedBuffer(count: layout.count(images: batchSize))
        labels = AlignedBuffer(count: batchSize)
        indices = AlignedBuffer(count: batchSize)
    }
}

/// What the loader, its workers and its batches share: the order of the epoch and a ring of buffers.
///
/// Steps are claimed in order, so the step that the consumer waits for is always ready or being filled, and no step can
/// starve another. All state is guarded by the monitor, except the contents of a slot, which belong to the worker that
/// fills it and then to the consumer that borrows it; the order of images does not change while a slot is being filled.
final class BatchRing: @unchecked Sendable {
    private enum Event { static let work = 0, ready = 1, idle = 2 }

    let images: LabelledImages
    let layout: ActivationLayout
    private let preprocessing: Preprocessing
    private let augmentation: Augmentation
    private let monitor = Monitor(eventCount: 3)
    private let slots: [BatchSlot]
    private var order: EpochOrder
    private var reader: any ImageReader
    /// The next step for a worker, and for the consumer.
    private var nextClaim: Int
    private var nextStep: Int
    private var isPaused = true
    private var isStopped = false

    init(
        images: LabelledImages, preprocessing: Preprocessing, augmentation: Augmentation, layout: ActivationLayout,
        order: EpochOrder, slotCount: Int
    ) {
        self.images = images
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.layout = layout
        self.order = order
        reader = images.reader(for: [])
        slots = (0 ..< slotCount).map { _ in BatchSlot(layout: layout, batchSize: order.batchSize) }
        nextClaim = order.stepCount
        nextStep = order.stepCount
    }

    // MARK: Consumer

    /// Forgets what was prepared, and begins an epoch at a step.
    func start(epoch: Int, step: Int) {
        monitor.withLock {
            isPaused = true
            while slots.contains(where: { $0.state == .filling }) { monitor.wait(for: Event.idle) }
            for slot in slots where slot.state == .ready { slot.state = .free }
            order.start(epoch: epoch)
            reader = images.reader(for: order.indices[min(step * order.batchSize, order.indices.count)...])
            nextClaim = step
            nextStep = step
            isPaused = false
            monitor.announce(Event.work)
        }
    }

    /// The slot of the next step once it is ready, or nil at the end of the epoch.
    func borrow() -> BatchSlot? {
        monitor.withLock {
            guard nextStep < order.stepCount else { return nil }
            precondition(slots.contains { $0.state != .lent }, "every batch of the loader is still in use")
            while true {
                if let slot = slots.first(where: { $0.state == .ready && $0.step == nextStep }) {
                    slot.state = .lent
                    nextStep += 1
                    return slot
                }
                monitor.wait(for: Event.ready)
            }
        }
    }

    func giveBack(_ slot: BatchSlot) {
        monitor.withLock {
            slot.state = .free
            // Workers fill the ring in bursts: one that wakes for every batch takes a core from the training's threads
            // again and again, and the system then keeps two of those on one core.
            let prepared = slots.count { $0.state == .ready || $0.state == .filling }
            if 2 * prepared <= slots.count { monitor.announce(Event.work) }
        }
    }

    /// Makes the workers return.
    func stop() {
        monitor.withLock {
            isStopped = true
            monitor.announce(Event.work)
        }
    }

    // MARK: Workers

    /// Fills slots until the ring is stopped.
    func work() {
        var writer = InputWriter(layout: layout, preprocessing: preprocessing)
        while let slot = claim() {
            slot.failure = nil
            do throws(DatasetError) { try fill(slot, with: &writer) } catch { slot.failure = error }
            monitor.withLock {
                slot.state = .ready
                monitor.announce(isPaused ? Event.idle : Event.ready)
            }
        }
    }

    private func claim() -> BatchSlot? {
        monitor.withLock {
            while !isStopped {
                if !isPaused, nextClaim < order.stepCount, let slot = slots.first(where: { $0.state == .free }) {
                    slot.state = .filling
                    slot.step = nextClaim
                    nextClaim += 1
                    return slot
                }
                monitor.wait(for: Event.work)
            }
            return nil
        }
    }

    private func fill(_ slot: BatchSlot, with writer: inout InputWriter) throws(DatasetError) {
        let range = order.range(ofStep: slot.step)
        slot.count = range.count
        if range.count < order.batchSize { clearIdleLanes(of: slot) }
        for (position, place) in range.enumerated() {
            let index = order.indices[place]
            slot.indices[position] = index
            slot.labels[position] = images.labels[Int(index)]
            try images.withImage(Int(index), from: reader) { (image) throws(ImageError) in
                let change = try change(of: image, index, for: writer)
                writer.write(image, change, at: position, of: slot.images.pointer)
            }
        }
    }

    private func change(
        of image: PixelView, _ index: Int32, for writer: borrowing InputWriter
    ) throws(ImageError) -> ImageChange {
        let name = images.imageName(Int(index))
        guard augmentation != .none else { return ImageChange(window: try writer.window(of: image.shape, name: name)) }
        try writer.checkChannels(of: image.shape, name: name)
        var generator = order.generator(image: index)
        guard let change = augmentation.draw(
            for: PixelSize(image.shape), preprocessing, input: PixelSize(layout.shape), using: &generator)
        else { throw writer.tooSmall(image.shape, name: name) }
        return change
    }

    /// An earlier batch may have left images where a smaller one has none.
    private func clearIdleLanes(of slot: BatchSlot) {
        let firstPartialBlock = slot.count / layout.lanes * layout.blockPitch
        (slot.images.pointer + firstPartialBlock)
            .update(repeating: 0, count: slot.images.count - firstPartialBlock)
    }
}
