/// What the path of an image file says: `class/name.jpg`, with a part of the data set somewhere before the class.
struct ImagePath {
    enum Part: Int, CaseIterable {
        case train, validation, test

        /// A folder's name, such as `train`.
        init?(folder: Substring) {
            switch folder {
            case "train", "training": self = .train
            case "val", "valid", "validation": self = .validation
            case "test", "testing": self = .test
            default: return nil
            }
        }
    }

    /// Nil where no folder names one.
    let part: Part?
    let className: String

    /// Nil for a path that is none of an image in a class's folder.
    init?(_ path: some StringProtocol) {
        let folders = path.split(separator: "/")
        guard let name = folders.last, !name.hasPrefix("."), folders.count >= 2, Self.isImage(name) else { return nil }
        className = String(folders[folders.count - 2])
        part = folders.dropLast(2).lazy.compactMap { Part(folder: Substring($0)) }.last
    }

    private static func isImage(_ name: some StringProtocol) -> Bool {
        let ending = name.split(separator: ".").last?.lowercased()
        return ending == "jpg" || ending == "jpeg" || ending == "png"
    }
}
