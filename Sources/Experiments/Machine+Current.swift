import Foundation

extension Machine {
    /// The machine this process runs on.
    ///
    /// - Parameter instructionSet: of the kernels in use.
    public static func current(instructionSet: String) -> Machine {
        let information = ProcessInfo.processInfo
        return Machine(
            hostName: hostName(),
            processor: processorName() ?? "unknown processor",
            cores: information.activeProcessorCount,
            memoryBytes: information.physicalMemory,
            operatingSystem: systemName() ?? information.operatingSystemVersionString,
            instructionSet: instructionSet)
    }

    /// Not `ProcessInfo.hostName`, which may ask a name server.
    static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func processorName() -> String? {
        value(of: "model name", separator: ":", in: "/proc/cpuinfo")
    }

    private static func systemName() -> String? {
        value(of: "PRETTY_NAME", separator: "=", in: "/etc/os-release")?
            .trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
    }

    private static func value(of key: String, separator: Character, in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: separator, maxSplits: 1)
            if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }
}
