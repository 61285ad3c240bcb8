import Gossamer
import GossamerONNX

/// Imports an ONNX file. What is accepted must survive writing and reading as a model, and run.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let model = try? ONNXImporter().model(bytes: bytes) else { return 0 }
    do {
        let written = try Model.writer(model.network, parameters: model.parameters, labels: model.labels).serialized()
        let again = try Model(SafetensorsFile(bytes: written))
        precondition(again.network == model.network && again.labels == model.labels)
        let network = model.network
        // Windows of poolings are no multiply-adds, and a large one takes long.
        let windows = network.nodes.compactMap { network.geometry(of: $0)?.kernel }
        guard NetworkCost(network).activationBytes < 1 << 20, NetworkCost(network).multiplyAdds < 1 << 20,
            windows.allSatisfy({ $0.height <= 64 && $0.width <= 64 })
        else { return 0 }
        var plan = try InferencePlan(model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
        _ = plan([Float](repeating: 0.5, count: model.network.inputShape.count))
    } catch is ExecutionError {
        return 0
    } catch {
        fatalError("an accepted network does not survive: \(error)")
    }
    return 0
}
