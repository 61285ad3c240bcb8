import Foundation
import Gossamer
import GossamerExperiments

/// What one operation of a call of inference takes.
struct LayerTime: Encodable {
    /// The operation's first node, and what follows that it takes along.
    let node: String
    let layer: String
    /// What runs a convolution or fully connected layer.
    let kernel: String?
    /// Of the whole batch.
    let multiplyAdds: Int
    let medianMilliseconds: Double
    /// On one thread; nil with more, or where no rates are kept.
    let predictedMilliseconds: Double?

    /// Times the operations of a plan in its order, at its capacity.
    static func measure(_ plan: inout InferencePlan, seconds: Double) throws -> [LayerTime] {
        let rates = plan.pool.threadCount == 1 ? CostModel.remembered(for: .inference, pool: plan.pool) : nil
        let predictions = try rates?.layerMilliseconds(plan.network, images: plan.capacity)
        let kernels = Dictionary(uniqueKeysWithValues: plan.implementations.map { ($0.node, $0.kernel) })
        let layers = Dictionary(uniqueKeysWithValues: NetworkCost(plan.network).layers.map { ($0.name, $0) })
        let images = plan.capacity
        return zip(plan.operationNames, Timing.operations(&plan, minimumSeconds: seconds)).map { name, timing in
            LayerTime(
                node: name, layer: layers[name]!.layer, kernel: kernels[name],
                multiplyAdds: layers[name]!.multiplyAdds * images, medianMilliseconds: timing.medianMilliseconds,
                predictedMilliseconds: predictions?[name])
        }
    }

    static func table(of layers: [LayerTime]) -> String {
        let sum = layers.reduce(0) { $0 + $1.medianMilliseconds }
        let rows = layers.map { layer in
            [
                layer.node, layer.layer, layer.kernel ?? "",
                layer.multiplyAdds == 0 ? "" : Format.exact(layer.multiplyAdds),
                layer.predictedMilliseconds.map { Format.fixed($0, 3) } ?? "",
                Format.fixed(layer.medianMilliseconds, 3),
                Format.percent(layer.medianMilliseconds / sum, digits: 1),
            ]
        }
        return TextTable(
            ["node", "layer", "kernel", "multiply-adds", "predicted ms", "median ms", "share"], rows: rows,
            textColumns: 3).text
    }
}
