import GossamerConnectivity
import GossamerNetworks
import GossamerTensors

/// Draws a network at random: chains, branches, concatenations, residual sums, poolings, values read twice, narrow
/// projections, convolutions with a pattern of their own.
struct RandomNetwork {
    private var generator: SeededGenerator
    private var builder: NetworkBuilder
    private var values: [(value: NetworkBuilder.Value, shape: Shape)]
    private var unread: Set<Int> = [0]
    /// Patterns that some convolutions have of their own.
    private let ownPatterns: [Pattern]

    static func draw(seed: UInt64, ownPatterns: [Pattern] = [.dense, .random(density: 0.4)]) throws -> Network {
        var random = RandomNetwork(seed: seed, ownPatterns: ownPatterns)
        for _ in 0 ..< 2 + random.generator.index(below: 14) { random.grow() }
        return try random.finish()
    }

    private init(seed: UInt64, ownPatterns: [Pattern]) {
        self.ownPatterns = ownPatterns
        generator = SeededGenerator(seed: seed, keys: SeededGenerator.key("random network"))
        let shape = Shape(channels: [1, 3, 5][generator.index(below: 3)], height: 6, width: 6)
        builder = NetworkBuilder(name: "random", input: shape)
        values = [(builder.input, shape)]
    }

    /// Mostly the newest value, sometimes any.
    private mutating func pick() -> Int {
        let index = generator.index(below: 3) > 0 ? values.count - 1 : generator.index(below: values.count)
        unread.remove(index)
        return index
    }

    private mutating func append(_ value: NetworkBuilder.Value, _ shape: Shape) {
        unread.insert(values.count)
        values.append((value, shape))
    }

    private mutating func filterCount() -> Int {
        [1, 2, 4, 7, 12, 24, 48, 144][generator.index(below: 8)]
    }

    private mutating func convolution(_ index: Int, filters: Int) {
        let (x, shape) = values[index]
        let patterns: [Pattern?] = ownPatterns + Array(repeating: nil, count: 14)
        let own = patterns[generator.index(below: patterns.count)]
        let y = builder.convolution(x, filters: filters, kernel: [1, 3][generator.index(below: 2)], pattern: own)
        append(y, Shape(channels: filters, height: shape.height, width: shape.width))
    }

    private mutating func grow() {
        let kind = generator.index(below: 12)
        let index = pick()
        let (x, shape) = values[index]
        switch kind {
        case 0 ..< 5: convolution(index, filters: filterCount())
        case 5:
            switch generator.index(below: 3) {
            case 0: append(builder.localResponseNormalization(x, size: 3), shape)
            case 1: append(builder.activation(x, .hardSwish), shape)
            default: append(builder.relu(x), shape)
            }
        case 6: append(builder.batchNormalization(x), shape)
        case 7: append(builder.maxPooling(x, kernel: 3, stride: 1, padding: .same), shape)
        case 8: append(builder.dropout(x, rate: 0.5), shape)
        case 9 where shape.channels <= 500:
            let others = (0 ... generator.index(below: 2)).map { _ in pick() }
            let parts = ([index] + others).map { values[$0] }
            let channels = parts.reduce(0) { $0 + $1.shape.channels }
            let joined = Shape(channels: channels, height: shape.height, width: shape.width)
            append(builder.concatenation(parts.map(\.value)), joined)
        default:
            let equal = values.indices.filter { values[$0].shape == shape }
            var other = equal[generator.index(below: equal.count)]
            if generator.index(below: 2) == 0 {
                convolution(index, filters: shape.channels)
                other = values.count - 1
            }
            unread.remove(other)
            append(builder.addition(x, values[other].value), shape)
        }
    }

    /// Joins what nothing reads yet, and makes the prediction in one of the usual ways.
    private mutating func finish() throws -> Network {
        let open = unread.sorted().map { values[$0].value }
        var x = open.count == 1 ? open[0] : builder.concatenation(open)
        switch generator.index(below: 4) {
        case 0: x = builder.fullyConnected(x, units: 3)
        case 1: x = builder.fullyConnected(builder.relu(builder.fullyConnected(x, units: 9)), units: 3)
        case 2:
            x = builder.globalAveragePooling(builder.relu(x))
            x = builder.fullyConnected(x, units: 3)
        default: x = builder.globalAveragePooling(builder.convolution(x, filters: 3, kernel: 1))
        }
        return try builder.build()
    }
}
