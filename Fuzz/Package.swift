// swift-tools-version: 6.1
import PackageDescription

// A package of its own, because libFuzzer brings the main function: an ordinary build could not link these.
let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "gossamer", path: "..")],
    targets: [
        .executableTarget(name: "FuzzIDX", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .executableTarget(name: "FuzzCIFAR10", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .target(name: "FuzzImages", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .executableTarget(name: "FuzzJPEG", dependencies: ["FuzzImages"]),
        .executableTarget(name: "FuzzPNG", dependencies: ["FuzzImages"]),
        .executableTarget(name: "FuzzTar", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .executableTarget(name: "FuzzModel", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .executableTarget(
            name: "FuzzONNX",
            dependencies: [
                .product(name: "Gossamer", package: "gossamer"), .product(name: "GossamerONNX", package: "gossamer"),
            ]),
        .executableTarget(name: "FuzzSafetensors", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
        .executableTarget(name: "FuzzStateDictionary", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
    ],
    swiftLanguageModes: [.v6]
)
