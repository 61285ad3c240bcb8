import Foundation
import GossamerModelFiles

/// A file of Tests/Fixtures: tensors with PyTorch's values, and the hyperparameters of the case.
package struct Fixture: CustomStringConvertible, Sendable {
    package let name: String
    private let file: SafetensorsFile
    private let hyperparameters: [String: any Sendable]

    /// - Parameter name: folder and file, such as `relu/batch-3`.
    package init(_ name: String) throws {
        self.name = name
        file = try SafetensorsFile(contentsOf: Self.folder.appendingPathComponent(name + ".safetensors").path)
        let json = try JSONSerialization.jsonObject(with: Data(file.metadata["hyperparameters"]!.utf8))
        hyperparameters = json as! [String: any Sendable]
    }

    /// The names of all cases of a folder.
    package static func names(in folder: String) -> [String] {
        let path = Self.folder.appendingPathComponent(folder).path
        let files = try! FileManager.default.contentsOfDirectory(atPath: path)
        let names = files.filter { $0.hasSuffix(".safetensors") }.map { "\(folder)/\($0.dropLast(12))" }
        precondition(!names.isEmpty, "no fixtures in \(folder)")
        return names.sorted()
    }

    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

    package var description: String { name }

    package func contains(_ tensor: String) -> Bool { file.contains(tensor) }
    package func floats(_ tensor: String) throws -> [Float] { try file.floats(tensor).values }
    package func integers(_ tensor: String) throws -> [Int32] { try file.values(tensor, as: Int32.self).values }
    package func shape(_ tensor: String) throws -> [Int] { try file.tensor(tensor).shape }

    package func number(_ key: String) -> Double { (hyperparameters[key] as! NSNumber).doubleValue }
    package func integer(_ key: String) -> Int { (hyperparameters[key] as! NSNumber).intValue }
    package func flag(_ key: String) -> Bool { (hyperparameters[key] as! NSNumber).boolValue }
    package func integers(hyperparameter key: String) -> [Int] {
        (hyperparameters[key] as! [any Sendable]).map { ($0 as! NSNumber).intValue }
    }
    package func text(_ key: String) -> String { hyperparameters[key] as! String }
}
