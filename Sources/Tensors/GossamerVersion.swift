/// The version of the library and of the command, as semantic versioning counts; it heads CHANGELOG.md too.
public enum GossamerVersion {
    public static let current = "0.1.0"
}
