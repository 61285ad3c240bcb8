import Foundation

/// Numbers as people read them in tables, labels and sentences.
package enum Format {
    /// A fraction as a percentage: 0.9012 is `90.12 %`.
    package static func percent(_ fraction: Double, digits: Int = 2) -> String { fixed(fraction * 100, digits) + " %" }

    /// A fraction with its spread: `90.12 ± 0.21 %`.
    static func percent(_ sample: Sample) -> String {
        guard let deviation = sample.deviation else { return percent(sample.mean) }
        return "\(fixed(sample.mean * 100, 2)) ± \(fixed(deviation * 100, 2)) %"
    }

    /// A density as people say it: 0.003 is `0.3 %`.
    static func share(_ density: Double) -> String { significant(density * 100, 3) + " %" }

    /// `183 k`, `1.66 M`.
    static func count(_ value: Double) -> String {
        for (scale, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= scale * 0.9995 {
            return significant(value / scale, 3) + " " + prefix
        }
        return significant(value, 3)
    }

    /// All digits, in groups of three: `1,657,632`.
    package static func exact(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0 && index % 3 == 0 && digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    static func bytes(_ value: Double) -> String {
        value < 999.5 ? "\(fixed(value, 0)) B" : count(value) + "B"
    }

    package static func bytes(_ value: Int) -> String { bytes(Double(value)) }

    static func milliseconds(_ value: Double) -> String {
        value < 0.9995 ? significant(value * 1000, 3) + " µs" : significant(value, 3) + " ms"
    }

    /// `?` where the value is not finite, as for the time left of a training that has not begun.
    package static func seconds(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        if value < 120 { return significant(value, 3) + " s" }
        if value < 7200 { return "\(significant(value / 60, 3)) min" }
        return significant(value / 3600, 3) + " h"
    }

    /// `0.11`, `9.1`: to the dense network's.
    static func ratio(_ value: Double) -> String { significant(value, 2) }

    /// The multiplier's mark: `× 0.316`.
    static func multiplier(_ value: Double) -> String { "×" + significant(value, 3) }

    /// Rounded to so many significant digits, and never written with an exponent or trailing zeros after the point.
    static func significant(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        let magnitude = Int(log10(abs(value)).rounded(.down))
        let scale = pow(10, Double(digits - 1 - magnitude))
        let rounded = (value * scale).rounded() / scale
        let text = fixed(rounded, max(0, min(12, digits - 1 - magnitude)))
        guard text.contains(".") else { return text }
        let trimmed = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(trimmed.reversed())
    }

    /// With so many digits after the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", locale: Locale(identifier: "en_US_POSIX"), value)
    }
}
