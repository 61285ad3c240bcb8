import GossamerTensors

/// A rule that chooses the connections of a network's convolutions. ``Pattern`` holds the built-in ones; conform a type
/// of your own to try another.
///
///     /// Filter f reads the channels f, f + 1, ... of a ring.
///     struct Ring: ConnectionPattern {
///         let fanIn: Int
///         var description: String { "ring:\(fanIn)" }
///
///         func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] {
///             request.readers.map { reader in
///                 reader.filters.map { filter in
///                     (0 ..< min(fanIn, request.channels)).map { (filter + $0) % request.channels }
///                 }
///             }
///         }
///     }
///
/// Whatever a pattern draws, channels that end up without a reader or without a path from the image are removed.
public protocol ConnectionPattern: Sendable, CustomStringConvertible {
    /// Draws the connections of all convolutions that read one tensor.
    ///
    /// - Parameters:
    ///   - request: the tensor's channels and its readers.
    ///   - generator: all randomness must come from here, so that a seed repeats the drawing.
    /// - Returns: for each reader, for each of its `filters`, the channels it reads: distinct, in any order, possibly
    ///   none.
    func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]]
}

/// What a pattern is asked to connect: the channels of one tensor and the convolutions that read it.
public struct ConnectionRequest: Hashable, Sendable {
    /// A convolution that reads the tensor.
    public struct Reader: Hashable, Sendable {
        public let name: String
        /// Filters of the layer as the network declares it.
        public let filterCount: Int
        /// The filters to connect, ascending: those whose own output is used.
        public let filters: [Int]

        public init(name: String, filterCount: Int, filters: [Int]) {
            self.name = name
            self.filterCount = filterCount
            self.filters = filters
        }
    }

    /// How much depends on a channel being read by one of these readers.
    public enum Need: Int, Hashable, Sendable, Comparable {
        /// Something else reads the channel already.
        case none
        /// Nothing reads it yet, but other layers may.
        case some
        /// Without a reader here, filters that feed it are removed.
        case vital

        public static func < (a: Need, b: Need) -> Bool { a.rawValue < b.rawValue }
    }

    public let channels: Int
    public let readers: [Reader]
    /// For each channel.
    public let needs: [Need]

    public init(channels: Int, readers: [Reader], needs: [Need]) {
        precondition(needs.count == channels)
        self.channels = channels
        self.readers = readers
        self.needs = needs
    }
}

extension Pattern: ConnectionPattern {
    public func draw(_ request: ConnectionRequest, using generator: inout SeededGenerator) -> [[[Int]]] {
        switch self {
        case .dense:
            request.readers.map { $0.filters.map { _ in Array(0 ..< request.channels) } }
        case .random(let density, let block):
            request.uniformRows(block: block, using: &generator) { reader in
                Self.fanIn(density: density, channels: request.channels, filters: reader.filterCount)
            }
        case .expander(let density, let block):
            request.regularRows(block: block, using: &generator) { reader in
                Self.fanIn(density: density, channels: request.channels, filters: reader.filterCount)
            }
        case .grouped, .depthwise:
            request.readers.map { reader in
                reader.filters.map {
                    Array(fixedInputs(of: $0, channels: request.channels, filters: reader.filterCount)!)
                }
            }
        }
    }

    /// The channels that a filter of a randomly connected layer reads: ceil(density * channels), with the square root
    /// of the density where the layer has one filter on a side (Changpinyo et al. 2017).
    public static func fanIn(density: Double, channels: Int, filters: Int) -> Int {
        precondition(density > 0 && density <= 1, "a density lies in (0, 1]")
        let fraction = channels == 1 || filters == 1 ? density.squareRoot() : density
        return roundedUp(fraction, of: channels)
    }

    /// The density of a pattern that is drawn at random; nil for the others.
    public var drawnDensity: Double? {
        switch self {
        case .random(let density, _), .expander(let density, _): density
        case .dense, .grouped, .depthwise: nil
        }
    }

    /// Whether the pattern leaves connections out and nothing to chance: part of what a layer is, as in a depthwise
    /// convolution.
    public var isFixed: Bool {
        switch self {
        case .grouped, .depthwise: true
        case .dense, .random, .expander: false
        }
    }

    /// The connections that a fixed pattern gives a layer; nil for other patterns.
    public func fixedTable(channels: Int, filters: Int) -> ConnectionTable? {
        guard isFixed else { return nil }
        return ConnectionTable(
            inputCount: channels,
            runs: (0 ..< filters).map { fixedInputs(of: $0, channels: channels, filters: filters)! })
    }

    /// The connections that a layer gets, counted without making them.
    package func connectionCount(channels: Int, filters: Int) -> Int {
        switch self {
        case .dense: filters * channels
        case .random(let density, _), .expander(let density, _):
            filters * Self.fanIn(density: density, channels: channels, filters: filters)
        case .grouped, .depthwise:
            (0 ..< filters).reduce(0) { $0 + fixedInputs(of: $1, channels: channels, filters: filters)!.count }
        }
    }

    /// The run of channels that a filter reads; nil where the pattern is not fixed.
    private func fixedInputs(of filter: Int, channels: Int, filters: Int) -> Range<Int>? {
        switch self {
        case .depthwise:
            let channel = filter * channels / filters
            return channel ..< channel + 1
        case .grouped(let wanted):
            let groups = min(wanted, channels, filters)
            let group = filter * groups / filters
            // The first channel c whose own group, floor(c * groups / channels), is this one.
            func start(_ group: Int) -> Int { (group * channels + groups - 1) / groups }
            return start(group) ..< start(group + 1)
        case .dense, .random, .expander:
            return nil
        }
    }
}
