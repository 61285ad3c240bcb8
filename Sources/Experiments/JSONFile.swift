import Foundation
import GossamerModelFiles

/// JSON files read within bounds and written whole or not at all.
enum JSONFile {
    /// - Throws: `unreadable` if there is no regular file of at most `maximumByteCount` bytes; else `invalid`.
    static func read<Value: Decodable>(
        _ type: Value.Type, from path: String, maximumByteCount: Int = 1 << 20
    ) throws(ExperimentError) -> Value {
        let data = try contents(of: path, maximumByteCount: maximumByteCount)
        do {
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            throw invalid(error, file: path)
        } catch {
            throw .invalid(file: path, field: "contents", expected: "JSON")
        }
    }

    static func write(_ value: some Encodable, to path: String) throws(ExperimentError) {
        let data: Data
        do {
            data = try encoder(.prettyPrinted).encode(value)
        } catch {
            throw .unwritable(file: path, reason: "a value has no form in JSON")
        }
        try writeWhole(data + [UInt8(ascii: "\n")], to: path)
    }

    static func writeWhole(_ contents: some Sequence<UInt8>, to path: String) throws(ExperimentError) {
        do throws(ModelFileError) {
            try AtomicFile.write(to: path, contents: contents)
        } catch {
            guard case .unwritable(let file, let reason) = error else {
                throw .unwritable(file: path, reason: error.description)
            }
            throw .unwritable(file: file, reason: reason)
        }
    }

    static func contents(of path: String, maximumByteCount: Int) throws(ExperimentError) -> Data {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .unreadable(file: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(file: path, reason: "not a regular file") }
        guard status.st_size <= maximumByteCount else {
            throw .unreadable(file: path, reason: "larger than the \(maximumByteCount) bytes allowed")
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(file: path, reason: "it could not be opened")
        }
    }

    /// Keys in order, so that equal values are equal bytes. Losses that are not finite are written as text.
    static func encoder(_ extra: JSONEncoder.OutputFormatting = []) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, extra]
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy =
            .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        decoder.nonConformingFloatDecodingStrategy =
            .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    private static func invalid(_ error: DecodingError, file: String) -> ExperimentError {
        func name(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "contents" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
                .joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return .invalid(file: file, field: name(context.codingPath + [key]), expected: "a value, found none")
        case .typeMismatch(let type, let context):
            return .invalid(file: file, field: name(context.codingPath), expected: "a value of type \(type)")
        case .valueNotFound(let type, let context):
            return .invalid(
                file: file, field: name(context.codingPath), expected: "a value of type \(type), found null")
        case .dataCorrupted(let context):
            let expected = context.codingPath.isEmpty ? "complete, valid JSON" : "a valid value"
            return .invalid(file: file, field: name(context.codingPath), expected: expected)
        @unknown default:
            return .invalid(file: file, field: "contents", expected: "JSON")
        }
    }
}
