import Foundation
import GossamerConnectivity
import GossamerTensors

extension Network {
    /// Larger descriptions are refused before they are read.
    public static let largestJSONByteCount = 4 << 20

    /// Reads a network described as in docs/network-format.md.
    /// - Throws: ``NetworkError`` in one line that names the node, the field and what was expected.
    public init(json: String) throws(NetworkError) {
        guard json.utf8.count <= Self.largestJSONByteCount else {
            throw NetworkError("a network's JSON has at most \(Self.largestJSONByteCount) bytes")
        }
        do {
            self = try JSONDecoder().decode(Network.self, from: Data(json.utf8))
        } catch let error as NetworkError {
            throw error
        } catch DecodingError.dataCorrupted(let context) {
            throw NetworkError("it is not valid JSON: \(Self.reason(context))")
        } catch {
            throw NetworkError("it is not valid JSON")
        }
    }

    /// Reads a network from a JSON file.
    /// - Throws: ``NetworkError`` that starts with the file's name.
    public static func load(jsonFile path: String) throws(NetworkError) -> Network {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw NetworkError("\(path): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw NetworkError("\(path): expected a file") }
        guard status.st_size <= largestJSONByteCount else {
            throw NetworkError("\(path): a network's JSON has at most \(largestJSONByteCount) bytes")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw NetworkError("\(path): it could not be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw NetworkError("\(path): expected UTF-8") }
        do { return try Network(json: text) } catch { throw NetworkError("\(path): \(error)") }
    }

    private static func reason(_ context: DecodingError.Context) -> String {
        let details = (context.underlyingError as? CocoaError)?.userInfo["NSDebugDescription"] as? String
        return (details ?? context.debugDescription).split(separator: "\n").joined(separator: " ")
    }
}

extension CodingUserInfoKey {
    /// The most connections that the own patterns of a network's layers may make, an `Int`.
    package static let largestPatternCount = CodingUserInfoKey(rawValue: "largestPatternCount")!
}

extension Network: Codable {
    public init(from decoder: any Decoder) throws {
        guard let members = try? decoder.container(keyedBy: FieldKey.self) else {
            throw NetworkError("expected an object with 'name' and 'nodes'")
        }
        var fields = NodeFields(members)
        let name = try fields.name("name")
        var values = try fields.objects("nodes")
        let auxiliaryOutputs = try Self.auxiliaryOutputs(&fields)
        try fields.checkAllKnown(of: "a network")
        var nodes: [Node] = []
        while !values.isAtEnd {
            guard nodes.count < ShapeInference.largestNodeCount else {
                throw NetworkError("a network has at most \(ShapeInference.largestNodeCount) nodes")
            }
            guard let members = try? values.nestedContainer(keyedBy: FieldKey.self) else {
                throw NetworkError("node \(nodes.count + 1): expected an object")
            }
            nodes.append(try Node(NodeFields(members), number: nodes.count + 1, previous: nodes.last?.name))
        }
        let largest = decoder.userInfo[.largestPatternCount] as? Int ?? ConnectionTable.largestCount
        try self.init(
            name: name, nodes: nodes, auxiliaryOutputs: auxiliaryOutputs, largestPatternCount: largest)
    }

    private static func auxiliaryOutputs(_ fields: inout NodeFields) throws(NetworkError) -> [AuxiliaryOutput] {
        let field = "auxiliaryOutputs"
        guard fields.has(field) else { return [] }
        var values = try fields.objects(field)
        var outputs: [AuxiliaryOutput] = []
        while !values.isAtEnd {
            guard outputs.count < ShapeInference.largestNodeCount,
                let value = try? values.nestedContainer(keyedBy: FieldKey.self)
            else { throw fields.error(field, expected: "objects with 'node' and 'weight'") }
            var members = NodeFields(value)
            let node = try members.name("node")
            let weight = try members.number("weight", expected: "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
            try members.checkAllKnown(of: "an auxiliary output")
            outputs.append(AuxiliaryOutput(node: node, weight: weight))
        }
        return outputs
    }

    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

extension Node {
    fileprivate init(_ members: NodeFields, number: Int, previous: String?) throws(NetworkError) {
        var fields = members
        let name: String
        do { name = try fields.name("name") } catch { throw NetworkError("node \(number): \(error)") }
        fields.node = name
        let kind = try fields.string("layer")
        let layer = try Layer(kind, &fields)
        var inputs: [String] = []
        if case .input = layer {} else { inputs = try fields.inputs("inputs", previous: previous) }
        try fields.checkAllKnown(of: "the layer \(kind)")
        self.init(name: name, layer: layer, inputs: inputs)
    }
}

extension Layer {
    fileprivate static let kinds = [
        "input", "convolution", "batch-normalization", "relu", "relu6", "sigmoid", "hard-sigmoid", "hard-swish",
        "swish", "leaky-relu", "clip", "local-response-normalization", "max-pooling", "average-pooling",
        "global-average-pooling", "dropout", "fully-connected", "concatenation", "addition", "multiplication",
        "padding", "softmax", "channel-selection",
    ]

    fileprivate init(_ kind: String, _ fields: inout NodeFields) throws(NetworkError) {
        let sizes = 1 ... ShapeInference.largestSize
        switch kind {
        case "input":
            self = .input(
                Shape(
                    channels: try fields.integer("channels", in: sizes),
                    height: try fields.integer("height", in: sizes),
                    width: try fields.integer("width", in: sizes)))
        case "convolution": self = .convolution(try Convolution(&fields))
        case "batch-normalization": self = .batchNormalization(try BatchNormalization(&fields))
        case "relu": self = .activation(.relu)
        case "relu6": self = .activation(.relu6)
        case "sigmoid": self = .activation(.sigmoid)
        case "hard-sigmoid": self = .activation(.hardSigmoid)
        case "hard-swish": self = .activation(.hardSwish)
        case "swish": self = .activation(.swish)
        case "leaky-relu":
            self = .activation(.leakyReLU(slope: try fields.number("slope")))
        case "clip": self = .activation(try Activation(clip: &fields))
        case "local-response-normalization":
            self = .localResponseNormalization(try LocalResponseNormalization(&fields))
        case "max-pooling": self = .maxPooling(try Pooling(&fields))
        case "average-pooling":
            let countsPadding = try fields.bool("countsPadding", default: true)
            self = .averagePooling(try Pooling(&fields), countsPadding: countsPadding)
        case "global-average-pooling": self = .globalAveragePooling
        case "dropout": self = .dropout(rate: try fields.number("rate", expected: "in [0, 1)") { $0 >= 0 && $0 < 1 })
        case "fully-connected":
            self = .fullyConnected(
                FullyConnected(
                    units: try fields.integer("units", in: sizes), bias: try fields.bool("bias", default: true)))
        case "concatenation": self = .concatenation
        case "addition": self = .addition
        case "multiplication": self = .multiplication
        case "padding":
            guard case .explicit(let top, let left, let bottom, let right) = try fields.padding("padding") else {
                throw fields.error("padding", expected: "a number of pixels, or [top, left, bottom, right]")
            }
            self = .padding(top: top, left: left, bottom: bottom, right: right)
        case "softmax": self = .softmax
        case "channel-selection": self = .channelSelection(try fields.channels("channels"))
        default:
            let hint = nearestName(to: kind, among: Self.kinds).map { "did you mean '\($0)'?" }
                ?? "expected one of \(Self.kinds.joined(separator: ", "))"
            throw NetworkError(node: fields.node, "field 'layer': unknown layer '\(kind.shown)', \(hint)")
        }
    }
}

extension Convolution {
    fileprivate init(_ fields: inout NodeFields) throws(NetworkError) {
        self.init(
            filters: try fields.integer("filters", in: 1 ... ShapeInference.largestSize),
            kernel: try fields.size("kernel"), stride: try fields.size("stride", default: Size(1)),
            padding: try fields.padding("padding", default: .same),
            dilation: try fields.size("dilation", default: Size(1)), bias: try fields.bool("bias", default: true),
            pattern: try fields.pattern("pattern"))
    }
}

extension BatchNormalization {
    fileprivate init(_ fields: inout NodeFields) throws(NetworkError) {
        let standard = BatchNormalization()
        self.init(
            epsilon: try fields.number("epsilon", default: standard.epsilon, expected: "in [0, 1]") {
                $0 >= 0 && $0 <= 1
            },
            momentum: try fields.number("momentum", default: standard.momentum, expected: "in [0, 1]") {
                $0 >= 0 && $0 <= 1
            })
    }
}

extension Activation {
    fileprivate init(clip fields: inout NodeFields) throws(NetworkError) {
        self = .clip(
            low: try fields.number("low", default: -.infinity), high: try fields.number("high", default: .infinity))
    }
}

extension LocalResponseNormalization {
    fileprivate init(_ fields: inout NodeFields) throws(NetworkError) {
        let size = try fields.integer("size", in: 1 ... ShapeInference.largestSize)
        let standard = LocalResponseNormalization(size: size)
        self.init(
            size: size, alpha: try fields.number("alpha", default: standard.alpha),
            beta: try fields.number("beta", default: standard.beta),
            bias: try fields.number("bias", default: standard.bias))
    }
}

extension Pooling {
    fileprivate init(_ fields: inout NodeFields) throws(NetworkError) {
        let kernel = try fields.size("kernel")
        self.init(
            kernel: kernel, stride: try fields.size("stride", default: kernel),
            padding: try fields.padding("padding", default: .valid))
    }
}
