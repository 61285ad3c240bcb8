import CGossamerKernels
import Foundation
import GossamerTensors

/// A file that keeps what was measured on this machine, for programs that come later: JSON, grouped by whatever decides
/// whether a figure still holds. It may be deleted at any time.
///
/// Processes may share it: it is read whole, and replaced whole by what it holds then and what is added, so that the
/// worst that two writers at once can do is to lose figures that are then measured again.
struct MachineFile<Value: Codable & Sendable>: Sendable {
    private struct Contents: Codable {
        var format: String
        var groups: [String: Group]
    }

    private struct Group: Codable {
        /// Seconds since 1970; the groups longest unused go first.
        var written: Int
        var values: [String: Value]
    }

    /// Programs, instruction sets and numbers of threads whose figures are kept.
    private static var largestGroupCount: Int { 32 }

    let path: String
    let format: String

    /// - Parameter warn: gets a line where there is a file that cannot be used.
    func values(of group: String, warn: (String) -> Void) -> [String: Value] {
        contents(warn: warn).groups[group]?.values ?? [:]
    }

    /// Adds values to a group's.
    func add(_ values: [String: Value], to group: String, warn: (String) -> Void) {
        var contents = contents { _ in }
        let all = (contents.groups[group]?.values ?? [:]).merging(values) { $1 }
        contents.groups[group] = Group(written: Int(Date().timeIntervalSince1970), values: all)
        let kept = contents.groups.sorted { $0.value.written > $1.value.written }.prefix(Self.largestGroupCount)
        contents.groups = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            // Writes beside the file and renames.
            try encoder.encode(contents).write(to: url, options: .atomic)
        } catch {
            warn("\(path): what was measured cannot be kept there: \(error.localizedDescription)")
        }
    }

    private func contents(warn: (String) -> Void) -> Contents {
        let empty = Contents(format: format, groups: [:])
        guard FileManager.default.fileExists(atPath: path) else { return empty }
        guard let data = FileManager.default.contents(atPath: path),
            let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.format == format
        else {
            warn("\(path): not a file of the format '\(format)'; it is ignored and written again")
            return empty
        }
        return contents
    }
}

/// Where figures of this machine are kept.
public enum MachineFiles {
    /// Says where, or `off`.
    public static let variable = "GOSSAMER_KERNEL_CACHE"

    /// `kernels.json` in the user's cache folder, or what the variable says; nil where nothing shall be kept.
    public static var kernelPath: String? {
        let environment = ProcessInfo.processInfo.environment
        if let told = environment[variable], !told.isEmpty { return told == "off" ? nil : told }
        return cacheFolder + "/kernels.json"
    }

    /// The user's folder for what may be deleted at any time.
    public static var cacheFolder: String {
        let environment = ProcessInfo.processInfo.environment
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/gossamer" }
        return NSHomeDirectory() + "/.cache/gossamer"
    }

    /// The file of a cost model's rates, `rates.json` beside that of the kernels; nil where nothing shall be kept.
    public static var ratePath: String? {
        guard let kernelPath else { return nil }
        return URL(fileURLWithPath: kernelPath).deletingLastPathComponent().path + "/rates.json"
    }

    /// What a figure depends on besides the layer: processor, instruction set, threads, and the kernels of this very
    /// program.
    static func group(threads: Int) -> String {
        "\(processor), \(InstructionSet.current), \(threads) threads, kernels \(kernelVersion)"
    }

    private static let processor: String = {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("model name") }),
            let name = line.split(separator: ":", maxSplits: 1).dropFirst().first
        else { return "unknown processor" }
        return name.trimmingCharacters(in: .whitespaces)
    }()

    /// Of the library's version, the rows of the kernel table, and the program's file, which changes with every build.
    private static let kernelVersion: String = {
        var count = 0
        let table = gsm_convolution_kernels(&count)!
        var facts = [GossamerVersion.current] + (0 ..< count).map { String(cString: table[$0]!.pointee.name) }
        let attributes = try? FileManager.default.attributesOfItem(atPath: Bundle.main.executablePath ?? "")
        if let attributes {
            let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            facts.append("\(attributes[.size] ?? 0) \(modified)")
        }
        return String(SeededGenerator.key(facts.joined(separator: "\n")), radix: 16)
    }()
}
