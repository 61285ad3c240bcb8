import GossamerExperiments
import Testing

@Suite struct FormatTests {
    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_657_632, "1,657,632"), (-12_345, "-12,345"),
        (-123, "-123"),
    ])
    func exactCountsAreGrouped(value: Int, text: String) { #expect(Format.exact(value) == text) }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (123_456, "123 kB"), (2_500_000, "2.5 MB"), (7 << 30, "7.52 GB"),
    ])
    func bytesHavePrefixes(value: Int, text: String) { #expect(Format.bytes(value) == text) }

    @Test(arguments: [
        (0, "0 s"), (0.1234, "0.123 s"), (59.96, "60 s"), (90, "90 s"), (150, "2.5 min"), (9000, "2.5 h"),
        (.infinity, "?"), (.nan, "?"),
    ] as [(Double, String)])
    func secondsHaveThreeDigits(value: Double, text: String) { #expect(Format.seconds(value) == text) }

    @Test func fractionsArePercentages() {
        #expect(Format.percent(0.9012) == "90.12 %")
        #expect(Format.percent(0.5, digits: 0) == "50 %" && Format.fixed(-1.25, 1) == "-1.2")
    }
}
