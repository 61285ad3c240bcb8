import Foundation
import GossamerConnectivity
import GossamerNetworks
import GossamerTensors
import Testing

@Suite struct CostTests {
    @Test func denseMNISTCountsByHand() throws {
        let cost = NetworkCost(try .mnist())
        let convolutions = 25 * 32 + 25 * 32 * 64 + 49 * 64 * 512
        #expect(convolutions == 1_657_632)
        #expect(cost.convolutionParameters == convolutions)
        #expect(cost.parametersWithoutClassifier == convolutions + 32 + 64 + 512)
        #expect(cost.parameters == convolutions + 32 + 64 + 512 + 5120 + 10)
        #expect(cost.multiplyAdds == 784 * 25 * 32 + 196 * 25 * 32 * 64 + 49 * 64 * 512 + 5120)
        #expect(cost.connections == 32 + 2048 + 32768)
        #expect(cost.density == 1 && cost.denseConnections == cost.connections)
        #expect(cost.weightBytes == 4 * cost.parameters)
        #expect(cost.indexBytes == 0)
    }

    @Test func sparseMNISTCountsByHand() throws {
        let sparse = try Network.mnist().sparsified(with: Pattern.random(density: 0.1), seed: 1)
        #expect(sparse.removed.isEmpty)
        let cost = NetworkCost(sparse.network)
        // Fan-in ceil(0.1 * 1), ceil(0.1 * 32), ceil(0.1 * 64); the first layer is dense.
        #expect(cost.connections == 32 * 1 + 64 * 4 + 512 * 7)
        #expect(cost.connections == 3872)
        #expect(cost.convolutionParameters == 25 * 32 + 25 * 256 + 49 * 3584)
        #expect(cost.indexBytes == 4 * (256 + 65 + 3584 + 513))
        let last = try #require(cost.layers.first { $0.name == "conv3" })
        #expect(last.smallestFanIn == 7 && last.largestFanIn == 7)
        #expect(last.density == 7.0 / 64)
    }

    @Test func normalisationCounts() throws {
        var net = NetworkBuilder(name: "norm", input: Shape(channels: 3, height: 5, width: 5))
        let x = net.batchNormalization(net.convolution(net.input, filters: 4, kernel: 3, bias: false))
        _ = net.fullyConnected(x, units: 2)
        let cost = NetworkCost(try net.build())
        #expect(cost.parameters == 9 * 12 + 8 + 200 + 2)
        #expect(cost.parametersWithoutClassifier == 9 * 12 + 8)
        #expect(cost.runningStatistics == 8)
        #expect(cost.activationBytes == 4 * (75 + 100 + 100 + 2))
    }

    @Test func costAgreesWithTheParameterLayout() throws {
        for seed in 0 ..< 100 as Range<UInt64> {
            let sparse = try RandomNetwork.draw(seed: seed).sparsified(with: Pattern.random(density: 0.2), seed: seed)
            let layout = ParameterLayout(sparse.network)
            let cost = NetworkCost(sparse.network)
            #expect(cost.parameters == layout.trained.reduce(0) { $0 + $1.count }, "seed \(seed)")
            #expect(cost.runningStatistics == layout.statistics.reduce(0) { $0 + $1.count }, "seed \(seed)")
        }
    }

    @Test func costRoundTripsThroughJSON() throws {
        let cost = NetworkCost(try .mnist().sparsified(with: Pattern.random(density: 0.1), seed: 1).network)
        let data = try JSONEncoder().encode(cost)
        #expect(try JSONDecoder().decode(NetworkCost.self, from: data) == cost)
    }

    /// Counting a huge dense network takes no table of its connections.
    @Test func hugeDenseNetworkIsCounted() throws {
        var net = NetworkBuilder(name: "huge", input: Shape(channels: 1 << 19, height: 1, width: 1))
        _ = net.convolution(net.input, filters: 1 << 19, kernel: 1, bias: false)
        #expect(NetworkCost(try net.build()).parameters == 1 << 38)
    }

    @Test func liveFanIns() throws {
        let network = try Network.mnist().sparsified(with: Pattern.random(density: 0.1), seed: 1).network
        func fanIns(_ name: String) -> Set<Int> { Set(network.liveFanIns(of: network.nodes[network.index(of: name)!])) }
        #expect(fanIns("conv1") == [25])
        #expect(fanIns("conv2") == [4 * 25])
        #expect(fanIns("conv3") == [7 * 49])
        #expect(fanIns("fc1") == [512])
        #expect(fanIns("relu1") == [])
    }
}
