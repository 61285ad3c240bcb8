import Foundation
import GossamerConnectivity
import GossamerTensors
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        "dense", "random:0.1", "random:0.1,block=4", "random:1", "random:0.003", "random:1e-05",
        "random:0.3333333333333333", "expander:0.1", "expander:0.25,block=4", "grouped:1", "grouped:32", "depthwise",
    ])
    func textRoundTrips(text: String) throws {
        let pattern = try Pattern(parsing: text)
        #expect(pattern.description == text)
        let encoded = try JSONEncoder().encode([pattern])
        #expect(String(decoding: encoded, as: UTF8.self) == "[\"\(text)\"]")
        #expect(try JSONDecoder().decode([Pattern].self, from: encoded) == [pattern])
    }

    @Test func randomPatternsRoundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0 ..< 500 {
            let density = Double(generator.next() >> 11) * 0x1p-53
            guard density > 0 else { continue }
            let pattern = Pattern.random(density: density, block: 1 + generator.index(below: 9))
            #expect(try Pattern(parsing: pattern.description) == pattern)
        }
    }

    @Test(arguments: [
        ("", "expected dense"), ("rnadom:0.1", "did you mean 'random'"), ("Dense", "did you mean 'dense'"),
        ("dense:1", "no options"), ("expander", "expander:0.1"), ("expandr:0.1", "did you mean 'expander'"),
        ("depthwise:2", "no options"), ("grouped", "grouped:8"), ("grouped:0", "1 to"), ("grouped:0.5", "whole"),
        ("grouped:8,block=2", "whole"), ("random", "random:0.1"), ("random:", "above 0"),
        ("random:0", "above 0"), ("random:-1", "above 0"), ("random:nan", "above 0"), ("random:inf", "at most 1"),
        ("random:1.0001", "at most 1"), ("random:0.1x", "0.1x"), ("random:0.1 ", "0.1 "),
        ("random:0.1,", "option"), ("random:0.1,blok=2", "blok"), ("random:0.1,block", "whole"),
        ("random:0.1,block=0", "whole"), ("random:0.1,block=-1", "whole"), ("random:0.1,block=1.5", "whole"),
        ("random:0.1,block=99999999999999999999", "whole"), ("random:0.1,block=2,block=3", "twice"),
        (String(repeating: "9", count: 100_000), "..."),
    ])
    func badTextIsRefusedInOneLine(text: String, expected: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(parsing: text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
        #expect((error?.message.count ?? 0) < 300)
    }

    /// Products that floating point puts just above a whole number count as that number.
    @Test func fanInIsRobustToRounding() {
        #expect(roundedUp(0.7, of: 10) == 7)
        #expect(roundedUp(0.1, of: 64) == 7)
        #expect(roundedUp(0.003, of: 144) == 1)
        #expect(roundedUp(1e-12, of: 3) == 1)
        #expect(roundedUp(1.5, of: 3) == 5)
        for percent in 1 ... 100 {
            // Exact, in whole numbers.
            let wrong = (1 ... 4096).filter { roundedUp(Double(percent) / 100, of: $0) != (percent * $0 + 99) / 100 }
            #expect(wrong.isEmpty, "\(percent) %")
        }
    }

    @Test func squareRootAppliesWhereALayerHasOneFilterOnASide() {
        #expect(Pattern.fanIn(density: 0.01, channels: 100, filters: 2) == 1)
        #expect(Pattern.fanIn(density: 0.01, channels: 100, filters: 1) == 10)
        #expect(Pattern.fanIn(density: 0.01, channels: 1, filters: 100) == 1)
    }
}
