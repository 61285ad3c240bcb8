import Testing

@Suite struct HelpTests {
    static let commands = [
        "demo", "design", "train", "compare", "report", "runs", "prune", "inspect", "bench", "evaluate", "predict",
        "run", "import", "export",
    ]

    @Test(arguments: commands) func helpHasAnExample(command: String) async throws {
        let gossamer = try Gossamer()
        let outcome = try await gossamer.succeed([command, "--help"])
        let examples = outcome.output.split(separator: "\n").filter { $0.hasPrefix("  gossamer \(command) ") }
        #expect(!examples.isEmpty, "\(outcome)")
        #expect(outcome.output.contains("--json"))
        let writes = ["demo", "train", "compare", "design", "report", "prune", "import", "export"].contains(command)
        #expect(outcome.output.contains("-o, --output <output>") == writes)
        #expect(outcome.errors.isEmpty)
        #expect(try await gossamer.succeed(["help", command]).output == outcome.output)
    }

    @Test func helpListsEveryCommand() async throws {
        let outcome = try await Gossamer().succeed(["--help"])
        for command in Self.commands { #expect(outcome.output.contains("\n  \(command) "), "\(command)") }
    }

    @Test func versionIsOneOfSemVer() async throws {
        let outcome = try await Gossamer().succeed(["--version"])
        #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(outcome)")
    }
}
