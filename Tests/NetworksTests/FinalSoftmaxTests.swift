import GossamerNetworks
import GossamerTensors
import Testing

/// What is left of a network without the softmax at its end.
@Suite struct FinalSoftmaxTests {
    private func network(_ build: (inout NetworkBuilder, NetworkBuilder.Value) -> Void) throws -> Network {
        var net = NetworkBuilder(name: "small", input: Shape(channels: 2, height: 4, width: 4))
        let x = net.relu(net.convolution(net.input, filters: 6, kernel: 3, pattern: .grouped(2)))
        build(&net, x)
        return try net.build()
    }

    @Test func theEndGoes() throws {
        let plain = try network { net, x in _ = net.fullyConnected(x, units: 5) }
        #expect(plain.withoutFinalSoftmax == plain)
        let once = try network { net, x in _ = net.softmax(net.fullyConnected(x, units: 5)) }
        #expect(once != plain && once.withoutFinalSoftmax == plain)
        #expect(ParameterLayout(once) == ParameterLayout(plain))
        let twice = try network { net, x in _ = net.softmax(net.softmax(net.fullyConnected(x, units: 5))) }
        #expect(twice.withoutFinalSoftmax == plain)
    }

    @Test func softmaxBetweenLayersStays() throws {
        let network = try network { net, x in _ = net.fullyConnected(net.softmax(x), units: 5) }
        #expect(network.withoutFinalSoftmax == network)
    }

    @Test func auxiliaryHeadsStay() throws {
        func build(softmax: Bool) throws -> Network {
            try network { net, x in
                net.auxiliaryHead(weight: 0.3) { $0.fullyConnected(x, units: 5) }
                let y = net.fullyConnected(x, units: 5)
                if softmax { _ = net.softmax(y) }
            }
        }
        #expect(try build(softmax: true).withoutFinalSoftmax == build(softmax: false))
    }

    /// What a head reads cannot come last.
    @Test func whatAHeadReadsKeepsItsSoftmax() throws {
        let network = try network { net, x in
            let y = net.fullyConnected(x, units: 5)
            net.auxiliaryHead(weight: 0.3) { $0.fullyConnected(y, units: 5) }
            _ = net.softmax(y)
        }
        #expect(network.withoutFinalSoftmax == network)
    }
}
