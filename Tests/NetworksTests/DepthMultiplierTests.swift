import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

@Suite struct DepthMultiplierTests {
    @Test(arguments: [0.1, 0.25, 0.3162, 0.5, 0.7, 1, 1.5])
    func everyConvolutionIsRoundedUp(alpha: Double) throws {
        let scaled = try Network.mnist().scaled(byDepthMultiplier: alpha)
        let filters = [32, 64, 512].map { roundedUp(alpha, of: $0) }
        #expect(["conv1", "conv2", "conv3"].map { scaled.shape(of: $0).channels } == filters)
        #expect(scaled.outputShape.channels == 10)
        let weights = 25 * filters[0] + 25 * filters[0] * filters[1] + 49 * filters[1] * filters[2]
        #expect(NetworkCost(scaled).convolutionParameters == weights)
    }

    @Test func oneChangesNothing() throws {
        #expect(try Network.mnist().scaled(byDepthMultiplier: 1) == .mnist())
    }

    @Test func residualSumsStayConsistent() throws {
        var net = NetworkBuilder(name: "residual", input: Shape(channels: 3, height: 8, width: 8))
        let x = net.convolution(net.input, filters: 10, kernel: 3)
        let y = net.addition(x, net.convolution(x, filters: 10, kernel: 3))
        _ = net.fullyConnected(net.globalAveragePooling(y), units: 7)
        let scaled = try net.build().scaled(byDepthMultiplier: 0.33)
        #expect(scaled.shape(of: "add1").channels == 4)
        #expect(scaled.outputShape.channels == 7)
    }

    /// A network that predicts with a convolution keeps its classes.
    @Test func outputKeepsItsChannels() throws {
        var net = NetworkBuilder(name: "all convolutional", input: Shape(channels: 3, height: 8, width: 8))
        let x = net.convolution(net.input, filters: 10, kernel: 3)
        _ = net.globalAveragePooling(net.convolution(x, filters: 10, kernel: 1))
        let scaled = try net.build().scaled(byDepthMultiplier: 0.5)
        #expect(scaled.shape(of: "conv1").channels == 5)
        #expect(scaled.outputShape.channels == 10)
    }

    @Test(arguments: [0, -1, Double.nan, .infinity, 17])
    func badMultipliersAreRefused(alpha: Double) {
        let error = #expect(throws: NetworkError.self) { try Network.mnist().scaled(byDepthMultiplier: alpha) }
        #expect(error?.message.contains("depth multiplier") == true)
    }

    @Test func sumsThatNoLongerMatchAreRefused() throws {
        var net = NetworkBuilder(name: "uneven", input: Shape(channels: 3, height: 8, width: 8))
        let a = net.convolution(net.input, filters: 3, kernel: 3)
        let b = net.convolution(net.input, filters: 5, kernel: 3)
        let c = net.convolution(net.input, filters: 8, kernel: 3)
        _ = net.fullyConnected(net.addition(net.concatenation([a, b]), c), units: 2)
        let network = try net.build()
        let error = #expect(throws: NetworkError.self) { try network.scaled(byDepthMultiplier: 0.5) }
        #expect(error?.message.contains("cannot take the depth multiplier 0.5") == true)
    }

    @Test func hybridScalesThenSparsifies() throws {
        let narrow = try Network.mnist().scaled(byDepthMultiplier: 0.5)
        let hybrid = try narrow.sparsified(with: Pattern.random(density: 0.1), seed: 2)
        #expect(NetworkCost(hybrid.network).connections == 16 + 32 * 2 + 256 * 4)
        #expect(throws: NetworkError.self) { try hybrid.network.scaled(byDepthMultiplier: 0.5) }
        #expect(throws: NetworkError.self) { try hybrid.network.sparsified(with: Pattern.dense, seed: 2) }
    }
}
