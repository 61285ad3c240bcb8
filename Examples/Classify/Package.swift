// swift-tools-version: 6.1
import PackageDescription

// A user's package that runs models: it links no code of training and data sets.
let package = Package(
    name: "classify",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "gossamer", path: "../..")],
    targets: [
        .executableTarget(
            name: "Classify", dependencies: [.product(name: "GossamerInference", package: "gossamer")]),
    ],
    swiftLanguageModes: [.v6]
)
