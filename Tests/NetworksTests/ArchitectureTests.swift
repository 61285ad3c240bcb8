import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

/// Counts published for the networks, or counted by hand.
@Suite struct ArchitectureTests {
    private func convolutions(_ cost: NetworkCost) -> [LayerCost] { cost.layers.filter { $0.connections != nil } }

    private func convolutionMultiplyAdds(_ cost: NetworkCost) -> Int {
        convolutions(cost).reduce(0) { $0 + $1.multiplyAdds }
    }

    @Test func cifar10() throws {
        let network = try Network.cifar10()
        let cost = NetworkCost(network)
        #expect(cost.convolutionParameters == 25 * 3 * 64 + 25 * 64 * 64)
        #expect(cost.parameters == 25 * 67 * 64 + 128 + (36 * 64 + 1) * 384 + 385 * 192 + 193 * 10)
        #expect(cost.multiplyAdds == 576 * 25 * 3 * 64 + 144 * 25 * 64 * 64 + 36 * 64 * 384 + 384 * 192 + 1920)
        let norm = LocalResponseNormalization(size: 9, alpha: 0.001, beta: 0.75, bias: 1)
        #expect(network.nodes.filter { $0.layer == .localResponseNormalization(norm) }.count == 2)
        let order = network.nodes.map(\.layer.kind).filter { $0 != "relu" }
        #expect(
            order == [
                "input", "convolution", "max-pooling", "local-response-normalization", "convolution",
                "local-response-normalization", "max-pooling", "fully-connected", "fully-connected", "fully-connected",
            ])
    }

    @Test func vgg16() throws {
        let cost = NetworkCost(try .vgg16())
        #expect(cost.parameters == 138_357_544)
        #expect(cost.multiplyAdds == 15_470_264_320)
        #expect(convolutions(cost).count == 13)
    }

    @Test func vgg16ForSmallImages() throws {
        let network = try Network.vgg16BN()
        let cost = NetworkCost(network)
        #expect(cost.convolutionParameters == 14_710_464)
        #expect(cost.parameters == 14_710_464 + 2 * 4224 + 5130)
        #expect(network.shape(of: "pool5") == Shape(channels: 512, height: 1, width: 1))
    }

    @Test func vgg16n() throws {
        let cost = NetworkCost(try .vgg16n())
        #expect(cost.convolutionParameters == 14_710_464 + 9 * 512 * 1024)
        #expect(cost.parameters == cost.convolutionParameters + 2 * (4224 + 1024) + 1_025_000)
        #expect(cost.multiplyAdds == 15_346_630_656 + 9 * 9 * 512 * 1024 + 1_024_000)
    }

    @Test func resnet18() throws {
        let network = try Network.resnet18()
        let cost = NetworkCost(network)
        #expect(cost.parameters == 11_689_512)
        #expect(cost.multiplyAdds == 1_814_073_344)
        #expect(convolutions(cost).count == 20)
        #expect(network.shape(of: "relu17") == Shape(channels: 512, height: 7, width: 7))
    }

    @Test func mobilenets() throws {
        let v1 = NetworkCost(try .mobilenetV1())
        #expect(v1.parameters == 4_231_976)
        #expect(v1.multiplyAdds == 568_740_352)
        #expect(v1.density == 1)
        let v2 = NetworkCost(try .mobilenetV2())
        #expect(v2.parameters == 3_504_872)
        #expect(v2.multiplyAdds == 300_774_272)
        let lite = NetworkCost(try .efficientnetLite0())
        #expect(lite.parameters == 4_652_008)
        #expect(convolutions(lite).count == 49)
    }

    /// Every depthwise convolution keeps one channel a filter, and as many filters as its channels.
    @Test(arguments: ["mobilenet-v1", "mobilenet-v2", "efficientnet-lite0"])
    func depthwiseStaysDepthwise(name: String) throws {
        let known = try Architecture.named(name)
        let network = try known.network(classes: 1000, input: known.standardInput)
        let variants = [
            try network.scaled(byDepthMultiplier: 0.35),
            try network.sparsified(with: Pattern.random(density: 0.1), seed: 1).network,
            try network.sparsified(with: Pattern.expander(density: 0.01), seed: 1).network,
            try network.scaled(byDepthMultiplier: 0.6).sparsified(with: Pattern.grouped(4), seed: 1).network,
        ]
        for variant in variants {
            for node in variant.nodes {
                guard case .convolution(let layer) = node.layer, layer.pattern == .depthwise else { continue }
                #expect(layer.filters == variant.inputShape(of: node).channels)
                #expect(variant.connections[node.name]!.inputs == (0 ..< layer.filters).map(Int32.init))
            }
        }
    }

    @Test func resnet50() throws {
        let network = try Network.resnet50()
        let cost = NetworkCost(network)
        #expect(cost.parameters == 25_557_032)
        #expect(cost.multiplyAdds == 4_089_184_256)
        #expect(convolutions(cost).count == 53)
        #expect(network.shape(of: "relu49") == Shape(channels: 2048, height: 7, width: 7))
    }

    @Test func inceptionV3() throws {
        let cost = NetworkCost(try .inceptionV3())
        #expect(convolutions(cost).count == 94)
        #expect(cost.convolutionParameters == 21_751_136)
        #expect(convolutionMultiplyAdds(cost) == 5_711_168_096)
        #expect(cost.parameters == 21_751_136 + 2 * 17_216 + 2_049_000)
    }

    /// The main path is that of the network without the head, whatever is done to it.
    @Test func inceptionV3WithItsHead() throws {
        let plain = try Network.inceptionV3()
        let network = try Network.inceptionV3(auxiliaryHead: true)
        let cost = NetworkCost(network)
        #expect(convolutions(cost).count == 94)
        #expect(cost.convolutionParameters == 21_751_136)
        #expect(convolutionMultiplyAdds(cost) == 5_711_168_096)
        #expect(cost.parameters == NetworkCost(plain).parameters)
        let head = try #require(cost.auxiliary)
        // 1 x 1 on 5 x 5, 5 x 5 on one pixel, the classifier; normalisations have two parameters a channel.
        #expect(head.multiplyAdds == 768 * 128 * 25 + 128 * 768 * 25 + 768 * 1000)
        #expect(head.parameters == 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000)
        #expect(NetworkCost(plain).auxiliary == nil)
        #expect(network.withoutAuxiliaryHeads == plain)
        #expect(try Network(json: network.json) == network)
        for pattern in [Pattern.random(density: 0.01), Pattern.random(density: 0.1, block: 4)] {
            let sparse = try network.sparsified(with: pattern, seed: 2).network
            let alone = try plain.sparsified(with: pattern, seed: 2).network
            #expect(sparse.withoutAuxiliaryHeads == alone)
            #expect(NetworkCost(sparse).auxiliary!.multiplyAdds < head.multiplyAdds)
            #expect(sparse.auxiliaryOutputs.count == 1)
        }
        let narrow = NetworkCost(try network.scaled(byDepthMultiplier: 0.5))
        #expect(narrow.multiplyAdds == NetworkCost(try plain.scaled(byDepthMultiplier: 0.5)).multiplyAdds)
        #expect(narrow.auxiliary!.multiplyAdds == 384 * 64 * 25 + 64 * 384 * 25 + 384 * 1000)
    }

    /// The head's convolutions keep their kernels at every size.
    @Test(arguments: [75, 96, 107, 139, 150, 224, 299, 331])
    func inceptionV3WithItsHead(side: Int) throws {
        let cost = NetworkCost(try .inceptionV3(classes: 10, side: side, auxiliaryHead: true))
        #expect(cost.auxiliary!.parameters == 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 10 + 10)
    }

    /// The rows of the paper, counted exactly: thousands of weights and millions of multiply-adds.
    @Test(arguments: [(0.003, 111, 65), (0.01, 242, 87), (0.03, 679, 191), (0.1, 2200, 600), (0.3, 6560, 1730),
                      (0.6, 13_080, 3450)])
    func sparseInceptionV3(density: Double, thousands: Int, millions: Int) throws {
        let fanIn = { (inputs: Int) in max(1, Int((density * Double(inputs)).rounded(.up))) }
        let network = try Network.inceptionV3()
        var weights = 0, multiplyAdds = 0
        for node in network.nodes {
            guard case .convolution(let layer) = node.layer else { continue }
            let output = network.shape(of: node.name)
            let count = fanIn(network.inputShape(of: node).channels) * layer.filters
                * layer.kernel.height * layer.kernel.width
            weights += count
            multiplyAdds += count * output.height * output.width
        }
        #expect(abs(weights - 1000 * thousands) <= thousands * 5, "\(weights)")
        #expect(abs(multiplyAdds - 1_000_000 * millions) <= millions * 8000, "\(multiplyAdds)")
        let sparse = try network.sparsified(with: Pattern.random(density: density), seed: 1)
        if sparse.removed.isEmpty {
            let cost = NetworkCost(sparse.network)
            #expect(cost.convolutionParameters == weights)
            #expect(convolutionMultiplyAdds(cost) == multiplyAdds)
        } else {
            #expect(NetworkCost(sparse.network).convolutionParameters < weights)
        }
    }

    /// Every branch's filters are rounded up, and a concatenation has their sum: counted by a program of its own.
    @Test(arguments: [(0.05, 59_368), (0.1, 227_999), (0.2, 885_367), (0.3, 1_986_648), (0.5, 5_438_000),
                      (0.8, 13_997_560), (1, 21_751_136)])
    func narrowInceptionV3(multiplier: Double, weights: Int) throws {
        let cost = NetworkCost(try Network.inceptionV3().scaled(byDepthMultiplier: multiplier))
        #expect(cost.convolutionParameters == weights)
    }

    @Test(arguments: Architecture.all.map(\.name))
    func takesMultipliersAndPatterns(name: String) throws {
        let known = try Architecture.named(name)
        let network = try known.network(classes: known.standardClasses, input: known.standardInput)
        #expect(network.outputShape.count == known.standardClasses)
        let narrow = try network.scaled(byDepthMultiplier: 0.3)
        #expect(narrow.outputShape.count == known.standardClasses)
        for pattern in [Pattern.random(density: 0.1), Pattern.random(density: 0.25, block: 4)] {
            let sparse = try network.sparsified(with: pattern, seed: 3).network
            #expect(sparse.outputShape.count == known.standardClasses)
            #expect(NetworkCost(sparse).multiplyAdds < NetworkCost(network).multiplyAdds)
        }
    }

    @Test(arguments: [("inception-v3", 75), ("inception-v3-auxiliary", 75), ("resnet50", 32), ("resnet18", 32),
                      ("vgg16", 32), ("vgg16-bn", 32), ("vgg16n", 64), ("mobilenet-v1", 32), ("mobilenet-v2", 32),
                      ("efficientnet-lite0", 32)])
    func smallestImages(name: String, side: Int) throws {
        let known = try Architecture.named(name)
        let network = try known.network(classes: 7, input: Shape(channels: 3, height: side, width: side))
        #expect(network.outputShape.count == 7)
        #expect(throws: NetworkError.self) {
            try known.network(classes: 7, input: Shape(channels: 3, height: side - 1, width: side - 1))
        }
    }
}
