import GossamerNetworks
import GossamerTensors

/// A network in the making: what the operators of a graph have become, in an order in which each reads earlier ones.
struct Draft {
    struct Node {
        var name: String
        var operation: Operation
        var inputs: [Int]
        var shape: Shape
    }

    enum Operation {
        /// A layer without weights.
        case layer(Layer)
        case convolution(DraftConvolution)
        case fullyConnected(DraftFullyConnected)
        case normalization(BatchNormalization, statistics: ChannelStatistics)
        /// x * scale + shift for each channel.
        case affine(ChannelScaling)
        /// Rows and columns of one value around the image.
        case padding(Edges, value: Float)
    }

    struct Edges: Hashable {
        var top = 0
        var left = 0
        var bottom = 0
        var right = 0

        var isNone: Bool { self == Edges() }
        var padding: Padding {
            isNone ? .valid : .explicit(top: top, left: left, bottom: bottom, right: right)
        }
    }

    var nodes: [Node] = []
    private var names: Set<String> = []
    /// The last number that made a name unique.
    private var numbers: [String: Int] = [:]

    /// Larger images and longer networks are mistakes; the network itself checks what it is made of again.
    static let largestSize = 1 << 20
    static let largestCount = 1 << 40
    static let largestNodeCount = 1 << 14

    /// - Returns: the node's index.
    mutating func add(
        _ name: String, _ operation: Operation, _ inputs: [Int], shape: Shape
    ) throws(ImportError) -> Int {
        guard nodes.count < Self.largestNodeCount else { throw ImportError("at most \(Self.largestNodeCount) layers") }
        for size in [shape.channels, shape.height, shape.width] where !(1 ... Self.largestSize).contains(size) {
            throw ImportError("an output of sizes from 1 to \(Self.largestSize), it would be \(shape)")
        }
        guard shape.count <= Self.largestCount else {
            throw ImportError("an output of at most \(Self.largestCount) values, it would be \(shape)")
        }
        nodes.append(Node(name: unusedName(name), operation: operation, inputs: inputs, shape: shape))
        return nodes.count - 1
    }

    private mutating func unusedName(_ wanted: String) -> String {
        let base = Self.plainName(wanted) ?? "node"
        var name = base
        while !names.insert(name).inserted {
            numbers[base, default: 1] += 1
            name = "\(base)_\(numbers[base]!)"
        }
        return name
    }

    /// A name from a file, kept short and free of characters that would disturb a terminal, as model files demand; nil
    /// where nothing is left.
    static func plainName(_ text: String) -> String? {
        var result = ""
        for scalar in text.unicodeScalars.prefix(longestName) {
            let isPlain = switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
            default: true
            }
            let next = isPlain ? Character(scalar) : "_"
            if result.utf8.count + next.utf8.count > longestName { break }
            result.append(next)
        }
        return result.isEmpty ? nil : result
    }

    /// In bytes, with room for a number within the 200 of model files.
    private static let longestName = 180

    /// How many nodes read each one, the output counted as a reader.
    func readerCounts(output: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: nodes.count)
        counts[output] = 1
        for index in nodes.indices.reversed() where counts[index] > 0 {
            for input in nodes[index].inputs { counts[input] += 1 }
        }
        return counts
    }
}

/// x * scale + shift for each channel.
struct ChannelScaling {
    var scale: [Float]
    var shift: [Float]

    /// First this, then another.
    func then(_ next: ChannelScaling) -> ChannelScaling {
        ChannelScaling(
            scale: scale.indices.map { scale[$0] * next.scale[$0] },
            shift: scale.indices.map { shift[$0] * next.scale[$0] + next.shift[$0] })
    }
}

/// The parameters of batch normalisation, for each channel.
struct ChannelStatistics {
    var scale: [Float]
    var shift: [Float]
    var mean: [Float]
    var variance: [Float]
}

/// A convolution with its weights as the file has them: [filter][channel of the group][row][column].
struct DraftConvolution {
    var layer: Convolution
    let weight: Constant
    let groups: Int
    /// For each channel that the weights know the node's channel; nil where they are the same.
    var channels: [Int]?
    var bias: [Float]?
    /// Multiplies the weights of each filter.
    var filterScale: [Float]?
    /// Multiplies the weights of each of the input's channels, as the weights know them.
    var channelScale: [Float]?

    /// What it computes, followed by a scaling of its filters.
    func followed(by scaling: ChannelScaling) -> DraftConvolution {
        var result = self
        result.filterScale = filterScale.map { zip($0, scaling.scale).map(*) } ?? scaling.scale
        result.bias = scaling.shift.indices.map { (bias?[$0] ?? 0) * scaling.scale[$0] + scaling.shift[$0] }
        result.layer.bias = true
        return result
    }
}

/// A fully connected layer with its weights as the file has them.
struct DraftFullyConnected {
    var units: Int
    let weight: Constant
    /// Whether the weights are [unit][input], not [input][unit].
    let isTransposed: Bool
    /// For each input that the weights know its place in [channel][row][column] of the node; nil where it is the same.
    let positions: [Int]?
    var bias: [Float]?
    /// Multiplies the weights of each unit.
    var unitScale: [Float]?

    func followed(by scaling: ChannelScaling) -> DraftFullyConnected {
        var result = self
        result.unitScale = unitScale.map { zip($0, scaling.scale).map(*) } ?? scaling.scale
        result.bias = scaling.shift.indices.map { (bias?[$0] ?? 0) * scaling.scale[$0] + scaling.shift[$0] }
        return result
    }
}
