import GossamerDatasets
import Testing

@Suite struct AugmentationTextTests {
    @Test(arguments: ["none", "flip", "shift=1", "shift=64", "flip,shift=2"])
    func textRoundTrips(text: String) throws {
        #expect(try Augmentation(parsing: text).description == text)
    }

    @Test(arguments: [
        "", "flop", "flip,flip", "shift", "shift=", "shift=0", "shift=-1", "shift=65", "shift=2=3", "flip=1", "flip,",
        "none,flip", "shift=1,shift=2", "shift=999999999999999999999",
    ])
    func otherTextIsRefused(text: String) {
        let error = #expect(throws: DatasetError.self) { _ = try Augmentation(parsing: text) }
        #expect(error?.description.contains("flip,shift=2") == true)
    }
}
