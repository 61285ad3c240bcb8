import GossamerDatasets
import GossamerTensors
import Testing

@Suite struct ValidationSplitTests {
    /// Images that tell their own place in the set.
    private func numbered(count: Int, classCount: Int, seed: UInt64) -> LabelledImages {
        var generator = SeededGenerator(seed: seed)
        return LabelledImages(
            name: "numbered", shape: Shape(channels: 1, height: 1, width: 2),
            pixels: (0 ..< count).flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] },
            labels: (0 ..< count).map { _ in Int32(generator.index(below: classCount)) },
            classNames: (0 ..< classCount).map { "\($0)" })
    }

    private func numbers(_ images: LabelledImages) -> [Int] {
        (0 ..< images.count).map { Int(images.pixels[2 * $0]) << 8 | Int(images.pixels[2 * $0 + 1]) }
    }

    @Test(arguments: 1 ... 40)
    func partsAreDisjointCoverAndAreStratified(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let images = numbered(
            count: generator.index(below: 1500), classCount: 1 + generator.index(below: 12), seed: seed)
        let fraction = Double(generator.uniform())
        let split = try images.split(validationFraction: fraction, seed: seed)
        let (training, validation) = (numbers(split.training), numbers(split.validation))
        #expect((training + validation).sorted() == Array(0 ..< images.count), "seed \(seed)")
        #expect(training == training.sorted() && validation == validation.sorted(), "seed \(seed)")
        #expect(split.training.labels == training.map { images.labels[$0] }, "seed \(seed)")
        #expect(split.validation.labels == validation.map { images.labels[$0] }, "seed \(seed)")
        for label in 0 ..< Int32(images.classCount) {
            let members = images.labels.count { $0 == label }
            let heldBack = split.validation.labels.count { $0 == label }
            let expected = min((Double(members) * fraction).rounded(), Double(max(members - 1, 0)))
            #expect(heldBack == Int(expected), "seed \(seed)")
        }
    }

    /// Each class has one to three images here, and almost all of them are asked for.
    @Test func aClassKeepsItsLastImage() throws {
        let images = LabelledImages(
            name: "few", shape: Shape(channels: 1, height: 1, width: 1), pixels: [0, 1, 2, 3, 4, 5],
            labels: [0, 1, 2, 1, 2, 2], classNames: ["one", "two", "three", "none"])
        let split = try images.split(validationFraction: 0.99, seed: 1)
        #expect(split.training.labels.sorted() == [0, 1, 2])
        #expect(split.validation.labels.sorted() == [1, 2, 2])
    }

    @Test func followsFromTheSeed() throws {
        let images = numbered(count: 500, classCount: 5, seed: 1)
        let first = try images.split(validationFraction: 0.2, seed: 7)
        #expect(try images.split(validationFraction: 0.2, seed: 7).validation.pixels == first.validation.pixels)
        #expect(try images.split(validationFraction: 0.2, seed: 8).validation.pixels != first.validation.pixels)
    }

    @Test func nothingIsHeldBackAtZero() throws {
        let images = numbered(count: 50, classCount: 5, seed: 1)
        let split = try images.split(validationFraction: 0, seed: 1)
        #expect(split.validation.count == 0 && split.training.pixels == images.pixels)
    }

    @Test(arguments: [-0.1, 1, 2, .nan, .infinity])
    func fractionOutsideItsRangeIsReported(fraction: Double) {
        #expect(throws: DatasetError.invalidArgument(
            name: "validation fraction", found: "\(fraction)", expected: "at least 0 and below 1")
        ) {
            try numbered(count: 50, classCount: 5, seed: 1).split(validationFraction: fraction, seed: 1)
        }
    }
}
