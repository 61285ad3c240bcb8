import GossamerImages
import GossamerTensors

/// Images, each with the class that it shows. They lie in memory, or in files that are read when an image is asked for.
public struct LabelledImages: Sendable {
    /// What error messages and reports call the set, such as `fashion-mnist test`.
    public let name: String
    /// The size of every image, where all have one; of image files, where all of a thousand, spread evenly, have one.
    public let shape: Shape?
    /// 1 for a set of grey images, 3 for colour; images of the other kind are converted.
    public let channels: Int
    /// The class of each image, 0 ..< classNames.count.
    public let labels: [Int32]
    public let classNames: [String]
    /// Shared by a set and its subsets.
    let store: any ImageStore
    /// Where each image is in the store; nil where images are in the store's order.
    let places: [Int32]?

    init(
        name: String, shape: Shape?, channels: Int, labels: [Int32], classNames: [String], store: any ImageStore,
        places: [Int32]? = nil
    ) {
        precondition((places?.count ?? store.count) == labels.count, "expected one label per image")
        precondition(labels.allSatisfy { $0 >= 0 && Int($0) < classNames.count }, "label out of range")
        self.name = name
        self.shape = shape
        self.channels = channels
        self.labels = labels
        self.classNames = classNames
        self.store = store
        self.places = places
    }

    /// Images of one size in memory.
    ///
    /// - Parameter pixels: 0 to 255, as [image][channel][row][column].
    /// - Precondition: one label per image, each below the number of classes.
    public init(name: String, shape: Shape, pixels: [UInt8], labels: [Int32], classNames: [String]) {
        precondition(shape.channels > 0 && shape.height > 0 && shape.width > 0)
        precondition(pixels.count == labels.count * shape.count, "expected one label per image")
        self.init(
            name: name, shape: shape, channels: shape.channels, labels: labels, classNames: classNames,
            store: PixelStore(pixels: pixels, shape: shape, set: name))
    }

    /// Images in the set.
    public var count: Int { labels.count }

    public var classCount: Int { classNames.count }

    /// The images at `indices`, in that order.
    public func subset(_ indices: [Int], name: String? = nil) -> LabelledImages {
        LabelledImages(
            name: name ?? self.name, shape: shape, channels: channels, labels: indices.map { labels[$0] },
            classNames: classNames, store: store, places: indices.map { Int32(place(of: $0)) })
    }

    /// The set with its classes in another order.
    ///
    /// - Returns: nil where these are not the names of its classes, each once.
    public func withClasses(inOrder names: [String]) -> LabelledImages? {
        var ranks: [String: Int32] = [:]
        for (rank, name) in names.enumerated() { ranks[name] = Int32(rank) }
        guard names.count == classNames.count, ranks.count == names.count, Set(classNames) == Set(names) else {
            return nil
        }
        let numbers = classNames.map { ranks[$0]! }
        return LabelledImages(
            name: name, shape: shape, channels: channels, labels: labels.map { numbers[Int($0)] }, classNames: names,
            store: store, places: places)
    }

    private func place(of index: Int) -> Int { places.map { Int($0[index]) } ?? index }

    /// A copy of the pixels of all images, [image][channel][row][column].
    ///
    /// - Precondition: the images lie in memory.
    package var pixels: [UInt8] {
        var pixels: [UInt8] = []
        for index in 0 ..< count {
            // What lies in memory can always be read.
            try! withImage(index) { pixels += UnsafeBufferPointer(start: $0.pixels, count: $0.shape.count) }
        }
        return pixels
    }

    /// What error messages call an image.
    package func imageName(_ index: Int) -> String { store.name(of: place(of: index)) }

    /// Calls `body` with an image, which is valid until `body` returns.
    ///
    /// - Parameter reader: one for an order that holds the image; nil where there is no order.
    package func withImage(
        _ index: Int, from reader: (any ImageReader)? = nil, _ body: (PixelView) throws(ImageError) -> Void
    ) throws(DatasetError) {
        try (reader ?? store).withImage(place(of: index), body)
    }

    /// A reader that is asked for each of these images once, roughly in this order.
    func reader(for order: ArraySlice<Int32>) -> any ImageReader {
        store.reader(for: order.map { place(of: Int($0)) })
    }

    /// All images in a random order in which they can be read.
    func shuffledIndices(using generator: inout SeededGenerator) -> [Int32] {
        guard let places else {
            return store.shuffled(Array(0 ..< count), using: &generator).map { Int32($0) }
        }
        // Indices of the store, and back.
        var indices: [Int: Int32] = [:]
        for (index, place) in places.enumerated() { indices[Int(place)] = Int32(index) }
        precondition(indices.count == count, "an image is in the set twice")
        return store.shuffled(places.map { Int($0) }, using: &generator).map { indices[$0]! }
    }

    /// Calls `body` with bytes that tell an image from others; it may do so several times.
    package func withIdentity(of index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        store.withIdentity(of: place(of: index), body)
    }
}
