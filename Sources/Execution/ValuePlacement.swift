import GossamerNetworks
import GossamerTensors

/// Where a value lies: in a buffer of its own, or in place among the channels of a concatenation that reads it.
struct ValuePlacement: Hashable {
    let layout: ActivationLayout
    /// The value whose buffer holds this one; itself where it has its own.
    let root: Int
    /// Floats from the start of that buffer.
    let offset: Int

    /// The placement of every value of a network.
    static func all(_ list: StepList, lanes: Int) -> [ValuePlacement] {
        let hosts = hosts(list)
        var placements = list.shapes.enumerated().map {
            ValuePlacement(layout: ActivationLayout(shape: $1, lanes: lanes), root: $0, offset: 0)
        }
        // A concatenation comes after its inputs: backwards, it is placed itself when they are.
        for value in placements.indices.reversed() {
            guard let host = hosts[value] else { continue }
            let whole = placements[host.value]
            placements[value] = ValuePlacement(
                layout: whole.layout.channels(list.shapes[value].channels), root: whole.root,
                offset: whole.offset + host.firstChannel * whole.layout.channelPitch)
        }
        return placements
    }

    /// The concatenation that holds each value in place, and where among its channels.
    private static func hosts(_ list: StepList) -> [(value: Int, firstChannel: Int)?] {
        var hosts = [(value: Int, firstChannel: Int)?](repeating: nil, count: list.shapes.count)
        var readers = [Int](repeating: 0, count: list.shapes.count)
        for input in list.steps.flatMap(\.reads) { readers[input] += 1 }
        // An addend is laid out as what it is added to, wherever that lies.
        var isFixed = [Bool](repeating: false, count: list.shapes.count)
        isFixed[0] = true
        for step in list.steps {
            guard let addend = step.addend else { continue }
            isFixed[addend] = true
            isFixed[step.output] = true
        }
        for step in list.steps.reversed() where step.node.layer == .concatenation {
            var channel = 0
            for input in step.inputs {
                // The gradient of a value with other readers is the sum of several: it gets its own place.
                let isShared = list.isTraining ? readers[input] > 1 : step.inputs.count(where: { $0 == input }) > 1
                if !isFixed[input], !isShared, hosts[input] == nil { hosts[input] = (step.output, channel) }
                channel += list.shapes[input].channels
            }
        }
        return hosts
    }
}
