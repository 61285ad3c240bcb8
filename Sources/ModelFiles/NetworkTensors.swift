import Foundation
import GossamerConnectivity
import GossamerNetworks

extension SafetensorsWriter {
    /// Adds a network: its graph as JSON in the metadata, the connections of sparse layers as tensors.
    public mutating func add(_ network: Network) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A network holds finite numbers and text only, so that encoding cannot fail.
        metadata[ModelFormat.networkKey] = String(decoding: try! encoder.encode(network), as: UTF8.self)
        for node in network.nodes {
            // Fixed patterns are part of the network's JSON.
            guard let table = network.connections[node.name], table != network.fixedTable(of: node) else { continue }
            let name = node.name
            add(name + ModelFormat.rowStartsSuffix, shape: [table.rowStarts.count], values: table.rowStarts)
            add(name + ModelFormat.inputsSuffix, shape: [table.inputs.count], values: table.inputs)
        }
    }
}

extension SafetensorsFile {
    /// The architecture from the metadata with the connections from the tensors.
    public func network() throws(ModelFileError) -> Network {
        let network = try decode(Network.self, ModelFormat.networkKey)
        var tables: [String: ConnectionTable] = [:]
        for node in network.nodes where contains(node.name + ModelFormat.rowStartsSuffix) {
            let starts = try values(node.name + ModelFormat.rowStartsSuffix, as: Int32.self).values
            let inputs = try values(node.name + ModelFormat.inputsSuffix, as: Int32.self).values
            guard case .convolution = node.layer else {
                throw .mismatch(file: path, field: node.name, expected: "connections only of convolutions")
            }
            do throws(ConnectionTableError) {
                tables[node.name] = try ConnectionTable(
                    inputCount: network.inputShape(of: node).channels, rowStarts: starts, inputs: inputs)
            } catch {
                throw .malformed(file: path, field: node.name + ModelFormat.inputsSuffix, expected: error.message)
            }
        }
        do throws(NetworkError) {
            return try Network(
                name: network.name, nodes: network.nodes, connections: network.connections.merging(tables) { $1 })
        } catch {
            throw .malformed(file: path, field: ModelFormat.networkKey, expected: error.description)
        }
    }

    /// A value from the metadata.
    func decode<Value: Decodable>(
        _ type: Value.Type, _ key: String
    ) throws(ModelFileError) -> Value {
        guard let text = metadata[key] else {
            throw .mismatch(file: path, field: key, expected: "metadata of this name")
        }
        let decoder = JSONDecoder()
        // A connection has a weight in the file, but for few that a smaller table has taken the place of.
        decoder.userInfo[.largestPatternCount] = min(ConnectionTable.largestCount, max(1 << 20, dataByteCount))
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch let error as NetworkError {
            throw .malformed(file: path, field: key, expected: error.description)
        } catch {
            throw .malformed(file: path, field: key, expected: "valid JSON of a \(type)")
        }
    }
}
