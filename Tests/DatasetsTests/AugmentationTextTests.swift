import GossamerDatasets
import Testing

@Suite struct AugmentationTextTests {
    @Test(arguments: ["none", "flip", "shift=1", "shift=64", "flip,shift=2", "crop", "resized-crop=0.08:1",
        "crop,flip,shift=2,brightness=0.25,contrast=0.2:1.8,saturation=0.5:1.5", "brightness=1", "contrast=0:10",
    ])
    func textRoundTrips(text: String) throws {
        #expect(try Augmentation(parsing: text).description == text)
    }

    @Test(arguments: [
        "", "flop", "flip,flip", "shift", "shift=", "shift=0", "shift=-1", "shift=65", "shift=2=3", "flip=1", "flip,",
        "none,flip", "shift=1,shift=2", "crop=24", "crop,resized-crop", "resized-crop=0:1", "resized-crop=0.5",
        "resized-crop=0.5:1.5", "brightness=0", "brightness=1.5", "brightness", "contrast=1.2:0.8", "contrast=-1:1",
        "contrast=nan:1", "contrast=1:inf", "contrast=1:2:3", "saturation=1", "shift=999999999999999999999",
    ])
    func otherTextIsRefused(text: String) {
        let error = #expect(throws: DatasetError.self) { _ = try Augmentation(parsing: text) }
        #expect(error?.description.contains("flip,shift=2") == true)
    }
}
