// swift-tools-version: 6.1
import PackageDescription

// A user's package: depends on the library by path, and on nothing else of this repository.
let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "gossamer", path: "../..")],
    targets: [
        .executableTarget(name: "Consumer", dependencies: [.product(name: "Gossamer", package: "gossamer")]),
    ],
    swiftLanguageModes: [.v6]
)
