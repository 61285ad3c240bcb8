import Foundation
import GossamerExperiments
import GossamerTestSupport
import Testing

@Suite struct ReportTests {
    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func everyFileIsWritten() throws {
        try Report.preflight()
        let temporary = TemporaryFolder()
        let files = try Report.write(SampleComparison.records(), to: temporary.path + "/report")
        #expect(files.plots.count == 8 && files.tables.count == 2)
        for path in files.plots where path.hasSuffix(".png") {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(bytes.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]) && bytes.count > 10_000)
        }
        for path in files.plots where path.hasSuffix(".svg") {
            #expect(try XMLDocumentCheck.isWellFormed(path))
            let drawing = try text(path)
            #expect(["sparse random", "depth multiplier", "dense", "10 %", "×0.316"].allSatisfy(drawing.contains))
        }
        let page = try text(files.page)
        #expect(page.components(separatedBy: "<svg").count == 5)
        // Alone and without scripts: nothing is fetched but by the reader's click.
        #expect(!page.contains("<script") && !page.contains("src=") && !page.contains("url("))
        // Colours follow light and dark, and identifiers are unique.
        #expect(!page.contains("rgb(") && !page.contains("'black'") && !page.contains("'white'"))
        let identifiers = page.matches(of: /\sid=["']([^"']+)["']/).map { String($0.output.1) }
        #expect(Set(identifiers).count == identifiers.count)
        #expect(["<h1>At equal", "Who wins", "3 seeds", "A Processor 9000", "0.1.0", "<code>gossamer compare"]
            .allSatisfy(page.contains))
        #expect(!page.contains("SQL") && !page.contains("Optional("))
        let left = try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/report")
        #expect(left.count == 11)
    }

    @Test func valuesInTheTablesAreThoseOfTheRuns() throws {
        let temporary = TemporaryFolder()
        let records = SampleComparison.records()
        let files = try Report.write(records, to: temporary.path)
        let points = try CSVReader.rows(text(files.tables[0]))
        #expect(points.count == 7)
        let sparse = try #require(points.first { $0["pattern"] == "random:0.03" })
        let accuracies = records.filter { $0.configuration.pattern == "random:0.03" }
            .compactMap(\.results?.testAccuracy)
        let sample = try #require(Sample(accuracies))
        #expect(sparse["seeds"] == "3" && sparse["density"] == "0.03" && sparse["depth_multiplier"] == "1")
        #expect(abs(Double(sparse["test_accuracy_mean"]!)! - sample.mean) < 1e-12)
        #expect(abs(Double(sparse["test_accuracy_deviation"]!)! - sample.deviation!) < 1e-12)
        #expect(sparse["convolution_parameters"] == "52576")
        let runs = try CSVReader.rows(text(files.tables[1]))
        #expect(runs.count == records.count)
        for (row, record) in zip(runs, records.sorted { $0.configuration.seed < $1.configuration.seed }) {
            #expect(row["test_accuracy"].flatMap(Double.init) == record.results?.testAccuracy)
            #expect(row["multiply_adds"].flatMap(Int.init) == record.cost?.multiplyAdds)
            #expect(row["seed"] == "\(record.configuration.seed)" && row["status"] == "completed")
        }
    }

    /// What a hostile name would do: run a command in gnuplot or the shell, break out of a string, inject markup.
    static let hostileNames = [
        "it's", "'; system('touch hacked') #", "`touch hacked`", "$(touch hacked)", "\"; !touch hacked\n!touch hacked",
        "a\n!touch hacked\nb", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</svg></style><b>",
        "=cmd|' /C calc'!A0", "a,b\"c\r\nd", "@macro %s %d {/Symbol a}_b^c \\", "&amp;&lt;", "\u{1b}[31mred\u{202e}",
        String(repeating: "x", count: 3000),
    ]

    @Test(arguments: [0, 3, 6, 9, 12])
    func hostileNamesStayText(_ index: Int) throws {
        let names = Self.hostileNames[index ..< index + 3].map { $0 }
        let (network, data, name) = (names[0], names[1], names[2])
        let temporary = TemporaryFolder()
        var records = SampleComparison.records()
        for index in records.indices {
            records[index].configuration.network = network
            records[index].configuration.data = data
            records[index].configuration.schedule = name
            records[index].dataNote = name
            records[index].machine.processor = name
            records[index].commandLine = [name]
            records[index].programVersion = name
            if records[index].configuration.method == .sparse {
                records[index].configuration.pattern += ",\(name)"
            }
        }
        records[0].status = .failed
        records[0].message = name
        let before = Set(try FileManager.default.contentsOfDirectory(atPath: "."))
        let options = Report.Options(title: index == 0 ? nil : name, notes: [name])
        let files = try Report.write(records, to: temporary.path + "/report", options: options)
        let page = try text(files.page)
        #expect(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>\n"))
        #expect(page.components(separatedBy: "</svg>").count == 5)
        #expect(page.components(separatedBy: "</style>").count == 2)
        #expect(!page.contains("\u{1b}") && !page.contains("\u{202e}"))
        for path in files.plots where path.hasSuffix(".svg") { #expect(try XMLDocumentCheck.isWellFormed(path)) }
        let rows = try CSVReader.rows(text(files.tables[1]))
        #expect(rows.count == records.count)
        #expect(rows.allSatisfy { !$0["network"]!.hasPrefix("=") })
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: ".")) == before)
        let written = try FileManager.default.contentsOfDirectory(atPath: temporary.path + "/report")
        #expect(!written.contains("hacked"))
    }

    @Test func failuresAndNotesAreListed() throws {
        let temporary = TemporaryFolder()
        var running = RunRecord.sample(.sample(seed: 8), accuracy: nil)
        (running.status, running.message) = (.running, nil)
        let failed = RunRecord.sample(.sample(pattern: "random:0.003"), accuracy: nil)
        let files = try Report.write(
            SampleComparison.records() + [running, failed], to: temporary.path, options: .init(notes: ["a note"]))
        let page = try text(files.page)
        #expect(page.contains("random:0.003, seed 1 failed: the loss is not finite in step 12"))
        #expect(page.contains("dense, seed 8 is not finished (running)") && page.contains("<li>a note</li>"))
    }

    @Test func aReportOfFailuresAloneHasNoPlots() throws {
        let temporary = TemporaryFolder()
        let files = try Report.write([.sample(.sample(), accuracy: nil)], to: temporary.path)
        #expect(files.plots.isEmpty)
        #expect(try text(files.page).contains("No run is completed yet."))
    }

    @Test func aSinglePointAndUnmeasuredTimesAreDrawn() throws {
        let temporary = TemporaryFolder()
        let files = try Report.write([.sample(.sample(), accuracy: 0, latency: nil, seconds: 0)], to: temporary.path)
        #expect(files.plots.map { $0.split(separator: "/").last! }.sorted() == [
            "accuracy-multiply-adds.png", "accuracy-multiply-adds.svg", "accuracy-parameters.png",
            "accuracy-parameters.svg",
        ])
    }

    @Test func severalMachinesAreWarnedOf() throws {
        let temporary = TemporaryFolder()
        var records = SampleComparison.records()
        #expect(try !text(Report.write(records, to: temporary.path).page).contains("with care"))
        records[0].machine.hostName = "another"
        #expect(try text(Report.write(records, to: temporary.path).page).contains("measured on 2 machines:"))
    }

    @Test func severalThreadCountsAndVersionsAreWarnedOf() throws {
        let temporary = TemporaryFolder()
        var records = SampleComparison.records()
        records[0].configuration.threads = 7
        #expect(try text(Report.write(records, to: temporary.path).page).contains("measured on 2 numbers of threads:"))
        records[1].programVersion = "0.0.9"
        let page = try text(Report.write(records, to: temporary.path).page)
        #expect(page.contains("measured on 2 numbers of threads and 2 versions of the program:"))
    }

    @Test func aFolderThatCannotBeWrittenIsOneClearLine() throws {
        let temporary = TemporaryFolder()
        let file = temporary.path + "/file"
        try "x".write(toFile: file, atomically: true, encoding: .utf8)
        let error = try #require(throws: ExperimentError.self) {
            try Report.write(SampleComparison.records(), to: file + "/report")
        }
        #expect(error.description.contains(file) && !error.description.contains("\n"))
    }
}

/// A reader of its own, so that the writer is not tested against itself.
enum CSVReader {
    static func rows(_ text: String) throws -> [[String: String]] {
        var rows: [[String]] = [[""]]
        var isQuoted = false
        var characters = Array(text.unicodeScalars)[...]
        while let scalar = characters.popFirst() {
            switch scalar {
            case "\"" where isQuoted && characters.first == "\"":
                characters.removeFirst()
                rows[rows.count - 1][rows[rows.count - 1].count - 1].append("\"")
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: rows[rows.count - 1].append("")
            case "\r" where !isQuoted: break
            case "\n" where !isQuoted: rows.append([""])
            default: rows[rows.count - 1][rows[rows.count - 1].count - 1].unicodeScalars.append(scalar)
            }
        }
        let headings = rows.removeFirst()
        return try rows.filter { $0 != [""] }.map { row in
            try #require(row.count == headings.count)
            return Dictionary(uniqueKeysWithValues: zip(headings, row))
        }
    }
}

#if canImport(FoundationXML)
import FoundationXML
#endif

enum XMLDocumentCheck {
    static func isWellFormed(_ path: String) throws -> Bool {
        XMLParser(data: try Data(contentsOf: URL(fileURLWithPath: path))).parse()
    }
}
