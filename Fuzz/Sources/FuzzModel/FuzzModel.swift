import Gossamer

/// Reads a model file: network, connections, labels and parameters. What is accepted must run and survive writing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let file = try? SafetensorsFile(bytes: bytes) else { return 0 }
    do {
        let model = try Model(file)
        let written = try Model.writer(model.network, parameters: model.parameters, labels: model.labels).serialized()
        let again = try Model(SafetensorsFile(bytes: written))
        precondition(again.network == model.network && again.labels == model.labels)
        guard NetworkCost(model.network).activationBytes < 1 << 20, NetworkCost(model.network).multiplyAdds < 1 << 20
        else { return 0 }
        var plan = try InferencePlan(model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
        _ = plan([Float](repeating: 0.5, count: model.network.inputShape.count))
    } catch is ModelFileError {
        return 0
    } catch is ExecutionError {
        return 0
    } catch {
        fatalError("an accepted model does not survive: \(error)")
    }
    return 0
}
