import GossamerModelFiles
import GossamerNetworks
import GossamerONNX
import GossamerTensors
import GossamerTestSupport
import SwiftProtobuf
import Testing

/// What the importer would get wrong without a word is either right or refused.
@Suite struct ImportMeaningTests: SmallFiles {
    private func normalize(
        _ model: inout Onnx_ModelProto, epsilon: Float = 1e-5, momentum: Float = 0.9, variance: Float = 1,
        training: Int64 = 0
    ) {
        model.graph.initializer = ["scale", "shift", "mean"].map { floats($0, [3], [1, 1, 1]) }
        model.graph.initializer.append(floats("variance", [3], [1, variance, 1]))
        var normalization = node(
            "BatchNormalization", ["x", "scale", "shift", "mean", "variance"], "y", ["training_mode": [training]])
        normalization.attribute += [attribute("epsilon", epsilon), attribute("momentum", momentum)]
        model.graph.node = [normalization]
    }

    @Test func numbersOfNormalization() throws {
        #expect(try error { normalize(&$0) } == "imported")
        for epsilon in [Float.nan, .infinity, -5, -1e-9, 2] {
            let text = try error { normalize(&$0, epsilon: epsilon) }
            #expect(text.contains("node 'the BatchNormalization'") && text.contains("an epsilon"), "\(text)")
        }
        for momentum in [Float.nan, .infinity, -0.5, 2] {
            let text = try error { normalize(&$0, momentum: momentum) }
            #expect(text.contains("node 'the BatchNormalization'") && text.contains("a momentum"), "\(text)")
        }
        #expect(try error { normalize(&$0, epsilon: 0, variance: 0) }.contains("above 0 where epsilon is 0"))
        #expect(try error { normalize(&$0, variance: -1) }.contains("variances of at least 0"))
    }

    @Test func epsilonMayBeZero() throws {
        let model = try imported { normalize(&$0, epsilon: 0, momentum: 1) }
        let bytes = try Model.writer(model.network, parameters: model.parameters, labels: model.labels).serialized()
        let again = try Model(SafetensorsFile(bytes: bytes))
        #expect(again.network == model.network)
    }

