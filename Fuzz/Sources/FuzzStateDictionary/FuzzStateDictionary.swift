import Gossamer

/// Reads the parameters of a ResNet-18 of one and two channels. What is accepted must survive writing, and run.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let file = try? SafetensorsFile(bytes: bytes) else { return 0 }
    let multiplier = 1.0 / 256, side = 32
    do {
        let dictionary = try StateDictionary(Architecture.named("resnet18"), guessedFrom: file)
        guard let model = try? dictionary.model(file, side: side, multiplier: multiplier) else { return 0 }
        let written = try dictionary.writer(model.network, parameters: model.parameters, multiplier: multiplier)
            .serialized()
        let again = try dictionary.model(SafetensorsFile(bytes: written), side: side, multiplier: multiplier)
        precondition(again.network == model.network)
        for entry in model.parameters.layout.all {
            precondition(again.parameters.values(entry) == model.parameters.values(entry))
        }
        guard NetworkCost(model.network).multiplyAdds < 1 << 20 else { return 0 }
        var plan = try InferencePlan(model.network, parameters: model.parameters, pool: ThreadPool(threads: 1))
        _ = plan([Float](repeating: 0.5, count: model.network.inputShape.count))
    } catch is ExecutionError {
        return 0
    } catch {
        fatalError("an accepted state dictionary does not survive: \(error)")
    }
    return 0
}
