import GossamerTensors
import Testing

@Suite struct NearestNameTests {
    private let names = ["dense", "random", "expander", "grouped"]

    @Test(arguments: [
        ("random", "random"), ("Random", "random"), ("randm", "random"), ("radnom", "random"), ("dens", "dense"),
        ("expanded", "expander"), ("group", "grouped"), ("x", nil), ("", nil), ("convolution", nil),
    ])
    func findsTheNearest(name: String, nearest: String?) {
        #expect(nearestName(to: name, among: names) == nearest)
    }

    @Test func firstOfEquallyNearNamesWins() {
        #expect(nearestName(to: "cat", among: ["bat", "cut"]) == "bat")
        #expect(nearestName(to: "cat", among: ["cut", "bat"]) == "cut")
    }
}
