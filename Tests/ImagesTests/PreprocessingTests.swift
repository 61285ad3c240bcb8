import Foundation
import GossamerImages
import GossamerTensors
import Testing

@Suite struct PreprocessingTests {
    private static func preprocessing(_ resizing: Preprocessing.Resizing, channels: Int = 3) -> Preprocessing {
        Preprocessing(resizing: resizing, normalization: Normalization(identityOf: channels))
    }

    /// Sizes as torchvision's Resize and CenterCrop give them.
    @Test(arguments: [
        // resizing, image, input, resized, window's corner
        (Preprocessing.Resizing.none, [32, 32], [24, 24], [32, 32], [4, 4]),
        (.none, [29, 31], [24, 24], [29, 31], [2, 4]),
        (.cover, [500, 375], [224, 224], [298, 224], [37, 0]),
        (.cover, [375, 500], [224, 224], [224, 298], [0, 37]),
        (.cover, [10, 10], [20, 30], [30, 30], [5, 0]),
        (.cover, [1, 1000], [4, 4], [4, 4000], [0, 1998]),
        (.shorterSide(256), [500, 375], [224, 224], [341, 256], [58, 16]),
        (.shorterSide(256), [375, 500], [224, 224], [256, 341], [16, 58]),
        (.stretch, [500, 375], [224, 224], [224, 224], [0, 0]),
        (.cover, [28, 28], [28, 28], [28, 28], [0, 0]),
    ])
    func theCentreIsCutOut(
        resizing: Preprocessing.Resizing, image: [Int], input: [Int], resized: [Int], corner: [Int]
    ) throws {
        let window = try #require(Self.preprocessing(resizing).centralWindow(
            of: PixelSize(height: image[0], width: image[1]), input: PixelSize(height: input[0], width: input[1])))
        #expect(window.resized == PixelSize(height: resized[0], width: resized[1]))
        #expect([window.windowTop, window.windowLeft] == corner)
        #expect(window.part == PixelSize(height: image[0], width: image[1]) && window.top == 0 && window.left == 0)
    }

    @Test(arguments: [(Preprocessing.Resizing.none, 23, 40), (.shorterSide(23), 100, 200)])
    func whatDoesNotCoverTheInputIsAnError(resizing: Preprocessing.Resizing, height: Int, width: Int) {
        let image = PixelImage(
            shape: Shape(channels: 1, height: height, width: width),
            pixels: [UInt8](repeating: 0, count: height * width))
        let error = #expect(throws: ImageError.self) {
            try Self.preprocessing(resizing, channels: 1)
                .input(of: image, shape: Shape(channels: 1, height: 24, width: 24), name: "a.jpg")
        }
        #expect(error?.description.hasPrefix("a.jpg: an image of \(height) x \(width) pixels") == true)
    }

    @Test func channelsAreThoseOfTheNetwork() throws {
        let color = PixelImage(shape: Shape(channels: 3, height: 1, width: 1), pixels: [255, 51, 0])
        let grey = PixelImage(shape: Shape(channels: 1, height: 1, width: 1), pixels: [51])
        let one = Shape(channels: 1, height: 1, width: 1), three = Shape(channels: 3, height: 1, width: 1)
        var preprocessing = Self.preprocessing(.cover)
        preprocessing.normalization = Normalization(mean: [0, 0.2, 0], standardDeviation: [1, 2, 0.5])
        #expect(try preprocessing.input(of: color, shape: three) == [1, 0, 0])
        #expect(try preprocessing.input(of: grey, shape: three) == [0.2, 0, 0.4])
        preprocessing.channelOrder = .bgr
        #expect(try preprocessing.input(of: color, shape: three) == [0, 0, 2])
        // 0.299, 0.587 and 0.114 of them.
        #expect(try Self.preprocessing(.cover, channels: 1).input(of: color, shape: one) == [106 / 255])
        #expect(throws: ImageError.self) {
            try Self.preprocessing(.cover, channels: 2).input(of: color, shape: Shape(channels: 2, height: 1, width: 1))
        }
    }

    @Test(arguments: ["none", "cover", "stretch", "shorter-side=256"])
    func resizingIsCodedAsText(text: String) throws {
        let preprocessing = Preprocessing(
            resizing: try #require(.init(parsing: text)), interpolation: .bicubic, channelOrder: .bgr,
            normalization: Normalization(identityOf: 3))
        #expect(preprocessing.resizing.description == text)
        let json = try JSONEncoder().encode(preprocessing)
        #expect(try JSONDecoder().decode(Preprocessing.self, from: json) == preprocessing)
    }

    @Test(arguments: ["", "crop", "cover=1", "shorter-side", "shorter-side=0", "shorter-side=-1", "shorter-side=99999"])
    func otherTextIsRefused(text: String) {
        #expect(Preprocessing.Resizing(parsing: text) == nil)
        let json = #"{"resizing": "\#(text)", "normalization": {"mean": [0], "standardDeviation": [1]}}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Preprocessing.self, from: Data(json.utf8)) }
    }
}