    @Test func networksRefuseTheSameNumbers() throws {
        let input = Node(name: "image", layer: .input(Shape(channels: 1, height: 1, width: 1)), inputs: [])
        for layer in [
            BatchNormalization(epsilon: .nan), BatchNormalization(epsilon: -1), BatchNormalization(epsilon: 2),
            BatchNormalization(momentum: -1), BatchNormalization(momentum: .nan),
        ] {
            let error = #expect(throws: NetworkError.self) {
                _ = try Network(
                    name: "n", nodes: [input, Node(name: "norm", layer: .batchNormalization(layer), inputs: ["image"])])
            }
            #expect(error?.node == "norm")
        }
    }

    @Test func normalizationInTraining() throws {
        #expect(try error { normalize(&$0, training: 1) }.contains("made for inference"))
        #expect(try error { model in
            normalize(&model)
            model.graph.node[0].output += ["mean2", "variance2"]
        }.contains("made for inference"))
    }

    /// A product that no number holds would make a model that nothing reads.
    @Test func factorsOfWeights() throws {
        for alpha in [Float.nan, .infinity, 3e38] {
            let text = try error { model in
                model.graph.initializer = [floats("w", [90, 1], Array(repeating: 2, count: 90))]
                var gemm = node("Gemm", ["f", "w"], "y")
                gemm.attribute = [attribute("alpha", alpha)]
                model.graph.node = [node("Flatten", ["x"], "f"), gemm]
            }
            #expect(text.contains("finite parameters"), "\(text)")
        }
    }

    @Test func casts() throws {
        func outcome(_ type: Int64) throws -> String {
            try error { model in
                model.graph.node.append(node("Cast", ["y"], "z", ["to": [type]]))
                model.graph.output[0].name = "z"
            }
        }
        for type: Int64 in [1, 10, 11, 16] { #expect(try outcome(type) == "imported") }
        for type: Int64 in [2, 3, 6, 7, 8, 9, 13] { #expect(try outcome(type).contains("node 'the Cast' (Cast)")) }
    }

    @Test func meansOfEverything() throws {
        let pooled = [node("GlobalAveragePool", ["x"], "p"), node("Flatten", ["p"], "f")]
        let images = [node("Conv", ["x", "w"], "v")]
        for (nodes, input): ([Onnx_NodeProto], String) in [(images, "v"), (pooled, "f")] {
            func outcome(_ inputs: [String], _ attributes: [String: [Int64]] = [:]) throws -> String {
                try error { model in
                    model.opsetImport[0].version = 18
                    model.graph.initializer.append(integers("none", []))
                    model.graph.node = nodes + [node("ReduceMean", [input] + inputs, "y", attributes)]
                }
            }
            #expect(try outcome([]).contains("over the batch too"))
            #expect(try outcome(["none"]).contains("over the batch too"))
            #expect(try outcome([], ["keepdims": [0]]).contains("over the batch too"))
            #expect(try outcome(["none"], ["noop_with_empty_axes": [1]]) == "imported")
        }
    }

    // MARK: - Rows and columns as one axis

    /// [batch, channel, row, column] as [batch, pixel, channel].
    private func pixels(_ name: String, as result: String) -> [Onnx_NodeProto] {
        [
            node("Reshape", [name, "flat"], "\(result).flat"),
            node("Transpose", ["\(result).flat"], result, ["perm": [0, 2, 1]]),
        ]
    }

    /// And back.
    private func image(_ name: String, as result: String) -> [Onnx_NodeProto] {
        [
            node("Transpose", [name], "\(result).flat", ["perm": [0, 2, 1]]),
            node("Reshape", ["\(result).flat", "image"], result),
        ]
    }

    @Test func matricesOfPixels() throws {
        let weights = (0 ..< 12).map { Float($0) - 5 }
        let expected = try outputs { model in
            model.graph.initializer = [floats("w", [4, 3, 1, 1], (0 ..< 12).map { weights[$0 % 3 * 4 + $0 / 3] })]
        }
        let actual = try outputs { model in
            model.graph.initializer = [
                floats("w", [3, 4], weights), integers("flat", [0, 3, 30]), integers("image", [0, 4, 6, 5]),
            ]
            model.graph.node = pixels("x", as: "a") + [node("MatMul", ["a", "w"], "b")] + image("b", as: "y")
        }
        #expect(relativeError(actual, expected) < 1e-6)
    }

    @Test func joinedPixels() throws {
        let expected = try outputs { model in
            model.graph.node = [node("Relu", ["x"], "a"), node("Concat", ["x", "a"], "y", ["axis": [1]])]
        }
        let actual = try outputs { model in
            model.graph.initializer = [integers("flat", [0, 3, 30]), integers("image", [0, 6, 6, 5])]
            let joined = [node("Relu", ["a"], "b"), node("Concat", ["a", "b"], "c", ["axis": [2]])]
            model.graph.node = pixels("x", as: "a") + joined + image("c", as: "y")
        }
        #expect(relativeError(actual, expected) < 1e-6)
    }

    /// Pixels row by row beside pixels column by column.
    @Test func joinedPixelsInAnotherOrder() throws {
        let text = try error { model in
            model.graph.initializer = [integers("flat", [0, 3, 30])]
            let turned = [node("Transpose", ["x"], "t", ["perm": [0, 1, 3, 2]])]
            model.graph.node = turned + pixels("x", as: "a") + pixels("t", as: "b")
            model.graph.node.append(node("Concat", ["a", "b"], "y", ["axis": [2]]))
        }
        #expect(text.contains("(Concat)"), "\(text)")
    }
}
