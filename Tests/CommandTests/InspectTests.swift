import Testing

@Suite struct InspectTests {
    private func inspect(_ arguments: String...) async throws -> CostAnswer {
        try await Gossamer().succeed(["inspect", "--json"] + arguments).json(CostAnswer.self)
    }

    @Test func countsTheDenseNetwork() async throws {
        let cost = try await inspect("--network", "mnist")
        #expect(cost.convolutionParameters == 1_657_632)
        #expect(cost.connections == 32 + 32 * 64 + 64 * 512)
        // Biases of 608 filters, then the classifier.
        #expect(cost.parametersWithoutClassifier == 1_657_632 + 608)
        #expect(cost.parameters == cost.parametersWithoutClassifier + 512 * 10 + 10)
        #expect(cost.multiplyAdds == 32 * 25 * 784 + 32 * 64 * 25 * 196 + 64 * 512 * 49 + 5120)
    }

    @Test func countsTheSparseNetwork() async throws {
        let cost = try await inspect("--network", "mnist", "--pattern", "random:0.1")
        // 1 of 1, 4 of 32 and 7 of 64 inputs a filter.
        #expect(cost.connections == 3_872)
        #expect(cost.convolutionParameters == 32 * 25 + 4 * 64 * 25 + 7 * 512 * 49)
        #expect(cost.parametersWithoutClassifier == 183_424)
        #expect(cost.parameters == 188_554)
        #expect(cost.multiplyAdds == 32 * 25 * 784 + 4 * 64 * 25 * 196 + 7 * 512 * 49 + 5120)
        #expect(cost.weightBytes == 4 * cost.parameters)
    }

    @Test func saysWhatRunsEachLayer() async throws {
        let text = try await Gossamer().succeed(["inspect", "--implementations"]).output
        for word in ["conv1", "conv2", "conv3", "tried", "why not"] { #expect(text.contains(word)) }
        #expect(!text.contains("predicted  "))
    }

    @Test func predictsAndRemembers() async throws {
        let gossamer = try Gossamer()
        let environment = ["GOSSAMER_KERNEL_CACHE": gossamer.path("kept/kernels.json")]
        let arguments = ["inspect", "--pattern", "random:0.1", "--implementations"]
        let first = try await gossamer.succeed(arguments, environment: environment)
        #expect(first.errors.contains("measuring how fast this machine runs inference"))
        for word in ["predicted  ", " ms for one image on one thread", "tried"] { #expect(first.output.contains(word)) }
        let second = try await gossamer.succeed(arguments, environment: environment)
        #expect(!second.errors.contains("measuring"))
        #expect(second.output.contains("remembered"))
        let bench = ["bench", "--image-size", "12", "--seconds", "0.05", "--threads", "1", "--no-autotune"]
        try await gossamer.succeed(bench, environment: environment)
    }

    @Test func networksHaveImagesOfTheirOwn() async throws {
        let cost = try await inspect("--network", "resnet50")
        #expect(cost.parameters == 25_557_032)
    }

    @Test func describesEveryLayerInWords() async throws {
        let text = try await Gossamer().succeed(["inspect", "--pattern", "random:0.1"]).output
        #expect(text.contains("3,872"))
        #expect(text.contains("188,554"))
        #expect(text.contains("183,424"))
    }

    @Test func readsNetworksAsJSON() async throws {
        let gossamer = try Gossamer()
        let json = """
            {"name": "tiny", "nodes": [
              {"name": "image", "layer": "input", "channels": 1, "height": 8, "width": 8},
              {"name": "conv", "layer": "convolution", "filters": 4, "kernel": 3},
              {"name": "mean", "layer": "global-average-pooling"},
              {"name": "classes", "layer": "fully-connected", "units": 10}]}
            """
        try gossamer.write(json.utf8, to: "tiny.json")
        let cost = try await gossamer.succeed(["inspect", "--json", "--network", "tiny.json"]).json(CostAnswer.self)
        #expect(cost.parameters == 4 * 9 + 4 + 4 * 10 + 10)
        #expect(cost.multiplyAdds == 4 * 9 * 64 + 40)
    }

    @Test(arguments: ["dense", "random:0.1", "random:0.02,block=4"])
    func findsInModelFilesWhatWasTrained(pattern: String) async throws {
        let gossamer = try Gossamer.withImages()
        try await gossamer.succeed(gossamer.training("--pattern", pattern, epochs: 1))
        let file = try await gossamer.succeed(["inspect", "--json", "--model", "run/model.safetensors"])
        let made = try await gossamer.succeed(["inspect", "--json", "--pattern", pattern, "--image-size", "12"])
        #expect(try file.json(CostAnswer.self) == made.json(CostAnswer.self))
    }

    @Test func refusesWhatAModelDecides() async throws {
        for (command, rest) in [("inspect", []), ("export", ["--output", "model.onnx"])] {
            let result = try await Gossamer().run(
                [command, "--model", "model.safetensors", "--pattern", "random:0.1", "--seed", "2"] + rest)
            #expect(result.status == 64, "\(command)")
            #expect(result.errors.contains("--pattern, --seed: expected no such option beside --model"), "\(command)")
        }
    }
}
