import Foundation

extension RunFolder {
    /// Appends one line to `metrics.jsonl`, in a single write. Safe after a crash that cut the last line short.
    public func appendMetrics(_ line: some Encodable) throws(ExperimentError) {
        try makeFolder(path)
        guard var bytes = try? JSONFile.encoder().encode(line) else {
            throw .unwritable(file: metricsPath, reason: "a value has no form in JSON")
        }
        bytes.append(UInt8(ascii: "\n"))
        try append(bytes, to: metricsPath, mendsLine: true)
    }

    /// Appends to a file of the folder, in a single write.
    ///
    /// - Parameter mendsLine: begin a new line where the last one was cut short.
    func append(_ bytes: some Sequence<UInt8>, to path: String, mendsLine: Bool = false) throws(ExperimentError) {
        var bytes = Array(bytes)
        func unwritable() -> ExperimentError { .unwritable(file: path, reason: String(cString: strerror(errno))) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw unwritable() }
        defer { close(descriptor) }
        if mendsLine && !endsInNewline(descriptor) { bytes.insert(UInt8(ascii: "\n"), at: 0) }
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw unwritable() }
    }

    /// The lines of `metrics.jsonl` that are whole; none if there is no such file.
    public func metrics<Line: Decodable>(_ type: Line.Type) throws(ExperimentError) -> [Line] {
        guard FileManager.default.fileExists(atPath: metricsPath) else { return [] }
        let data = try JSONFile.contents(of: metricsPath, maximumByteCount: 1 << 28)
        let decoder = JSONFile.decoder
        return data.split(separator: UInt8(ascii: "\n")).compactMap { try? decoder.decode(type, from: Data($0)) }
    }

    /// Replaces all lines, as when a run resumes from a checkpoint older than its last line.
    public func replaceMetrics(with lines: [some Encodable]) throws(ExperimentError) {
        var bytes = Data()
        let encoder = JSONFile.encoder()
        for line in lines {
            guard let encoded = try? encoder.encode(line) else {
                throw .unwritable(file: metricsPath, reason: "a value has no form in JSON")
            }
            bytes += encoded + [UInt8(ascii: "\n")]
        }
        try makeFolder(path)
        try JSONFile.writeWhole(bytes, to: metricsPath)
    }

    private func endsInNewline(_ descriptor: Int32) -> Bool {
        let end = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        guard end > 0, pread(descriptor, &last, 1, end - 1) == 1 else { return true }
        return last == UInt8(ascii: "\n")
    }
}
