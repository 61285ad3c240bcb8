import Foundation
import GossamerModelFiles

/// The files beside a model that hold its large tensors.
struct ExternalFiles {
    /// The model's folder, with its last slash; nil where the model is not a file.
    let folder: String?
    private var open: [String: OpenFile] = [:]

    init(folder: String?) { self.folder = folder }

    /// Where a tensor's bytes lie.
    mutating func place(
        of entries: [Onnx_StringStringEntryProto], byteCount: Int
    ) throws(ImportError) -> (file: OpenFile, offset: Int) {
        var fields: [String: String] = [:]
        for entry in entries { fields[entry.key] = entry.value }
        guard let folder else { throw ImportError("values inside the model, they are in a file beside it") }
        guard let location = fields["location"], Self.isInside(location) else {
            throw ImportError("external data at a path below the model's folder, it says '\(fields["location"] ?? "")'")
        }
        func number(_ key: String, _ missing: Int) throws(ImportError) -> Int {
            guard let text = fields[key] else { return missing }
            guard let value = Int(text), value >= 0 else { throw ImportError("external data with a valid \(key)") }
            return value
        }
        let file = try file(location, in: folder)
        let offset = try number("offset", 0)
        let length = try number("length", byteCount)
        guard length == byteCount, offset <= file.byteCount, length <= file.byteCount - offset else {
            throw ImportError(
                "\(byteCount) bytes of external data from \(offset) on, '\(location)' has \(file.byteCount) bytes "
                    + "and \(length) belong to the tensor")
        }
        return (file, offset)
    }

    private mutating func file(_ location: String, in folder: String) throws(ImportError) -> OpenFile {
        if let known = open[location] { return known }
        do throws(ModelFileError) {
            let file = try OpenFile(path: folder + location)
            open[location] = file
            return file
        } catch {
            throw ImportError("external data that can be read: \(error)")
        }
    }

    /// Whether a path is relative and stays below the folder that it starts from.
    private static func isInside(_ path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= 1024 && !path.contains("\0") && !path.contains("\\")
            && !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
    }
}
