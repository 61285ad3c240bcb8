import GossamerExecution
import GossamerNetworks
import GossamerTensors
import GossamerTestSupport
import Testing

/// Networks that cannot be compiled are refused with a line that names the node, and those at the edges work.
@Suite struct CompilationTests {
    private let pool = ThreadPool(threads: 2)

    @Test func largePoolingWindowsAreRefused() throws {
        var net = NetworkBuilder(name: "pooled", input: Shape(channels: 1, height: 20, width: 20))
        let x = net.convolution(net.input, filters: 1, kernel: 1)
        _ = net.maxPooling(x, kernel: 16, name: "wide")
        let network = try net.build()
        let training = #expect(throws: ExecutionError.self) { _ = try TrainingPlan(network, capacity: 1, pool: pool) }
        #expect(training?.node == "wide")
        let parameters = Parameters(initializing: network, seed: 1)
        let inference = #expect(throws: ExecutionError.self) {
            _ = try InferencePlan(network, parameters: parameters, pool: pool)
        }
        #expect(inference?.node == "wide")
    }

    /// Kernels number channels in 16 bits.
    @Test func tooManyChannelsAreRefused() throws {
        for filters in [1 << 16, (1 << 16) + 1] {
            var net = NetworkBuilder(name: "wide", input: Shape(channels: 1, height: 1, width: 1))
            _ = net.convolution(net.input, filters: filters, kernel: 1, name: "many")
            let network = try net.build()
            guard filters > 1 << 16 else {
                _ = try TrainingPlan(network, capacity: 1, pool: pool)
                continue
            }
            let error = #expect(throws: ExecutionError.self) { _ = try TrainingPlan(network, capacity: 1, pool: pool) }
            #expect(error?.node == "many")
        }
    }

    /// A window that sees nothing but padding has no maximum and no mean.
    @Test(arguments: [true, false]) func windowsOutsideTheImageAreRefused(maximum: Bool) throws {
        for padding in [
            Padding.explicit(top: 2, left: 0, bottom: 0, right: 0), .explicit(top: 0, left: 0, bottom: 0, right: 2),
            .explicit(top: 0, left: 3, bottom: 0, right: 0), .explicit(top: 0, left: 0, bottom: 5, right: 0),
        ] {
            var net = NetworkBuilder(name: "pooled", input: Shape(channels: 2, height: 4, width: 4))
            let x = net.convolution(net.input, filters: 2, kernel: 1)
            let layer = Pooling(kernel: Size(2), stride: Size(1), padding: padding)
            let pooling = maximum ? Layer.maxPooling(layer) : .averagePooling(layer, countsPadding: false)
            _ = net.add(pooling, [x], name: "pooling")
            let error = #expect(throws: NetworkError.self, "\(padding)") { _ = try net.build() }
            #expect(error?.node == "pooling")
        }
    }

    @Test func aNetworkWithoutParametersCannotBeTrained() throws {
        var net = NetworkBuilder(name: "fixed", input: Shape(channels: 1, height: 3, width: 3))
        _ = net.relu(net.input)
        let network = try net.build()
        #expect(throws: ExecutionError.self) { _ = try TrainingPlan(network, capacity: 1, pool: pool) }
        let parameters = Parameters(zerosFor: ParameterLayout(network))
        var plan = try InferencePlan(network, parameters: parameters, pool: pool)
        #expect(plan([1, -1, 2, -2, 0, 3, -3, 4, -4]) == [1, 0, 2, 0, 0, 3, 0, 4, 0])
    }

    /// Nothing is left to compute where dropout alone lies between image and output, or nothing at all.
    @Test(arguments: [1, 20]) func inferenceOfNothing(capacity: Int) throws {
        let image = [Float](arrayLiteral: 1, -2, 3, 4)
        var net = NetworkBuilder(name: "nothing", input: Shape(channels: 1, height: 2, width: 2))
        let empty = try net.build()
        _ = net.dropout(net.input, rate: 0.5)
        for network in [empty, try net.build()] {
            let parameters = Parameters(zerosFor: ParameterLayout(network))
            var plan = try InferencePlan(network, parameters: parameters, capacity: capacity, pool: pool)
            #expect(plan(image) == image)
        }
    }

    /// Memory of activations grows with the batch; that of a plan is what it says.
    @Test func memoryGrowsWithTheBatch() throws {
        let network = try Network.mnist()
        let bytes = try [16, 32, 64].map { try TrainingPlan(network, capacity: $0, pool: pool).byteCount }
        let (first, second) = (bytes[1] - bytes[0], bytes[2] - bytes[1])
        #expect(first > 0 && abs(second - 2 * first) <= second / 10)
        // Activations and their gradients, each at most once.
        #expect(second <= 2 * 32 * NetworkCost(network).activationBytes * 11 / 10)
    }
}
